# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what `up` has to do with the containers of a stack."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain
from ready.docker.images_in_use import images_in_use  # Ansible offers module_utils to modules alone
from ready.docker.plan import make_plan


class ActionModule(ActionBase):
    """See library/stack_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find the image of each container, then compare."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "images": {"type": "dict", "default": {}},
                "services": {"type": "list", "elements": "str", "default": []},
            }
        )
        stack, state = plain(args["stack"]), plain(args["state"])
        images = images_in_use(stack, state, plain(args["images"]))
        plan = make_plan(stack, state, images, plain(args["services"]))
        return result | {"changed": False, "plan": {**plan, "images": images}}
