# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start a scheduled task and those that were stopped for it, and fail where Windows does not take or run one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.windows import task_errors
from ready.windows.script_action import run_script


class ActionModule(ActionBase):
    """See library/windows_task_start.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Start what may run, also where Windows refuses the new task: what held the distro before does so again."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "windows": {"type": "dict", "required": True},
                "task": {"type": "str", "required": True},
                "holders": {"type": "list", "elements": "str", "required": True},
                "registered": {"type": "dict", "default": {}},
                "password": {"type": "str", "required": True, "no_log": True},
                "password_variable": {"type": "str", "required": True},
            }
        )
        windows, task, holders = plain(args["windows"]), str(args["task"]), plain(args["holders"])
        refused = task_errors.refusal(
            plain(args["registered"]),
            windows["state"]["account"],
            task=task,
            variable=args["password_variable"],
            password=args["password"],
            host=str(task_vars["inventory_hostname"]),
        )
        parameters = {
            "Distribution": windows["distribution"],
            "Tasks": list(dict.fromkeys([*holders, *([] if refused else [task])])),
            "Wanted": "run",
        }
        started = run_script(self, task_vars, id="keep_tasks", parameters=parameters)
        result["changed"] = started["changed"]
        if fault := refused or started.get("fault"):
            return result | {"failed": True, "msg": fault}
        return result
