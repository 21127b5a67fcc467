# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The text of a script for Windows, as it is sent in one call."""

from __future__ import annotations

import re
from pathlib import Path

#: How a script takes a file of functions in. PowerShell reads it from disk; a script that is sent has no disk there.
_DOT_SOURCED = re.compile(r'^\. "\$PSScriptRoot\\(functions\\\w+\.ps1)"$', re.MULTILINE)


def text_of(path: Path) -> str:
    """Return a script with the files of functions that it dot-sources in the place of those lines."""
    return _DOT_SOURCED.sub(
        lambda found: (path.parent / found[1].replace("\\", "/")).read_text(encoding="utf-8").rstrip("\n"),
        path.read_text(encoding="utf-8"),
    )
