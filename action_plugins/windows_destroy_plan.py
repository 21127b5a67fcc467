# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find what `windows destroy` removes: what carries Ready's mark, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.windows import role_plans


class ActionModule(ActionBase):
    """See library/windows_destroy_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "windows": {"type": "dict", "required": True},
                "stack": {"type": "dict", "required": True},
                "distro": {"type": "bool", "default": False},
            }
        )
        plan = role_plans.destroy_plan(plain(args["windows"]), plain(args["stack"]), distro=args["distro"])
        return result | {"changed": False, "plan": plan}
