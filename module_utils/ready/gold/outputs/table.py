# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules as rows of a table: those that are violated, or that a comment in the code allows to be."""

from __future__ import annotations

from ..engine import Result
from ..score import rows

COLUMNS = [
    {"key": "rule", "title": "Rule"},
    {"key": "severity", "title": "Severity"},
    {"key": "verdict", "title": "Verdict"},
    {"key": "found", "title": "Found"},
    {"key": "title", "title": "Expected"},
]


def table_rows(result: Result) -> list[dict[str, str]]:
    """Return a row for each rule that applies anywhere."""
    found = []
    for row in rows(result):
        if not row.applicable and not row.allowed:
            continue
        allowed = f", {row.allowed} allowed" if row.allowed else ""
        found.append(
            {
                "rule": row.rule.id,
                "severity": row.rule.severity,
                "verdict": "fail" if row.violated else "pass",
                "found": f"{row.violated} of {row.applicable} violated{allowed}",
                "title": row.rule.title,
            }
        )
    return found
