# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say how each service stands, with the memory and the disk space that it takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.checks.not_in_inventory import kept_volumes  # Ansible offers module_utils to modules alone
from ready.checks.status import status_rows
from ready.common.plain import plain


class ActionModule(ActionBase):
    """See library/stack_status.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read memory and sizes, make the rows."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {"stack": {"type": "dict", "required": True}, "state": {"type": "dict", "required": True}}
        )
        stack, state = plain(args["stack"]), plain(args["state"])
        answer: dict[str, Any] = self._execute_module(
            "stack_details", module_args={"stack": stack}, task_vars=task_vars
        )
        if answer.get("failed"):
            return result | answer
        details = answer["details"]
        return result | {
            "changed": False,
            "rows": status_rows(stack, state, details),
            "lines": kept_volumes(state, details),
        }
