# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask the registry for today's digests of all images that may be obtained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.images import buildable_images, choice_results


class ActionModule(ActionBase):
    """See library/image_lock.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the module, compare with the lock."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "lock": {"type": "dict", "default": {}},
                "mirror": {"type": "str", "default": ""},
                "username": {"type": "str", "default": ""},
                "password": {"type": "str", "default": "", "no_log": True},
                "timeout": {"type": "int", "default": 20},
            }
        )
        images = buildable_images.known(plain(args["stack"]))
        module_args = {name: args[name] for name in ("mirror", "username", "password", "timeout")}
        module_args |= {
            "images": choice_results.wanted(images, list(images)),
            "wanted": choice_results.sources(list(images), "registry", {}),
            "recipes": buildable_images.recipes(images, list(images)),
        }
        answer: dict[str, Any] = self._execute_module("image_sources", module_args=module_args, task_vars=task_vars)
        if "choices" not in answer:
            return result | answer
        found, host = answer["choices"], str(task_vars["inventory_hostname"])
        if faults := choice_results.lock_faults(found, images):
            raise AnsibleActionFail("\n".join(f"{host}: {fault}" for fault in faults))
        gone = choice_results.unlockable(found, images)
        return result | {
            "changed": False,
            "new_locks": choice_results.new_locks(found),
            "gone": list(gone),
            "lines": choice_results.lock_lines(found, plain(args["lock"]), gone),
        }
