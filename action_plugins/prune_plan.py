# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find what prune removes: images and data that nothing needs, and what interrupted runs left."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready.common.plain import plain  # noqa: E402
from ready.docker.removal_plan import prunable  # noqa: E402  # Ansible offers module_utils to modules alone

CONTAINERS = {"containers": True, "containers_all": True, "verbose_output": True}


class ActionModule(ActionBase):
    """See library/prune_plan.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask Docker and the record, then decide."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "kept": {"type": "bool", "default": False},
            }
        )
        answers: dict[str, dict[str, Any]] = {}
        for module, module_args in (
            ("community.docker.docker_host_info", CONTAINERS),
            ("community.docker.docker_image_info", {}),
            ("image_record", {}),
        ):
            answer: dict[str, Any] = self._execute_module(module, module_args=module_args, task_vars=task_vars)
            if answer.get("failed"):
                return result | answer
            answers[module.rpartition(".")[2]] = answer
        containers, images = answers["docker_host_info"]["containers"], answers["docker_image_info"]["images"]
        recipes = [path.parent.name for path in (ROOT / "images").glob("*/Containerfile")]
        recorded = answers["image_record"]["ids"]
        stack, state = plain(args["stack"]), plain(args["state"])
        plan = prunable(
            {"containers": containers, "images": images}, stack, state, args["kept"], recipes=recipes, recorded=recorded
        )
        return result | {"changed": False, "plan": plan}
