# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evaluate what was read of a Windows host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.windows import role_plans


class ActionModule(ActionBase):
    """See library/windows_preflight_checks.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Evaluate."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "windows": {"type": "dict", "required": True},
                "disk_free": {"type": "str", "required": True},
                "clock_skew": {"type": "float", "required": True},
            }
        )
        try:
            checks = role_plans.preflight_rows(plain(args.pop("windows")), **plain(args))
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        return result | {"changed": False, "checks": checks}
