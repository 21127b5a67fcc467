# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all evidence together says: a verdict per requirement and gate, and the score. Pure; runs on the controller.

Nothing here turns a verdict green but a figure in real, recent evidence; a waiver shows as a waiver and earns nothing.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import jmespath

from .evidence import Found, Item, moment
from .part import FAIL, NOT_APPLICABLE, ORDER, PASS, UNKNOWN, WAIVED, worst
from .requirements import Group, Predicate, Requirement, Requirements

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: How far the controller's clock may be behind the one that stamped the evidence; both are the controller's.
CLOCK_SLACK = timedelta(minutes=5)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def judge(predicate: Predicate, found: Any) -> str:
    """Return the verdict of a figure; one that is missing or of another kind than the objective shows nothing."""
    if predicate.operator == "==" and predicate.value == PASS:
        return found if isinstance(found, str) and found in ORDER else UNKNOWN
    if _is_number(predicate.value):
        if not _is_number(found):
            return UNKNOWN
    elif type(found) is not type(predicate.value):
        return UNKNOWN
    return PASS if OPERATORS[predicate.operator](found, predicate.value) else FAIL


def _shown(value: Any) -> str | float | bool | None:
    return (
        value
        if value is None or isinstance(value, (str, int, float, bool))
        else f"{type(value).__name__} of {len(value)}"
    )


def _doubt(requirement: Requirement, item: Item, now: datetime) -> str:
    """Return why a piece of evidence can't show anything, "" when it can."""
    document = item.evidence
    age = now - moment(document["finished_at"])
    if document["provenance"] != "real":
        return f"the evidence is {document['provenance']}: that never counts"
    if age < -CLOCK_SLACK:
        return f"the evidence is from the future ({document['finished_at']})"
    if age > timedelta(days=requirement.source.max_age_days):
        return f"the evidence is {age.days} days old, expected at most {requirement.source.max_age_days:g}"
    if document["verdict"] == UNKNOWN and not requirement.source.own_verdicts:
        return f"the evidence says itself that its data are insufficient ({requirement.evidence})"
    return ""


def _showing(requirement: Requirement, host: str, item: Item | None, root: Path, now: datetime) -> dict[str, Any]:
    if item is None:
        reason = f"no evidence of {requirement.evidence}"
        return {"host": host, "verdict": UNKNOWN, "reason": reason, "evidence": None, "figures": []}
    figures: list[dict[str, Any]] = []
    for predicate in requirement.predicates:
        found = jmespath.search(predicate.path, item.evidence)
        verdict = judge(predicate, found)
        figures.append(
            {"what": predicate.what, "found": _shown(found), "expected": predicate.expected, "verdict": verdict}
        )
    verdict, reason = worst(figure["verdict"] for figure in figures), ""
    if doubt := _doubt(requirement, item, now):
        verdict, reason = UNKNOWN, doubt
        figures = [{**figure, "verdict": UNKNOWN} for figure in figures]
    elif item.evidence["verdict"] == NOT_APPLICABLE:
        verdict, reason = NOT_APPLICABLE, f"the evidence says that {requirement.evidence} does not apply here"
        figures = []
    elif verdict == FAIL:
        failed = [figure for figure in figures if figure["verdict"] == FAIL]
        reason = "; ".join(
            f"{figure['what']}: found {figure['found']}, expected {figure['expected']}" for figure in failed
        )
    elif verdict == UNKNOWN:
        missing = [figure["what"] for figure in figures if figure["verdict"] == UNKNOWN]
        reason = f"the evidence of {requirement.evidence} says nothing usable about {', '.join(missing)}"
    elif verdict == WAIVED:
        reason = f"waived in the evidence of {requirement.evidence}"
    document = item.evidence
    return {
        "host": host,
        "verdict": verdict,
        "reason": reason,
        "evidence": {
            "path": item.path.relative_to(root).as_posix(),
            "sha256": item.sha256,
            "finished_at": document["finished_at"],
            "provenance": document["provenance"],
        },
        "figures": figures,
    }


def _row(
    requirement: Requirement,
    found: Found,
    hosts: Sequence[str],
    windows: Mapping[str, str],
    application: bool,
    root: Path,
    now: datetime,
) -> dict[str, Any]:
    """Return the verdict of one requirement, before waivers."""
    row: dict[str, Any] = {
        "id": requirement.id,
        "title": requirement.title,
        "section": requirement.section,
        "weight": requirement.weight,
        "objective": requirement.objective,
        "verdict": NOT_APPLICABLE,
        "reason": "the inventory names no application",
        "next": "",
        "waiver": None,
        "hosts": [],
    }
    if requirement.application and not application:
        return row
    if requirement.every_host:
        those = [windows.get(host, host) if requirement.windows else host for host in hosts]
        items = {host: found.hosts.get(host, {}).get(requirement.evidence) for host in those}
    else:  # shown once for the whole stack: the newest counts, whatever it says
        all_of = {
            host: names[requirement.evidence] for host, names in found.hosts.items() if requirement.evidence in names
        }
        newest = max(all_of, key=lambda host: moment(all_of[host].evidence["finished_at"]), default=None)
        items = {newest: all_of[newest]} if newest else {"any host": None}
    row["hosts"] = [_showing(requirement, host, item, root, now) for host, item in items.items()]
    row["verdict"] = worst(showing["verdict"] for showing in row["hosts"])
    decisive = next((showing for showing in row["hosts"] if showing["verdict"] == row["verdict"]), None)
    row["reason"] = decisive["reason"] if decisive else "the inventory names no host"
    if decisive and decisive["reason"] and len(row["hosts"]) > 1:
        row["reason"] = f"{decisive['host']}: {decisive['reason']}"
    how, deeper = requirement.source.how, requirement.source.deeper
    if requirement.windows and decisive and decisive["host"] in windows.values():
        how = deeper = requirement.windows
    if row["verdict"] == FAIL:
        row["next"] = f"cure it, then {deeper}"
    elif row["verdict"] == UNKNOWN:
        row["next"] = deeper if decisive and decisive["evidence"] else how
    return row


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
        elif state == "used" and today > last:
            state, why = "expired", f"it ended on {until}"
        elif state == "used" and rows[name]["verdict"] not in {FAIL, UNKNOWN}:
            state = "not needed"
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
    application: bool = False,
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
        application: whether the inventory names an application.
        waivers: `id`, `reason` and `until` each.
        windows: distro -> the Windows host that it runs on, which shows what only Windows can.
    """
    rows = {
        name: _row(item, found, hosts, windows or {}, application, root, now)
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
        "application": application,
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
