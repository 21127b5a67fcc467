# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply waivers to security checks: which check, why, and until when. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

KEYS = ("id", "reason", "until")


def plain_waivers(variable: str, waivers: Iterable[Any]) -> tuple[list[dict[str, str]], list[str]]:
    """Return waivers as texts, and a message per one that can't count. `variable` is where they come from."""
    found, faults = [], []
    for number, waiver in enumerate(waivers):
        if not isinstance(waiver, Mapping) or set(waiver) != set(KEYS):
            shown = sorted(map(str, waiver)) if isinstance(waiver, Mapping) else waiver
            faults.append(f"{variable}[{number}]: found {shown}, expected the keys {', '.join(KEYS)}")
            continue
        its = {key: str(waiver[key] if waiver[key] is not None else "").strip() for key in KEYS}
        if not its["reason"]:
            faults.append(f"{variable}[{number}]: the waiver of {its['id']} has no reason")
        try:
            date.fromisoformat(its["until"])
        except ValueError:
            faults.append(f"{variable}[{number}]: until: found {its['until']!r}, expected a date such as 2027-12-31")
        found.append(its)
    return found, faults


def waiver_state(last: date, today: date, *, needed: bool) -> str:
    """Return "used", "not needed" or "expired"; a waiver counts through its last day."""
    return "expired" if today > last else "used" if needed else "not needed"


def waive(
    check: Mapping[str, Any], waivers: Iterable[Mapping[str, str]], today: date, waivable: Iterable[str], word: str
) -> dict[str, Any]:
    """Return a check with the waiver that names it.

    Args:
        check: its id and verdict are read.
        waivers: of the check's service; the last one of an id counts.
        today: a waiver counts through its last day.
        waivable: verdicts that a waiver turns into `word`.
    """
    waiver = {item["id"]: item for item in waivers}.get(check["id"])
    if waiver is None:
        return {**check, "waiver": None}
    needed = check["verdict"] in set(waivable)
    state = waiver_state(date.fromisoformat(waiver["until"]), today, needed=needed)
    shown = {"reason": waiver["reason"], "until": waiver["until"], "state": state}
    return {**check, "verdict": word if state == "used" else check["verdict"], "waiver": shown}
