# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remove values of rows, which are users' data, from the output of PostgreSQL's programs: others read evidence."""

from __future__ import annotations

import re

_CUT = "…"
_PREFIX = r"^(?:psql:\S+?:\d+: |pg_restore: (?:error: )?)?"
_ERROR = re.compile(r"\b(?:ERROR|FATAL|PANIC):\s+(?:(?P<code>[0-9A-Z]{5}): )?(?P<words>.*)$")
#: Of the class "data exception": "invalid input syntax for type integer: "…"", "value "…" is out of range".
_VALUES = (re.compile(r'(?P<before>: )"[^\n]*'), re.compile(r'(?P<before>\bvalue )".*"(?= )'))
_QUOTED = re.compile(r'"[^"\n]*(?:"|$)')
_ROWS = re.compile(rf"{_PREFIX}DETAIL:")
#: The row, or the column, that COPY or a parser of JSON was at.
_AT = re.compile(r"((?:COPY .+?|JSON data), line \d+(?:, column [^:\n]+)?): .*$")
_LABEL = re.compile(
    r"^(?:psql:|pg_restore: |LINE \d+:|QUERY:|CONTEXT:|DETAIL:|HINT:|STATEMENT:|LOCATION:|Command was: |"
    r"(?:SCHEMA|TABLE|COLUMN|DATATYPE|CONSTRAINT) NAME:|ERROR:|FATAL:|PANIC:|COPY |PL/\w+ function |SQL \w+ )"
)


def _error(line: str) -> tuple[str, bool]:
    """Return a line that names an error without values, and whether a value may go on in the next one."""
    found = _ERROR.search(line)
    if not found:
        return line, False
    words, code = found["words"], found["code"]
    cut = words
    for sign in _VALUES:
        cut = sign.sub(rf'\g<before>"{_CUT}"', cut)
    if code and code.startswith("22"):
        cut = _QUOTED.sub(f'"{_CUT}"', cut)
    return line[: found.start("words")] + cut, cut != words


def without_rows(text: str) -> str:
    """Return what psql or pg_restore printed, without rows and values of columns; names of objects stay."""
    lines: list[str] = []
    dropping = False
    for line in text.splitlines():
        if dropping and not _LABEL.match(line):
            continue
        dropping = bool(_ROWS.match(line))
        if not dropping:
            cut, dropping = _error(line)
            lines.append(_AT.sub(r"\1", cut))
    return "\n".join(lines)
