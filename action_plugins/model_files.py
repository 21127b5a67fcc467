# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hand the URLs of models to the module: a password in one is in no fact."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.stack.models import model_urls  # Ansible offers module_utils to modules alone


class ActionModule(ActionBase):
    """See library/model_files.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the URLs, then run the module on the target."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "host": {"type": "str", "required": True},
                "services": {"type": "list", "elements": "str", "required": True},
                "action": {"type": "str", "choices": ["look", "copy", "clear"], "required": True},
                "create": {"type": "list", "elements": "dict", "default": []},
                "images": {"type": "dict", "default": {}},
            }
        )
        urls: dict[str, str] = {}
        for name in args["services"]:
            urls |= model_urls(self._templar.template(task_vars.get(f"{name}_models")))
        args["urls"] = json.dumps(urls)
        result.update(self._execute_module(module_name="model_files", module_args=args, task_vars=task_vars))
        return result
