# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make `ready_images` of the sources that were chosen, and ask images for their versions where that is not known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase, VariableLayer

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.images import buildable_images, choice_results


class ActionModule(ActionBase):
    """See library/image_result.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Put together, ask the module, register."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "choices": {"type": "dict", "required": True},
                "built": {"type": "list", "elements": "dict", "default": []},
            }
        )
        images = choice_results.refs(
            plain(args["choices"]), buildable_images.known(plain(args["stack"])), plain(args["built"])
        )
        unknown = choice_results.without_facts(images)
        if unknown and not self._task.check_mode:
            answer: dict[str, Any] = self._execute_module(
                "image_facts", module_args={"images": unknown}, task_vars=task_vars
            )
            if "images" not in answer:
                return result | answer
            images = {name: image | answer["images"].get(name, {}) for name, image in images.items()}
        self.register_host_variables({"ready_images": images}, VariableLayer.EPHEMERAL_FACT)
        return result | {"changed": False, "images": images}
