# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say which images go into archives: those of the stack's containers, and those of verbs that are there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain
from ready.docker.images_in_use import images_in_use  # Ansible offers module_utils to modules alone
from ready.images import buildable_images
from ready.stack.image_names import stack_images


class ActionModule(ActionBase):
    """See library/images_to_save.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Refuse what is not there, look for the rest."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {"stack": {"type": "dict", "required": True}, "state": {"type": "dict", "required": True}}
        )
        stack = plain(args["stack"])
        images = images_in_use(stack, plain(args["state"]), {})
        if missing := [name for name in stack_images(stack) if name not in images]:
            found = f"no image is in use of {', '.join(missing)}"
            raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {found}. Next: ./ready up, then save.")
        looked: dict[str, Any] = self._execute_module(
            "community.docker.docker_image_info",
            module_args={"name": buildable_images.of_verbs(stack)},
            task_vars=task_vars,
        )
        if looked.get("failed"):
            return result | looked
        return result | {"changed": False, "images": images | buildable_images.tools(looked["images"])}
