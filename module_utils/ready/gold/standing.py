# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How figures stand: against ADR-009's rows, without what was allowed or left out, and against the evidence before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ..common.verdict import FAIL, PASS, UNKNOWN, WAIVED, worst

#: What ADR-009 demands: R1 and Gate 1.
TARGET = 95.0
#: What its baseline demands.
BASELINE = 80.0
#: Row of the report -> its figures, and what keeps them.
_ROWS: Mapping[str, tuple[tuple[str, ...], Callable[[float], bool]]] = {
    "sdk": (("score",), lambda value: value >= BASELINE),
    "windows": (("unix_only_imports",), lambda value: value == 0),
    "imports": (("mocking_violations", "import_violations"), lambda value: value == 0),
    "registration": (("registered_percent",), lambda value: value == 100),
    "parameters": (("parameter_security_percent",), lambda value: value == 100),
    "score": (("score",), lambda value: value >= TARGET),
}


def _states(figures: Mapping[str, float | None]) -> dict[str, str]:
    """Return row -> whether its figures keep it."""
    found = {}
    for row, (names, kept) in _ROWS.items():
        values = [figures[name] for name in names]
        found[row] = worst(UNKNOWN if value is None else PASS if kept(value) else FAIL for value in values)
    return found


def without_allowances(
    figures: Mapping[str, float | None], bare: Mapping[str, float | None], sdk_files: int
) -> dict[str, str]:
    """Return row -> what it is when no comment allows a violation and no pattern leaves code out.

    `waived` is a row that is kept by these alone; without a file of an application nothing is said about one.

    Args:
        figures: those that are reported.
        bare: those without allowances.
        sdk_files: how many files of the application import the SDK.
    """
    now = _states(figures)
    if not sdk_files:
        return dict.fromkeys(now, UNKNOWN)
    return {
        row: WAIVED if state == FAIL and now[row] == PASS else worst((state, now[row]))
        for row, state in _states(bare).items()
    }


def verdict(found: Mapping[str, Any]) -> str:
    """Return the verdict of the evidence.

    `pass` takes each of ADR-009's rows, `waived` is one that a comment or a pattern keeps. Nothing is said of a project
    in which no file of an application imports the SDK, and nothing by rules that were not asked.
    """
    if found["score"] is None:
        return UNKNOWN
    return worst((*_states(found).values(), *found["without_allowances"].values()))


def _places(found: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """Return (rule, file) -> number of findings; by rule alone where evidence holds the worst of them only."""
    return Counter((item["rule"], item["path"]) for item in found["findings"])


def trend(found: Mapping[str, Any], previous: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what has changed since the evidence before, None where there is nothing to compare with.

    That are the same rules. Findings count by rule and file, since lines move; by rule where there are too many.
    """
    if not previous or previous.get("score") is None or found["score"] is None:
        return None
    now, before = (Counter({row["id"]: row["violated"] for row in its["rules"]}) for its in (found, previous))
    if now.keys() != before.keys():
        return None
    changed: tuple[Counter[Any], Counter[Any]] = (now, before)
    if all(its["findings_total"] == len(its["findings"]) for its in (found, previous)):
        changed = (_places(found), _places(previous))
    new, fixed = changed[0] - changed[1], changed[1] - changed[0]
    return {
        "score": round(found["score"] - previous["score"], 1),
        "new": new.total(),
        "fixed": fixed.total(),
    }
