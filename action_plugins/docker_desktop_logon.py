# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wait for the automatic logon that gives Docker Desktop its session, and fail where it does not come."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.windows import logon
from ready.windows.script_action import run_script


class ActionModule(ActionBase):
    """See library/docker_desktop_logon.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Wait on Windows, then judge."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {"windows": {"type": "dict", "required": True}, "timeout": {"type": "int", "default": 300}}
        )
        waited = plain(
            run_script(self, task_vars, id="desktop_wait", parameters={"Timeout": args["timeout"]})["result"]
        )
        fault = logon.logon_fault(waited, plain(args["windows"])["state"], str(task_vars["inventory_hostname"]))
        if fault:
            return result | {"failed": True, "msg": fault}
        return result | {"changed": False}
