# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all evidence together says: a verdict per requirement and gate, and the score. Runs on the controller.

Nothing here turns a verdict green but a figure in real, recent evidence; a waiver shows as a waiver and earns nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.verdict import FAIL, NOT_APPLICABLE, ORDER, PASS, UNKNOWN, WAIVED, worst
from ..stack.waivers import waiver_state
from .requirement_check import check_requirement
from .requirements import Group, Requirements

if TYPE_CHECKING:
    from .document import Found


def _apply_waivers(
    rows: Mapping[str, dict[str, Any]], waivers: Iterable[Mapping[str, Any]], today: date
) -> tuple[list[dict[str, Any]], list[str]]:
    """Turn what is waived into `waived`; return all waivers with their state, and a message per useless one."""
    states, messages = [], []
    for waiver in waivers:
        name, reason, until = (str(waiver.get(key) or "").strip() for key in ("id", "reason", "until"))
        state, why = "used", ""
        try:
            last = date.fromisoformat(until)
        except ValueError:
            last, state, why = today, "refused", f"until is {until or 'missing'!r}, expected a date such as 2026-12-31"
        if name not in rows:
            state, why = "refused", "no requirement has that id"
        elif not reason:
            state, why = "refused", "it has no reason"
        elif state == "used":
            state = waiver_state(last, today, needed=rows[name]["verdict"] in {FAIL, UNKNOWN})
            why = f"it ended on {until}" if state == "expired" else ""
        if why:
            messages.append(f"the waiver of {name or '(nothing)'} does not count: {why}")
        if state == "used":
            rows[name].update(verdict=WAIVED, waiver={"reason": reason, "until": until})
        states.append({"id": name, "reason": reason, "until": until, "state": state})
    return states, messages


def _points(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    def total(*verdicts: str) -> float:
        return round(float(sum(row["weight"] for row in rows if row["verdict"] in verdicts)), 2)

    return {"earned": total(PASS), "attainable": total(PASS, FAIL, UNKNOWN, WAIVED), "total": total(*ORDER)}


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counted = Counter(row["verdict"] for row in rows)
    return {verdict: counted[verdict] for verdict in ORDER if counted[verdict]}


def _group(group: Group, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    members = [rows[name] for name in group.requirements]
    return {
        "id": group.id,
        "title": group.title,
        "verdict": worst(row["verdict"] for row in members),
        "counts": _counts(members),
        "requirements": list(group.requirements),
    }


def evaluate(
    requirements: Requirements,
    found: Found,
    root: Path,
    hosts: Sequence[str],
    now: datetime,
    application: str = "",
    waivers: Iterable[Mapping[str, Any]] = (),
    windows: Mapping[str, str] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the verdict of the whole and the results of the evidence `readiness`.

    Args:
        requirements: what has to be shown.
        found: the stack's evidence.
        root: the evidence directory, which paths are named from.
        hosts: the hosts that have to show it.
        now: the moment that ages are counted from, with its time zone.
        application: the path of the application that the inventory names, "" where it names none.
        waivers: `id`, `reason` and `until` each.
        windows: distro -> the Windows host that it runs on, which shows what only Windows can.
    """
    rows = {
        name: check_requirement(item, found, hosts, windows or {}, application, root, now)
        for name, item in requirements.requirements.items()
    }
    states, refused = _apply_waivers(rows, waivers, now.date())
    sections = []
    for group in requirements.sections:
        section = _group(group, rows)
        members = [rows[name] for name in group.requirements]
        sections.append({**section, "source": group.source, "judged": group.judged, "score": _points(members)})
    judged = [rows[name] for group in requirements.sections if group.judged for name in group.requirements]
    results = {
        "hosts": list(hosts),
        "application": bool(application),
        "score": _points(list(rows.values())),
        "counts": _counts(judged),
        "sections": sections,
        "gates": [_group(gate, rows) for gate in requirements.gates],
        "requirements": list(rows.values()),
        "waivers": states,
        "faults": [*found.faults, *refused],
    }
    verdict = worst(row["verdict"] for row in judged)
    return (UNKNOWN if verdict == NOT_APPLICABLE else verdict), results
