# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write digests of images into the inventory's lock."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.clock import timestamp
from ready.common.files import reason_of, write_bytes
from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.images.choice_results import lock_file


class ActionModule(ActionBase):
    """See library/image_lock_file.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the file as other hosts of this run have left it, then write it in one step."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        _, args = self.validate_argument_spec(
            {
                "path": {"type": "path", "required": True},
                "entries": {"type": "dict", "required": True},
                "renew": {"type": "bool", "default": False},
                "gone": {"type": "list", "elements": "str", "default": []},
            }
        )
        path = Path(args["path"])
        try:
            before = path.read_text(encoding="utf-8") if path.is_file() else ""
            text = lock_file(before, plain(args["entries"]), timestamp(), args["renew"], plain(args["gone"]))
            if text != before and not self._task.check_mode:
                its = path.stat() if before and os.geteuid() == 0 else None  # root may write in a user's inventory
                write_bytes(path, text.encode("utf-8"), 0o644, (its.st_uid, its.st_gid) if its else None)
        except ValueError as error:
            raise AnsibleActionFail(f"{host}: {error}") from error
        except OSError as error:
            raise AnsibleActionFail(
                f"{host}: {error.filename or path}: found {reason_of(error)}; expected the image "
                "lock, which can be read and written. Next: see to the rights of that directory, then run again"
            ) from None
        place = {"before_header": str(path), "after_header": str(path)}
        return result | {"changed": text != before, "diff": {**place, "before": before, "after": text}}
