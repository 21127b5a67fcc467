# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pack the files of config volumes into one string for a module, which Ansible does not log."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from .redaction import register_secrets

if TYPE_CHECKING:
    from ..common.config_file import File

#: Characters that a key has at least (secretsfile.py).
_SHORTEST = 12


def pack_files(files: Mapping[str, Iterable[File]]) -> str:
    """Return service -> files as JSON: service to path to mode and base64 content."""
    return json.dumps(
        {
            name: {file.path: {"mode": file.mode, "content": base64.b64encode(file.content).decode()} for file in its}
            for name, its in files.items()
        }
    )


def unpack_files(text: str) -> dict[str, dict[str, tuple[int, bytes]]]:
    """Return service -> path -> (mode, content) of what `pack_files` returned."""
    files = {
        name: {path: (entry["mode"], base64.b64decode(entry["content"])) for path, entry in its.items()}
        for name, its in json.loads(text).items()
    }
    for its in files.values():
        for path, (_, content) in its.items():
            text = content.decode(errors="replace")
            if path.startswith("secrets/") or path.endswith(".key"):
                register_secrets(text.splitlines())
            elif path.endswith(".map"):  # of keys, among other words
                register_secrets(word for word in text.split() if len(word) >= _SHORTEST)
    return files
