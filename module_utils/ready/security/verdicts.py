# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a stack's security, judged from what `CheckRunner.security` found out. Pure functions."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from ..common.check_result import CheckResult
from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, WAIVED, worst
from ..stack.backends import checked_services
from ..stack.resolved import containers, published_ports
from ..stack.waivers import waive
from .container_checks import CHECKS, Facts, run

#: The "service" of checks about the whole stack.
WHOLE = "stack"
PLACES = {"neighbour": "a machine on the host's link", "container": "a container on another Docker network"}
#: Where secrets are looked for -> title, and how anybody repeats it.
LEAKS = {
    "inspect": ("No secret is in docker inspect", "docker inspect CONTAINER | grep -F PASSWORD"),
    "logs": ("No secret is in a container's log", "docker logs CONTAINER 2>&1 | grep -F PASSWORD"),
    "images": ("No secret is in an image", "docker history --no-trunc IMAGE; docker image inspect IMAGE"),
    "processes": (
        "No secret is in any process's arguments or environment",
        "grep -aFl PASSWORD /proc/[0-9]*/cmdline /proc/[0-9]*/environ",
    ),
    "files": (
        "No secret is in what a run leaves on the host",
        "grep -rF PASSWORD /run/lock/ready-*.json /opt/ready/stacks ~/.ansible/tmp",
    ),
    "controller": (
        "No secret is in evidence, reports or temporary files on the controller",
        "grep -rF PASSWORD EVIDENCE_DIRECTORY .cache/ansible",
    ),
}
#: What is tried from a second network namespace -> which addresses, title, and how anybody repeats it.
OUTSIDE = {
    "outside": (
        "host",
        "Nobody else on the network is answered",
        "from another machine, and from a container on another network: nc -zv HOST PORT",
    ),
    "routed": (
        "container",
        "Nobody is answered who routes to the container's own address",
        "on another machine: ip route add CONTAINER_ADDRESS via HOST; nc -zv CONTAINER_ADDRESS PORT",
    ),
}
_LOOPBACK = "loopback alone"


def _check(
    service: str, name: str, title: str, how: str, outcome: tuple[str, str, str], cis: str | None = None
) -> dict[str, Any]:
    verdict, found, expected = outcome
    return {
        "id": name,
        "service": service,
        "title": title,
        "cis": cis,
        "verdict": verdict,
        "found": found,
        "expected": expected,
        "how": how,
    }


def _container(name: str, service: Mapping[str, Any], facts: Mapping[str, Any], host: Mapping[str, Any]) -> list[Any]:
    container = facts["container"]
    found = []
    for check in CHECKS:
        outcome = (UNKNOWN, facts["container_fault"] or "nothing was read", "a running container")
        if container:
            outcome = run(check, Facts(service, container, host))
        found.append(_check(name, check.id, check.title, check.how, outcome, check.cis))
    return found


def _local(service: Mapping[str, Any]) -> bool:
    return all(ipaddress.ip_address(port["bind"]).is_loopback for port in published_ports(service))


def _attempts(name: str, service: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Any]:
    if not facts["attempts"]:
        outcome = (UNKNOWN, facts["attempts_fault"] or "nothing was tried", "refused")
        return [_check(name, "attacks", "Attacks are refused", "see docs/security.md", outcome)]
    verdicts = {"refused": PASS, "succeeded": FAIL, "unknown": UNKNOWN}
    found = []
    for attempt in facts["attempts"]:
        verdict, text = verdicts[attempt["outcome"]], attempt["found"]
        if verdict == FAIL and _LOOPBACK in attempt["expected"] and _local(service):
            verdict, text = PASS, f"{text}; it is published on {service['ports'][0]['bind']}"
        found.append(
            _check(name, attempt["id"], attempt["title"], attempt["how"], (verdict, text, attempt["expected"]))
        )
    return found


def _allowed(service: Mapping[str, Any], target: Sequence[Any]) -> bool:
    """Return whether the inventory publishes this on purpose."""
    for port in service["ports"]:
        bind = ipaddress.ip_address(port["bind"])
        if int(target[1]) == int(port["host"]) and (bind.is_unspecified or str(bind) == target[0]):
            return True
    return False


def _shown(target: Sequence[Any]) -> str:
    return f"{target[0]}:{target[1]}"


def _outside(name: str, service: Mapping[str, Any], facts: Mapping[str, Any], outside: Mapping[str, Any]) -> list[Any]:
    """Return the two checks from a second network namespace: the host's addresses, and the container's own."""
    local = _local(service)
    found = []
    for check, (kind, title, how) in OUTSIDE.items():
        if kind == "host" and "front" in service:  # its sidecar has the ports
            continue
        mine = {tuple(item) for item in facts["targets"][kind]}
        answers, faults = [], []
        for place, its in outside.items():
            if its["answered"] is None:
                faults.append(f"not tried as {PLACES[place]}: {its['fault']}")
                continue
            open_to = [item for item in map(tuple, its["answered"]) if item in mine]
            if kind == "host":
                open_to = [item for item in open_to if not _allowed(service, item)]
            elif not local:  # published on purpose anyway
                open_to = []
            answers += [f"{_shown(item)} answers {PLACES[place]}" for item in open_to]
        verdict = FAIL if answers else UNKNOWN if faults or not mine else PASS
        none = f"none of {len(mine)} addresses answers" if mine else "it has no address to try"
        text = "; ".join([*answers, *faults]) or none
        expected = "no answer" if local else "an answer where the inventory publishes it alone"
        found.append(_check(name, check, title, how, (verdict, text, expected)))
    return found


def _leaks(leaks: Mapping[str, Mapping[str, Any]], passwords: int, accounts: int) -> list[Any]:
    found = []
    for place, (title, how) in LEAKS.items():
        its = leaks.get(place)
        expected = "no password, be it plain, url-encoded or base64"
        if its is None or "found" not in its:
            outcome = (UNKNOWN, (its or {}).get("fault") or "not looked for", expected)
        elif its["found"]:
            outcome = (FAIL, "; ".join(its["found"]), expected)
        elif not accounts:
            outcome = (NOT_APPLICABLE, "the stack has no password", expected)
        elif passwords < accounts:
            outcome = (
                UNKNOWN,
                f"{passwords} of the stack's {accounts} passwords could be read and looked for",
                expected,
            )
        else:
            outcome = (PASS, f"none of {passwords} passwords in {its['looked']}", expected)
        found.append(_check(WHOLE, place, title, how, outcome))
    return found


def _next(checks: Iterable[Mapping[str, Any]], external: Collection[str] = ()) -> list[str]:
    of_containers = {check.id for check in CHECKS}
    steps = []
    for check in checks:
        name, which = check["service"], check["id"]
        if check["verdict"] == UNKNOWN:
            steps.append("Next: cure what kept checks from being made, then ./ready check again.")
        elif check["verdict"] != FAIL:
            continue
        elif which in LEAKS:
            steps.append(f"Next: {check['found']}: remove it there, then ./ready secrets rotate.")
        elif name in external:
            steps.append(
                f"Next: {name}: {which}: correct its address, or ask the provider why it answers without a key."
            )
        elif which in of_containers:
            steps.append(f"Next: ./ready up makes the container of {name} what the inventory says ({which}).")
        elif which in {"outside", "routed"}:
            steps.append(f"Next: close {name} to others: docs/security.md, {which}.")
        else:
            steps.append(
                f"Next: ./ready restart --service {name} loads its accounts again, ./ready secrets rotate sets them "
                f"right ({which})."
            )
    return list(dict.fromkeys(steps))


def _rows(checks: Sequence[Mapping[str, Any]], names: Iterable[str]) -> list[dict[str, str]]:
    rows = []
    for name in names:
        mine = [check for check in checks if check["service"] == name]
        if not mine:
            continue
        verdict, counted = worst(check["verdict"] for check in mine), Counter(check["verdict"] for check in mine)
        text = ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
        waived = [check["id"] for check in mine if check["verdict"] == WAIVED]
        text += f" ({', '.join(waived)})" if waived else ""
        rows.append({"service": name, "check": "security", "verdict": verdict, "detail": text})
        rows += [
            {
                "service": name,
                "check": check["id"],
                "verdict": check["verdict"],
                "detail": f"{check['title']}: found {check['found']}, expected {check['expected']}"
                + (f" (its waiver ended on {check['waiver']['until']})" if _expired(check) else ""),
            }
            for check in mine
            if check["verdict"] in {FAIL, UNKNOWN}
        ]
    return rows


def _expired(check: Mapping[str, Any]) -> bool:
    return bool(check["waiver"]) and check["waiver"]["state"] == "expired"


def judge_security(stack: Mapping[str, Any], found: Mapping[str, Any], today: date) -> CheckResult:
    """Return the part `security` of a check.

    Args:
        stack: the resolved stack, with the waivers of each service.
        found: what `CheckRunner.security` returned.
        today: for waivers.
    """
    checks: list[dict[str, Any]] = []
    useless: list[str] = []
    for name, service in {**containers(stack), **stack.get("external", {})}.items():
        facts = found["services"][name]
        elsewhere = name in stack.get("external", {})
        mine = _attempts(name, service, facts) if elsewhere else _container(name, service, facts, found["host"])
        if elsewhere:  # it has no container, and its addresses are somebody else's
            pass
        elif name in stack["services"]:
            mine += [*_attempts(name, service, facts), *_outside(name, service, facts, found["outside"])]
        elif any(facts["targets"].values()):  # one that publishes, or listens: no other sidecar should
            mine += _outside(name, service, facts, found["outside"])
        known = {check["id"] for check in mine}
        tried = bool(facts["attempts"])  # else the attempts' ids are not there
        useless += [
            f"Next: {name}_waivers: no check is called {waiver['id']}; remove or correct it."
            for waiver in service["waivers"]
            if tried and waiver["id"] not in known
        ]
        checks += [waive(check, service["waivers"], today, (FAIL, UNKNOWN), WAIVED) for check in mine]
    accounts = sum(len(service["accounts"]) for service in checked_services(stack).values())
    checks += [{**check, "waiver": None} for check in _leaks(found["leaks"], found["passwords"], accounts)]
    return CheckResult(
        evidence="security",
        verdict=worst(check["verdict"] for check in checks),
        results={"checks": checks, "seconds": found["seconds"], "docker_version": found["host"]["docker_version"]},
        rows=_rows(checks, [*containers(stack), *stack.get("external", {}), WHOLE]),
        next=_next(checks, stack.get("external", {})) + useless,
    )


def unread_findings(stack: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Return what `CheckRunner.security` says where Docker does not answer: nothing is known."""
    return {
        "services": {
            name: {
                "container": None,
                "container_fault": reason,
                "attempts": [],
                "attempts_fault": reason,
                "targets": {"host": [], "container": []},
            }
            for name in [*containers(stack), *stack.get("external", {})]
        },
        "host": {"addresses": [], "listening": [], "apparmor": False, "docker_version": ""},
        "outside": {place: {"answered": None, "fault": reason} for place in PLACES},
        "leaks": {place: {"fault": reason} for place in LEAKS if place != "controller"},
        "passwords": 0,
        "seconds": 0.0,
    }
