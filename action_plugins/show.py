# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Print a table or lines, at once and readable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils import color
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.table import render, width  # Ansible offers module_utils to modules alone


def on_terminal() -> bool:
    """Return whether there seems to be one: Ansible colours its output without being told to."""
    return bool(color.ANSIBLE_COLOR and not constants.ANSIBLE_FORCE_COLOR)


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
        # Ansible decides about colour as everybody expects: terminal, NO_COLOR, ANSIBLE_NOCOLOR, ANSIBLE_FORCE_COLOR.
        display.display(render(**args, width=width(display.columns, on_terminal()), colour=bool(color.ANSIBLE_COLOR)))
        result.update(changed=False)
        return result
