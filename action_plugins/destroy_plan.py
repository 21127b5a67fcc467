# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find what `destroy` removes: what carries the stack's label, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain
from ready.docker.removal_plan import removal  # Ansible offers module_utils to modules alone


class ActionModule(ActionBase):
    """See library/destroy_plan.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask Docker for the sizes of volumes where it answers, then decide."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "volumes": {"type": "bool", "default": False},
            }
        )
        state, details = plain(args["state"]), {}
        if state["reachable"]:
            answer: dict[str, Any] = self._execute_module(
                "stack_details", module_args={"stack": args["stack"]}, task_vars=task_vars
            )
            if answer.get("failed"):
                return result | answer
            details = plain(answer["details"])
        plan = removal(state, plain(args["stack"]), details, args["volumes"])
        return result | {"changed": False, "plan": plan}
