# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find the error code in the output of wsl.exe, and its row in the table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .wsl_error_table import ERRORS, WslError

_NUMBERS = {row.name: row.code for row in ERRORS if row.name}
_PATH = re.compile(r"\b(?:Wsl|Wslg|WslConfig|Bash|WSL)((?:/[A-Za-z0-9_]+)+)")
_NUMBER = re.compile(r"0x[0-9a-f]{8}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Match:
    """The code in a text ("" for none) and its row; a name that the table lacks stays a name."""

    code: str
    error: WslError | None

    @property
    def shown(self) -> str:
        """The code as a message shows it, with WSL's name where it has one."""
        return f"{self.code} {self.error.name}".strip() if self.error and self.error.code else self.code


def _number(word: str) -> str:
    return _NUMBERS.get(word) or (word.lower() if _NUMBER.fullmatch(word) else word)


def find(output: str) -> Match:
    """Return the code in wsl.exe's output: that of its last path, or the last number without one."""
    if paths := _PATH.findall(output):
        *words, last = paths[-1].strip("/").split("/")
    elif numbers := _NUMBER.findall(output):
        words, last = [], numbers[-1]
    else:
        return Match("", None)
    code = _number(last)
    rows = (row for row in ERRORS if row.code in ("", code))
    fitting = (row for row in rows if not row.where or any(word in row.where for word in words))
    return Match(code, next(fitting, None))


def by_code(code: str) -> WslError:
    """Return what a number means wherever it comes up. Raises KeyError."""
    for row in ERRORS:
        if row.code == code and not row.where:
            return row
    raise KeyError(code)
