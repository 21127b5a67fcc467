# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hand the module of the same name what the controller knows: the lock, the package, a stack's description."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready.cli import wheel  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.common.plain import plain  # noqa: E402
from ready.host import installed  # noqa: E402


class ActionModule(ActionBase):
    """See library/probes_environment.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, then run the module; the package is sent where an environment is to be made alone, for it is large."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "directory": {"type": "path", "required": True},
                "python": {"type": "path"},
                "resolved": {"type": "dict"},
                "adopt": {"type": "bool", "default": False},
            }
        )
        lock = (ROOT / "requirements-probes.txt").read_text(encoding="utf-8")
        package = wheel.fingerprint()
        given = self._task.args  # paths as they stand there: ~ and variables in them are the host's
        module_args = {
            "directory": given["directory"],
            "adopt": args["adopt"],
            "mark": installed.environment_mark(lock, package),
        }
        if args["resolved"]:
            stack = plain(args["resolved"])
            module_args |= {"stack": stack["name"], "description": installed.stack_description(stack)}
        if args["python"]:
            module_args |= {
                "python": given["python"],
                "requirements": lock,
                "wheel_name": wheel.WHEEL,
                "wheel": base64.b64encode(wheel.wheel()).decode(),
                "package": package,
            }
        result.update(self._execute_module("probes_environment", module_args=module_args, task_vars=task_vars))
        return result
