# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Print a table or lines, at once and readable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.cli.table import render_for  # Ansible offers module_utils to modules alone
from ready.common.plain import plain


class ActionModule(ActionBase):
    """See library/show.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "title": {"type": "str", "default": ""},
                "columns": {
                    "type": "list",
                    "elements": "dict",
                    "default": [],
                    "options": {
                        "key": {"type": "str", "required": True},
                        "title": {"type": "str", "required": True},
                        "style": {"type": "str"},
                    },
                },
                "rows": {"type": "list", "elements": "dict", "default": []},
                "lines": {"type": "list", "elements": "str", "default": []},
            }
        )
        display = Display()
        display.display(render_for(display, **args))
        result.update(changed=False, **{name: plain(args[name]) for name in ("title", "rows", "lines")})
        return result
