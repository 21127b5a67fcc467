# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Push what a stack runs from, and the images that only verbs need, to the site's registry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.images import buildable_images, push_plan
from ready.images.job_images import TOOLS
from ready.stack.image_names import stack_images


class ActionModule(ActionBase):
    """See library/images_push.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look for the images, push them, say what else the registry takes."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "lock": {"type": "dict", "default": {}},
                "force": {"type": "bool", "default": False},
                "mirror": {"type": "str", "required": True},
                "username": {"type": "str", "default": ""},
                "password": {"type": "str", "default": "", "no_log": True},
                "timeout": {"type": "int", "default": 20},
            }
        )
        host, stack, state, mirror = (
            task_vars["inventory_hostname"],
            plain(args["stack"]),
            plain(args["state"]),
            args["mirror"],
        )
        if fault := push_plan.push_fault(stack, state, mirror):
            raise AnsibleActionFail(f"{host}: {fault}")
        looked: dict[str, Any] = self._execute_module(
            "community.docker.docker_image_info",
            module_args={"name": buildable_images.of_verbs(stack)},
            task_vars=task_vars,
        )
        if looked.get("failed"):
            return result | looked
        images = push_plan.to_push(stack, state, mirror)
        images |= buildable_images.tools_to_push(buildable_images.tools(looked["images"]), mirror)
        module_args = {name: args[name] for name in ("force", "username", "password", "timeout")} | {"images": images}
        answer: dict[str, Any] = self._execute_module("image_push", module_args=module_args, task_vars=task_vars)
        result.update(answer)
        if "pushed" in answer:
            pushed, known = answer["pushed"], stack_images(stack)
            recipes = buildable_images.recipes(known, list(known))
            lines = push_plan.push_lines(pushed, stack, state, mirror, plain(args["lock"]), recipes)
            lines += [
                f"{name}: {pushed[name]['action']} {pushed[name]['digest']}".rstrip()
                for name in TOOLS
                if name in pushed
            ]
            result["lines"] = [f"{host}: {line}" for line in lines]
        return result
