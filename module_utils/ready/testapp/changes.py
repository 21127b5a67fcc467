# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the stores held before the tests and after them, compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Names that are listed of each kind.
LISTED = 20
Seen = Mapping[str, Any]


def compare(before: Seen, after: Seen, services: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return by service whether it was compared, and what was left, is gone, and was made or changed outside.

    Redis' keys may end by themselves: that there are fewer is no fault.
    """
    found = {}
    for name in services:
        first, last = before.get(name), after.get(name)
        why = next(
            (
                f"{when} the tests: {fault}"
                for when, seen, whole in (("before", first, before), ("after", last, after))
                if (fault := _fault(seen, whole))
            ),
            "",
        )
        empty: dict[str, Any] = {"compared": not why, "why": why, "left": [], "gone": [], "outside": []}
        found[name] = empty if why or first is None or last is None else empty | _changes(name, first, last)
    return found


def _fault(seen: Seen | None, whole: Seen) -> str:
    if "fault" in whole:
        return str(whole["fault"])
    if seen is None:
        return "it was not looked at"
    return str(seen.get("fault", ""))


def _changes(name: str, first: Seen, last: Seen) -> dict[str, Any]:
    own, then = first["own"], last["own"]
    left = [f"{its}{_more(own.get(its), then[its])}" for its in then if its not in own or _grew(own[its], then[its])]
    gone = [f"{its}{_more(own[its], then.get(its))}" for its in own if its not in then or _grew(then[its], own[its])]
    there, now = first["outside"], last["outside"]
    changed = [its for its in set(there) | set(now) if its not in there or its not in now or there[its] != now[its]]
    if name == "redis":  # keys end by themselves
        gone, changed = [], [its for its in changed if (now.get(its) or 0) > (there.get(its) or 0)]
    outside = [f"{its}{_more(there.get(its), now.get(its))}" for its in changed]
    return {"left": _listed(left), "gone": _listed(gone), "outside": _listed(outside)}


def _grew(before: Any, after: Any) -> bool:
    return isinstance(before, int) and isinstance(after, int) and after > before


def _more(before: Any, after: Any) -> str:
    """Return how a number changed, "" for what has none."""
    if not isinstance(before, int) and not isinstance(after, int):
        return ""
    return f" ({before if before is not None else 0} before, {after if after is not None else 0} after)"


def _listed(names: list[str]) -> list[str]:
    names = sorted(names)
    return [*names[:LISTED], f"and {len(names) - LISTED} more"] if len(names) > LISTED else names
