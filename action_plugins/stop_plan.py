# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find what `stop` stops, and fail where there is nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain
from ready.docker import stop_plan  # Ansible offers module_utils to modules alone


class ActionModule(ActionBase):
    """See library/stop_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "services": {"type": "list", "elements": "str", "default": []},
            }
        )
        stack, state, services = (plain(args[name]) for name in ("stack", "state", "services"))
        if fault := stop_plan.fault(stack, state, str((task_vars or {})["inventory_hostname"])):
            return result | {"failed": True, "msg": fault}
        return result | {"changed": False, "containers": stop_plan.to_stop(stack, state, services)}
