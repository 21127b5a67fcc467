# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask the compatibility matrix what is to be upgraded, and refuse what it refuses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.upgrades import compatibility, plan


class ActionModule(ActionBase):
    """See library/upgrade_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the matrix, decide."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "services": {"type": "list", "elements": "str", "default": []},
                "images": {"type": "dict"},
            }
        )
        host = str((task_vars or {})["inventory_hostname"])
        stack, state, images = plain(args["stack"]), plain(args["state"]), plain(args["images"])
        moves = compatibility.moves(stack, state, compatibility.load(), images, plain(args["services"]))
        if any(move["action"] == compatibility.REFUSE for move in moves):
            raise AnsibleActionFail(compatibility.refusals(host, moves))
        return result | {
            "changed": False,
            "moves": moves,
            "wanted": [move for move in moves if move["action"] == "upgrade"],
            "lines": plan.lines(moves),
            "steps": plan.steps(stack, state, moves, images) if images else [],
        }
