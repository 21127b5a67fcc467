# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say which versions a stack has, which the matrix knows, and until when they are maintained."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.upgrades import compatibility


class ActionModule(ActionBase):
    """See library/stack_versions.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the matrix, compare."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "lock": {"type": "dict", "default": {}},
            }
        )
        stack, state, lock = (plain(args[name]) for name in ("stack", "state", "lock"))
        today = date.today().isoformat()
        rows = compatibility.version_rows(stack, state, lock, compatibility.load(), today)
        return result | {"changed": False, "rows": rows}
