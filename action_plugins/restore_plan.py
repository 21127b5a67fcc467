# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say what a restore finds on the host, and which data it replaces."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.backups import service_states
from ready.backups.data_services import with_data
from ready.backups.results import replaced_lines
from ready.common.plain import plain  # Ansible offers module_utils to modules alone


class ActionModule(ActionBase):
    """See library/restore_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look at the state; a host without a volume of the stack has nothing to replace."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "only": {"type": "list", "elements": "str", "default": []},
                "without_safety_set": {"type": "bool", "default": False},
            }
        )
        stack, state, only = (plain(args[name]) for name in ("stack", "state", "only"))
        if not any(volume["exists"] for volume in state["volumes"].values()):
            return result | {"changed": False, "fresh": True, "notices": [], "lines": []}
        return result | {
            "changed": False,
            "fresh": False,
            "notices": service_states.notices(state, stack, only or with_data(stack)),
            "lines": replaced_lines(state, stack, only, args["without_safety_set"]),
        }
