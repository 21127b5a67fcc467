# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `check` found, put together: the parts health and drift, and what all parts say as one. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .container import SIDECARS, containers, summary
from .part import FAIL, NOT_APPLICABLE, PASS, Part, worst
from .plan import images_in_use
from .remedies import remedies
from .status import checked, drift, health_results, human_size, kept_lines, unwanted

#: The parts of a check, in the order in which they are asked; `latency` last, when nothing else runs.
PARTS = ("health", "drift", "security", "network", "latency")
#: Figures that a row has room for.
_SHOWN = 3


def _figures(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in list(figures.items())[:_SHOWN])


def _differing(stack: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: summary(drift(stack, name, state["services"][name])) for name in containers(stack)}


def _container(service: Mapping[str, Any], found: Mapping[str, Any], state: str) -> tuple[str, str]:
    """Return (what there is to say about a container, what cures it when that is known)."""
    name, text, cure = service["name"], state, ""
    if found.get("oom_killed"):
        limit = human_size(service["limits"]["memory"])
        text = f"{state}: killed for lack of memory, its limit is {limit}"
        cure = f"Next: set {name}_memory higher than {limit}, or find what needed so much, then ./ready up."
    elif not found.get("running") and found.get("exit_code"):
        text = f"{state} with code {found['exit_code']}"
    elif state == "paused":
        cure = f"Next: ./ready start --service {name}, or ./ready up: both end the pause."
    if found.get("restarts"):
        text += f"; Docker has restarted it {found['restarts']} times"
    return text, cure


def health_part(stack: Mapping[str, Any], state: Mapping[str, Any], asked: Mapping[str, Any]) -> Part:
    """Return what the services answered, as the part that the evidence `health` is made of.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        asked: service -> {verdict, seconds, checks}, as `service_health` returns it; empty when nothing was asked.
    """
    results = health_results(stack, state, images_in_use(stack, state, {}), {})
    part = Part("health", PASS, results)
    for name, differing in _differing(stack, state).items():
        answer, sidecar = asked.get(name, {}), name in results.get("sidecars", {})
        its = results["sidecars" if sidecar else "services"][name]
        its |= {"drift": differing} if sidecar else {"checks": answer.get("checks", {}), "drift": differing}
        shown = its["state"]
        # A sidecar is not asked beyond its own health test: while that is not due yet nothing is wrong.
        well = shown == "healthy" or (sidecar and shown == "starting")
        # Docker's own health comes after a whole interval; a container that has just started and answers is well.
        if shown == "starting" and answer.get("verdict") == PASS:
            well, its["state"] = True, "healthy"
        text, cure = _container(containers(stack)[name], state["services"][name], shown)
        part.rows.append({"service": name, "check": "container", "verdict": PASS if well else FAIL, "detail": text})
        for check, outcome in its.get("checks", {}).items():
            part.rows.append(
                {
                    "service": name,
                    "check": check,
                    "verdict": outcome["verdict"],
                    "took": f"{outcome['seconds'] * 1000:.0f} ms",
                    "detail": outcome["detail"] or _figures(outcome["figures"]),
                }
            )
            well = well and outcome["verdict"] != FAIL
        if not well:
            part.verdict = FAIL
            known = [cure] if cure else remedies(name, its.get("checks", {}))
            part.next += known or [f"Next: ./ready logs --service {name}; ./ready up starts it again if it is down."]
    return part


def _unwanted_next(service: str, kind: str, name: str) -> list[str]:
    """Return what can be done about what the inventory does not name; nothing where it is not known whose it is."""
    if kind == "network":
        return [f"Next: docker network rm {name} removes what nothing uses."]
    if service == "?":
        return []
    again = f"set {SIDECARS[service]} to true" if service in SIDECARS else f"name {service} in ready_services"
    return [f"Next: {again} again: the volume {name} holds its data."]


def drift_part(stack: Mapping[str, Any], state: Mapping[str, Any]) -> Part:
    """Return where containers and secret files differ from the inventory, and what it does not name."""
    part = Part("", FAIL if state["others"] else PASS, {})
    for name, differing in _differing(stack, state).items():
        part.rows.append(
            {
                "service": name,
                "check": "drift",
                "verdict": FAIL if differing else PASS,
                "detail": "; ".join(differing) or "none",
            }
        )
        if differing:
            part.verdict = FAIL
            container = containers(stack)[name]["container"]
            part.next.append(f"Next: ./ready up puts {container} back as the inventory has it; its data stay.")
    for item in state["others"]:
        part.rows.append(
            {
                "service": item["service"] or "?",
                "check": "drift",
                "verdict": FAIL,
                "detail": f"the inventory does not name {item['name']}",
            }
        )
    for service, kind, name in unwanted(stack, state):
        detail = f"the inventory does not name the {kind} {name}; it is kept"
        part.rows.append({"service": service, "check": "drift", "verdict": NOT_APPLICABLE, "detail": detail})
        part.next += _unwanted_next(service, kind, name)
    part.next += kept_lines(state, stack["name"])
    return part


def to_verify(state: Mapping[str, Any], evidence: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether `up --verify` must check: nothing was checked since the containers began, or a fault is known.

    Args:
        state: what `stack_state` read.
        evidence: name -> the stack's evidence of that name, of all parts; {results: {}} where there is none.
    """
    health = evidence["health"]
    return (
        not checked(health["results"])
        or health["verdict"] != PASS
        or any(its.get("verdict") == FAIL for its in evidence.values())
        or any(its.get("drift") for its in health["results"]["services"].values())
        or bool(state["others"])
    )


def combine(stack: Mapping[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
    """Return what all parts say together.

    Args:
        stack: the resolved stack; its services give the order of the rows.
        parts: what was asked, in that order.

    Returns:
        {verdict: the worst one, failed: what failed, a word or two each, evidence: [{name, verdict, results}],
        rows: grouped by service, next: [str] without repetition}
    """
    order = [*containers(stack)]
    rows = [row for part in parts for row in part.rows]
    rows.sort(key=lambda row: order.index(row["service"]) if row["service"] in order else len(order))
    return {
        "verdict": worst(part.verdict for part in parts),
        "failed": [f"{row['service']} {row['check']}" for row in rows if row["verdict"] == FAIL],
        "evidence": [
            {"name": part.evidence, "verdict": part.verdict, "results": part.results} for part in parts if part.evidence
        ],
        "rows": rows,
        "next": list(dict.fromkeys(line for part in parts for line in part.next)),
    }
