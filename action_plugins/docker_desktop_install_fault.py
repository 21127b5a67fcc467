# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fail with why the installer of Docker Desktop failed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.windows import docker_desktop
from ready.windows.script_action import end_of_log


class ActionModule(ActionBase):
    """See library/docker_desktop_install_fault.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the end of the log, then fail."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {"package": {"type": "dict", "required": True}, "log": {"type": "str", "required": True}}
        )
        log, host = end_of_log(self, task_vars, args["log"]), str(task_vars["inventory_hostname"])
        return result | {"failed": True, "msg": docker_desktop.install_fault(plain(args["package"]), log, host)}
