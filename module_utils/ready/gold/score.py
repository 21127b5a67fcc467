# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the findings of a project are worth: per rule, in all, and in the rows of ADR-009.

The score begins at 100. Each violation takes points by its rule's severity, and all of a severity together take no more
than that severity's limit. Code that keeps the rules adds nothing, so no number of trivial files raises a score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import standing
from .engine import Result
from .judge import UNREAD
from .model import Finding, Judged, Rule, Tally, as_data
from .shown import printable
from .standing import TARGET
from .tiers import is_test

#: Severity -> points that one violation takes, and the most that all of that severity take. One critical violation is
#: below the target of 95; missing docstrings alone never are.
POINTS = {"critical": (6.0, 100.0), "high": (2.0, 60.0), "medium": (0.5, 20.0), "low": (0.1, 4.0)}
#: Findings in evidence; the number of all stands beside them.
_MOST = 500
_IMPORTS = ("GS01", "GS02", "GS03")
_MOCKS, _REGISTERED, _PARAMETERS, _UNIX = "GS16", "GS04", "SEC01", "WIN01"


@dataclass(frozen=True, slots=True)
class Row:
    """A rule's part: how many places it applies to, how many keep it, violate it, or are allowed not to."""

    rule: Rule
    applicable: int
    compliant: int
    violated: int
    allowed: int


def rows(result: Result, granted: bool = True) -> list[Row]:
    """Return a row for each rule that was asked; not granted, what a comment allows is violated."""
    tallies: dict[str, Tally] = {}
    allowed: dict[str, int] = {}
    for judged in result.judged:
        for name, tally in judged.tallies.items():
            mine = tallies.setdefault(name, Tally())
            mine.applicable += tally.applicable
            mine.compliant += tally.compliant
        for finding, _ in judged.allowed:
            allowed[finding.base] = allowed.get(finding.base, 0) + 1
            if not granted and _weighs(finding):
                tallies.setdefault(finding.base, Tally()).applicable += 1
    found = []
    for rule in result.rules:
        tally = tallies.get(rule.id, Tally())
        violated = tally.applicable - tally.compliant
        found.append(Row(rule, tally.applicable, tally.compliant, violated, allowed.get(rule.id, 0)))
    return found


def _weighs(finding: Finding) -> bool:
    """Tell whether what a comment allows says anything about the application: what a unit test plants does not."""
    return finding.base == _MOCKS or not is_test(finding.path)


def score(parts: Iterable[Row], unread: int = 0) -> float:
    """Return the score, from 0 to 100. A file that can't be read as Python costs as much as a critical violation."""
    violated = dict.fromkeys(POINTS, 0)
    violated["critical"] += unread
    for row in parts:
        violated[row.rule.severity] += row.violated
    lost = sum(min(count * POINTS[name][0], POINTS[name][1]) for name, count in violated.items())
    return round(max(0.0, 100.0 - lost), 1)


def unread_files(result: Result) -> list[str]:
    """Return the files that can't be read as Python."""
    return [item.path for item in result.judged if UNREAD in item.tallies]


def _percent(row: Row | None) -> float | None:
    """Return the share of places that keep a rule, in percent: None where it was not asked, 100 where none applies.

    It is rounded down: 100 is all of them.
    """
    if row is None:
        return None
    return math.floor(1000.0 * row.compliant / row.applicable) / 10 if row.applicable else 100.0


def figures(result: Result, granted: bool = True) -> dict[str, float | None]:
    """Return the figures of ADR-009's rows: None where a rule was not asked, or there is no application."""
    parts = rows(result, granted)
    by_id = {row.rule.id: row for row in parts}
    code = result.sdk_files > 0
    return {
        "score": score(parts, len(unread_files(result))) if result.kailash else None,
        "unix_only_imports": _violated(by_id, _UNIX),
        "mocking_violations": _violated(by_id, _MOCKS),
        "import_violations": _violated(by_id, *_IMPORTS),
        "registered_percent": _percent(by_id.get(_REGISTERED)) if code else None,
        "parameter_security_percent": _percent(by_id.get(_PARAMETERS)) if code else None,
    }


def _sorted(judged: Sequence[Judged], severity: Mapping[str, str]) -> list[Finding]:
    """Return all findings, the worst first."""
    order = {name: place for place, name in enumerate(POINTS)}
    found = [finding for item in judged for finding in item.findings]
    return sorted(
        found, key=lambda item: (order[severity.get(item.base, "critical")], item.path, item.line, item.column)
    )


def results(
    result: Result, previous: Mapping[str, Any] | None = None, everything: Result | None = None
) -> dict[str, Any]:
    """Return the results of the evidence.

    Args:
        result: what the rules say.
        previous: the results of the evidence before, for the trend.
        everything: what they say when no pattern leaves code out; None where none does.
    """
    parts = rows(result)
    by_id = {row.rule.id: row for row in parts}
    findings = _sorted(result.judged, {rule.id: rule.severity for rule in result.rules})
    its = figures(result)
    found: dict[str, Any] = its | {
        "score_target": TARGET,
        "without_allowances": standing.without_allowances(
            its, figures(everything or result, granted=False), result.sdk_files
        ),
        "sdk_files": result.sdk_files,
        "nodes": by_id[_REGISTERED].applicable if _REGISTERED in by_id else 0,
        "parameters": by_id[_PARAMETERS].applicable if _PARAMETERS in by_id else 0,
        "rules": [_row(row) for row in parts],
        "findings": [as_data(item) for item in findings[:_MOST]],
        "findings_total": len(findings),
        "allowed": [
            {"rule": finding.rule, "path": printable(finding.path), "line": finding.line, "reason": reason}
            for item in result.judged
            for finding, reason in item.allowed
        ],
        "files": len(result.judged),
        "files_left_out": len(everything.judged) - len(result.judged) if everything else 0,
        "unread": len(unread_files(result)),
        "lines": result.lines,
        "seconds": round(result.seconds, 2),
    }
    return found | {"trend": standing.trend(found, previous)}


def _violated(by_id: Mapping[str, Row], *names: str) -> int | None:
    """Return the number of violations of some rules, None where one of them was not asked."""
    if any(name not in by_id for name in names):
        return None
    return sum(by_id[name].violated for name in names)


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.rule.id,
        "title": row.rule.title,
        "severity": row.rule.severity,
        "applicable": row.applicable,
        "compliant": row.compliant,
        "violated": row.violated,
        "allowed": row.allowed,
    }
