# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the module of the same name, then search what Ready writes on the controller for the stack's passwords."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.written import search_written  # Ansible offers module_utils to modules alone


class ActionModule(ActionBase):
    """See library/stack_security.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find out, then search."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "timeout": {"type": "float", "default": 5.0},
                "deadline": {"type": "float", "default": 20.0},
            }
        )
        result.update(self._execute_module("stack_security", module_args=args, task_vars=task_vars))
        if not result.get("failed"):
            result["found"]["leaks"]["controller"] = search_written(args["stack"], task_vars, self._templar.template)
        return result
