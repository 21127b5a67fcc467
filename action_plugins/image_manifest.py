# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write manifest.json of the archives of images on the controller."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.checksum import sha256_of
from ready.common.files import reason_of, write_text
from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.images.manifest import archive_entries, archive_file


def checksum(path: Path) -> str | None:
    """Return a file's sha256, None for one that is not there, as in check mode. Raises OSError."""
    return sha256_of(path) if path.is_file() else None


class ActionModule(ActionBase):
    """See library/image_manifest.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Compute the checksums of what was fetched, then write."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        _, args = self.validate_argument_spec(
            {"directory": {"type": "path", "required": True}, "images": {"type": "dict", "required": True}}
        )
        directory, images = Path(args["directory"]), plain(args["images"])
        path = directory / "manifest.json"
        try:
            checksums = {name: checksum(directory / archive_file(name)) for name in images}
            before = path.read_text(encoding="utf-8") if path.is_file() else ""
            text = json.dumps({"images": archive_entries(images, checksums)}, indent=4, sort_keys=True) + "\n"
            if text != before and not self._task.check_mode:
                write_text(path, text)
        except OSError as error:
            raise AnsibleActionFail(
                f"{host}: {error.filename or path}: found {reason_of(error)}; expected a "
                "directory of archives that can be read and written. Next: see to its rights, then run again"
            ) from None
        place = {"before_header": str(path), "after_header": str(path)}
        return result | {"changed": text != before, "diff": {**place, "before": before, "after": text}}
