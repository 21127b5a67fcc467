# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fail with why WSL's MSI could not be installed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.windows import msi
from ready.windows.script_action import end_of_log


class ActionModule(ActionBase):
    """See library/wsl2_package_fault.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the end of the log, then fail."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "windows": {"type": "dict", "required": True},
                "package": {"type": "dict", "required": True},
                "log": {"type": "str", "required": True},
                "version": {"type": "str", "required": True},
                "source": {"type": "str", "required": True},
            }
        )
        message = msi.fault(
            plain(args["package"]),
            end_of_log(self, task_vars, args["log"]),
            plain(args["windows"])["state"],
            version=args["version"],
            source=args["source"],
            host=str(task_vars["inventory_hostname"]),
        )
        return result | {"failed": True, "msg": message}
