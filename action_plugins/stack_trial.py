# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Render the new config volumes on the controller and hand them to the module: secrets never are in a variable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.docker.start_failures import trial_message, trial_undecided
from ready.secrets.inventory_store import packed_files  # Ansible offers module_utils to modules alone
from ready.secrets.secrets_file import SecretsError


class ActionModule(ActionBase):
    """See library/stack_trial.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Render, then run the module on the target."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "host": {"type": "str", "required": True},
                "services": {"type": "list", "elements": "str", "required": True},
                "specs": {"type": "dict", "required": True},
                "images": {"type": "dict", "required": True},
            }
        )
        try:
            files = packed_files(task_vars, self._templar.template, args["stack"], args["services"])
        except SecretsError as error:
            raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {error}") from error
        result.update(
            self._execute_module(module_name="stack_trial", module_args={**args, "files": files}, task_vars=task_vars)
        )
        if tried := result.get("services"):
            host = args["host"]
            result["lines"] += trial_undecided(host, args["stack"], tried)
            result["fault"] = trial_message(host, args["stack"], tried)
        return result
