# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What evidence shows of one requirement: its figures, its verdict and the next step. Runs on the controller."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jmespath

from ..checks.status import OFF
from ..common.clock import parse_timestamp
from ..common.verdict import FAIL, NOT_APPLICABLE, ORDER, PASS, UNKNOWN, WAIVED, worst
from .requirements import NOT_BUILT, Predicate, Requirement

if TYPE_CHECKING:
    from .document import Found, Item

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
_COUNTS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


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
    age = now - parse_timestamp(document["finished_at"])
    if document["provenance"] != "real":
        return f"the evidence is {document['provenance']}: that never counts"
    if age < -CLOCK_SLACK:
        return f"the evidence is from the future ({document['finished_at']})"
    if age > timedelta(days=requirement.source.max_age_days):
        return f"the evidence is {age.days} days old, expected at most {requirement.source.max_age_days:g}"
    if document["verdict"] == UNKNOWN and not requirement.source.own_verdicts:
        return f"the evidence says itself that its data are insufficient ({requirement.evidence})"
    return ""


def _unsure(requirement: Requirement, figures: Sequence[Mapping[str, Any]]) -> str:
    """Return why figures can't be judged, "" when they can: a part that says itself that it was not measured well."""
    if requirement.source.own_verdicts:
        for predicate, figure in zip(requirement.predicates, figures, strict=True):
            if predicate.value == PASS and figure["found"] == UNKNOWN:
                return f"the evidence of {requirement.evidence} says itself that its {predicate.what} shows nothing"
    return ""


def _switched_off(requirement: Requirement, figures: Sequence[Mapping[str, Any]], item: Item) -> str:
    """Return how many services there are without those that are switched off, "" where more than that is wrong."""
    off = _found_off(requirement, figures)
    if not off or any(figure["verdict"] == FAIL and figure["found"] != OFF for figure in figures):
        return ""
    its = item.evidence["results"]["services"]
    titles = " and ".join(its[name].get("title", name) for name in off)
    if len({predicate.service for predicate in requirement.predicates}) == 1:
        return f"{titles} switched off"
    count, total = (_COUNTS[number] for number in (len(figures) - len(off), len(figures)))
    return f"{count} of {total}, {titles} switched off"


def _found_off(requirement: Requirement, figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the services whose state is that they are switched off."""
    pairs = zip(requirement.predicates, figures, strict=bool(figures))
    return [predicate.service for predicate, figure in pairs if figure["found"] == OFF]


def _behind(predicate: Predicate, item: Item) -> str:
    """Return, of the state of a service that clients meet through a sidecar, what its evidence says about that."""
    its = item.evidence["results"].get("services", {}).get(predicate.service, {})
    return f" ({its['detail']})" if "front" in its and its.get("detail") and predicate.path.endswith(".state") else ""


def _of_another(requirement: Requirement, item: Item, health: Item | None) -> str:
    """Return why evidence is of what served a service before, "" where it is of what serves it now, as health says."""
    if requirement.evidence == "health" or health is None:
        return ""
    measured = item.evidence["results"].get("backends", {})
    for name in dict.fromkeys(predicate.service for predicate in requirement.predicates):
        its = health.evidence["results"].get("services", {}).get(name, {})
        now = {"title": "switched off"} if its.get("state") == OFF else its.get("backend")
        if now and now != (then := measured.get(name)):
            what = then["title"] if then and then["title"] != now["title"] else "what served it before"
            return f"the evidence of {requirement.evidence} is of {what}; now it is {now['title']}"
    return ""


def _of_another_application(requirement: Requirement, item: Item, application: str) -> str:
    """Return why evidence is of another application than the inventory's, "" where it is of that one."""
    if not requirement.application:
        return ""
    results = item.evidence["results"]
    path, name = results.get("path"), results.get("application", {}).get("name")
    if path in (None, application) and name in (None, Path(application).name):
        return ""
    then = path or name
    return f"the evidence of {requirement.evidence} is of the application {then}; now it is {application}"


def _showing(
    requirement: Requirement,
    host: str,
    item: Item | None,
    health: Item | None,
    application: str,
    root: Path,
    now: datetime,
) -> dict[str, Any]:
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
    doubt = _of_another_application(requirement, item, application) or _doubt(requirement, item, now)
    doubt = doubt or _of_another(requirement, item, health)
    if doubt := doubt or _unsure(requirement, figures):
        verdict, reason = UNKNOWN, doubt
        figures = [{**figure, "verdict": UNKNOWN} for figure in figures]
    elif item.evidence["verdict"] == NOT_APPLICABLE:
        verdict, reason = NOT_APPLICABLE, f"the evidence says that {requirement.evidence} does not apply here"
        figures = []
    elif verdict == FAIL:
        reason = _switched_off(requirement, figures, item) or "; ".join(
            f"{figure['what']}: found {figure['found']}, expected {figure['expected']}{_behind(predicate, item)}"
            for predicate, figure in zip(requirement.predicates, figures, strict=True)
            if figure["verdict"] == FAIL
        )
    elif verdict == UNKNOWN:
        missing = [figure["what"] for figure in figures if figure["verdict"] == UNKNOWN]
        reason = f"the evidence of {requirement.evidence} says nothing usable about {', '.join(missing)}"
    elif verdict == WAIVED:
        reason = f"waived in the evidence of {requirement.evidence}"
    elif verdict == NOT_APPLICABLE:
        reason = "there is no baseline yet"  # nothing else alone is compared with what may not be there
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


def _backends(requirement: Requirement, health: Item | None) -> str:
    """Return what serves the services of a requirement that may be served by several things, as health says."""
    services = health.evidence["results"].get("services", {}) if health else {}
    names = dict.fromkeys(predicate.service for predicate in requirement.predicates)
    found = {name: services[name]["backend"]["title"] for name in names if services.get(name, {}).get("backend")}
    return ", ".join(title if len(names) == 1 else f"{name}: {title}" for name, title in found.items())


def _off(health: Item | None) -> set[str]:
    """Return the services that the inventory has switched off, as evidence of health says."""
    services = health.evidence["results"].get("services", {}) if health else {}
    return {name for name, its in services.items() if its.get("state") == OFF}


def _switch_on(services: Sequence[str]) -> str:
    variables = " and ".join(f"{name}_backend" for name in services)
    return f"change {variables} in the inventory, then ./ready up; or waive it until a date (docs/report.md)"


def _without(requirement: Requirement, showing: Mapping[str, Any], item: Item | None, health: Item | None) -> str:
    """Return what brings figures that no verb brings: the services that they are about; "" where a verb does.

    Args:
        requirement: what has to be shown.
        showing: what its evidence shows.
        item: that evidence, None where there is none.
        health: the host's evidence of health, which may know a service that was added since.
    """
    missing = list(requirement.predicates)
    there: Collection[str] = {predicate.service for predicate in missing} - set(requirement.unbuilt)
    if item is not None:
        there = {name for its in (item, health) if its for name in its.evidence["results"].get("services", ())}
        pairs = zip(requirement.predicates, showing["figures"], strict=True)
        missing = [predicate for predicate, figure in pairs if figure["verdict"] == UNKNOWN]
    lacking = list(dict.fromkeys(predicate.service for predicate in missing))
    if off := [service for service in lacking if service in _off(health)]:
        return _switch_on(off)
    if not lacking or any(not service or service in there for service in lacking):
        return ""
    if unbuilt := [service for service in lacking if service in requirement.unbuilt]:
        return f"the service {', '.join(unbuilt)}{NOT_BUILT}"
    return f"./ready up with {', '.join(lacking)} in ready_services"


def check_requirement(
    requirement: Requirement,
    found: Found,
    hosts: Sequence[str],
    windows: Mapping[str, str],
    application: str,
    root: Path,
    now: datetime,
) -> dict[str, Any]:
    """Return the row of one requirement, before waivers.

    Args:
        requirement: what has to be shown.
        found: the stack's evidence.
        hosts: the hosts that have to show it.
        windows: distro -> the Windows host that it runs on.
        application: the path of the inventory's application, "" for none.
        root: the evidence directory, which paths are named from.
        now: the moment that ages are counted from, with its time zone.
    """
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
        newest = max(all_of, key=lambda host: parse_timestamp(all_of[host].evidence["finished_at"]), default=None)
        items = {newest: all_of[newest]} if newest else {"any host": None}
    health_of = {host: found.hosts.get(host, {}).get("health") for host in items}
    row["hosts"] = [
        {
            **_showing(requirement, host, item, health_of[host], application, root, now),
            "backend": _backends(requirement, health_of[host]),
        }
        for host, item in items.items()
    ]
    row["verdict"] = worst(showing["verdict"] for showing in row["hosts"])
    decisive = next((showing for showing in row["hosts"] if showing["verdict"] == row["verdict"]), None)
    row["reason"] = decisive["reason"] if decisive else "the inventory names no host"
    if decisive and decisive["reason"] and len(row["hosts"]) > 1:
        row["reason"] = f"{decisive['host']}: {decisive['reason']}"
    how, deeper = requirement.source.how, requirement.source.deeper
    if requirement.windows and decisive and decisive["host"] in windows.values():
        how = deeper = requirement.windows
    if row["verdict"] == FAIL:
        off = _found_off(requirement, decisive["figures"]) if decisive else []
        row["next"] = _switch_on(off) if off else f"cure it, then {deeper}"
    elif row["verdict"] == UNKNOWN:
        row["next"] = deeper if decisive and decisive["evidence"] else how
        if decisive:
            host = decisive["host"]
            row["next"] = _without(requirement, decisive, items[host], health_of[host]) or row["next"]
    return row
