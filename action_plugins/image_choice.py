# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask a host where its images can come from, with what the controller knows of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.images import buildable_images, choice_results
from ready.images.manifest import read_archives


class ActionModule(ActionBase):
    """See library/image_choice.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Gather, ask the module, sort its answer."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "names": {"type": "list", "elements": "str", "required": True},
                "bound": {"type": "dict", "default": {}},
                "state": {"type": "dict", "default": {}},
                "lock": {"type": "dict", "default": {}},
                "archive_dir": {"type": "str", "default": ""},
                "refresh": {"type": "bool", "default": False},
                "foresee": {"type": "bool", "default": False},
                "mirror": {"type": "str", "default": ""},
                "username": {"type": "str", "default": ""},
                "password": {"type": "str", "default": "", "no_log": True},
                "timeout": {"type": "int", "default": 20},
            }
        )
        stack, names = plain(args["stack"]), plain(args["names"])
        images = buildable_images.known(stack)
        manifest = Path(args["archive_dir"]).expanduser() / "manifest.json" if args["archive_dir"] else None
        text = manifest.read_text(encoding="utf-8") if manifest and manifest.is_file() else None
        archives = read_archives(args["archive_dir"], text)
        module_args = {name: args[name] for name in ("mirror", "lock", "foresee", "username", "password", "timeout")}
        module_args |= {
            "images": choice_results.wanted(images, names),
            "wanted": choice_results.sources(names, stack["image_source"], plain(args["bound"])),
            "archives": archives["images"],
            "archive_reason": archives["reason"],
            "recipes": buildable_images.recipes(images, names, args["refresh"]),
            "held": choice_results.held(plain(args["state"])),
        }
        answer: dict[str, Any] = self._execute_module("image_sources", module_args=module_args, task_vars=task_vars)
        result.update(answer)
        if "choices" not in answer:
            return result
        found = answer["choices"]
        return result | {
            "archives": archives["images"],
            "recipes": module_args["recipes"],
            "versions": {name: images[name]["image"] for name in names},
            "by_source": choice_results.by_source(found),
            "missing": choice_results.missing(answer["looked"]),
            "unavailable": choice_results.foreseen(found),
            "new_locks": choice_results.new_locks(found),
            "lines": choice_results.lines(found, str(task_vars["inventory_hostname"])),
        }
