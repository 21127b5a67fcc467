# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what an upgrade can be rolled back to, and refuse one without room for the copies of the data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.upgrades import plan


class ActionModule(ActionBase):
    """See library/upgrade_rollback.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Compare room and need, then decide."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "wanted": {"type": "list", "elements": "dict", "required": True},
                "details": {"type": "dict", "required": True},
                "facts": {"type": "dict", "required": True},
                "repository": {"type": "str", "default": ""},
                "configured": {"type": "bool", "required": True},
                "without_backup": {"type": "bool", "default": False},
            }
        )
        stack, wanted, details = (plain(args[name]) for name in ("stack", "wanted", "details"))
        if fault := plan.room_fault(plain(args["facts"]), plan.required_bytes(stack, wanted, details)):
            raise AnsibleActionFail(f"{(task_vars or {})['inventory_hostname']}: {fault}")
        found = plan.rollback_source(stack, wanted, args["repository"], args["configured"], args["without_backup"])
        return result | {"changed": False, **found}
