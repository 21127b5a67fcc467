# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An excerpt of what a failed program printed: short enough for a message, with the line that names the cause."""

from __future__ import annotations

import re

#: Characters of a message: of the first error on, and of the end.
FIRST, LAST = 600, 200
#: How PostgreSQL's programs, restic and the JVM begin the line that says why, and how shells do, which is less certain:
#: before it comes what went well, with names of any kind.
_ERRORS = (
    re.compile(r"\b(error|fatal|panic|exception):", re.IGNORECASE),
    re.compile(r"cannot |can't |failed|denied|no such|no space", re.IGNORECASE),
)


def excerpt(text: str | bytes) -> str:
    """Return a program's output in one line: of much the first error and the end, of little all.

    The end alone often is the statement that was tried: what was wrong with it comes before.
    """
    whole = text.decode(errors="replace") if isinstance(text, bytes) else text
    words = " ".join(whole.split())
    if len(words) <= FIRST + LAST:
        return words
    lines = whole.splitlines()
    first = next((number for sign in _ERRORS for number, line in enumerate(lines) if sign.search(line)), None)
    if first is None:
        return f"{words[:LAST]} … {words[-FIRST:]}"
    # The line before it names the object that pg_restore was at.
    why = " ".join(" ".join(lines[max(0, first - 1) :]).split())
    return why if len(why) <= FIRST + LAST else f"{why[:FIRST]} … {why[-LAST:]}"
