# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say after a rotation who needs new settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.secrets import rotation


class ActionModule(ActionBase):
    """See library/rotation_report.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "services": {"type": "list", "elements": "str", "default": []},
                "key_ends": {"type": "dict", "default": {}},
            }
        )
        host = str((task_vars or {})["inventory_hostname"])
        lines = rotation.lines(plain(args["stack"]), plain(args["services"]), plain(args["key_ends"]), host)
        Display().display("\n".join(lines))
        return result | {"changed": False, "lines": lines}
