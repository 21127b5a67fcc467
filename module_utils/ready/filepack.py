# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of config volumes on their way from the controller to a module: one string, which Ansible does not log."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .render import File


def pack(files: Mapping[str, Iterable[File]]) -> str:
    """Return service -> files as JSON: service to path to mode and base64 content."""
    return json.dumps(
        {
            name: {file.path: {"mode": file.mode, "content": base64.b64encode(file.content).decode()} for file in its}
            for name, its in files.items()
        }
    )


def unpack(text: str) -> dict[str, dict[str, tuple[int, bytes]]]:
    """Return service -> path -> (mode, content) of what `pack` returned."""
    return {
        name: {path: (entry["mode"], base64.b64decode(entry["content"])) for path, entry in its.items()}
        for name, its in json.loads(text).items()
    }
