# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of `check`: the results of health and drift, and all results as one. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..common.check_result import CheckResult
from ..common.labels import COPIES, LABEL_HOLDS
from ..common.units import human_size
from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, worst
from ..docker.drift import summary
from ..docker.images_in_use import images_in_use
from ..stack.backends import backend_title
from ..stack.resolved import containers
from ..stack.sidecars import sidecar_definitions, switchable_sidecars, with_sidecars
from .not_in_inventory import kept_lines
from .remedies import remedies
from .status import drift, fully_checked, health_results, health_verdict, is_well, service_state, unlisted

#: Figures that a row has room for.
_SHOWN = 3
#: What cures an absent container; it has no log.
_MAKE = "Next: ./ready up makes the containers that are absent."


def _figures(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in list(figures.items())[:_SHOWN])


def _differing(stack: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, list[str]]:
    found = {name: state["services"][name] for name in containers(stack)}
    return {
        name: summary(drift(stack, name, its)) if its["exists"] else ["found no container, expected one"]
        for name, its in found.items()
    }


def absent_containers(stack: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return the services and sidecars that have no container."""
    return [name for name in containers(stack) if not state["services"][name]["exists"]]


def why_unchecked(stack: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Return why there is nothing to check, with the next step; "" where there is a container."""
    if not state["reachable"]:
        return str(state["reason"])
    if len(absent_containers(stack, state)) < len(containers(stack)) or (
        stack.get("external") and not containers(stack)
    ):
        return ""
    kept = "; its volumes are there" if any(volume["ours"] for volume in state["volumes"].values()) else ""
    return f"the stack {stack['name']} is absent: found none of its containers{kept}. Next: ./ready up"


def _container(service: Mapping[str, Any], found: Mapping[str, Any], state: str) -> tuple[str, str]:
    """Return (what there is to say about a container, what cures it when that is known)."""
    name, text, cure = service["name"], state, ""
    if found.get("oom_killed"):
        limit = human_size(service["limits"]["memory"])
        text = f"{state}: killed for lack of memory, its limit is {limit}"
        cure = f"Next: set {name}_memory higher than {limit}, or find what needed so much, then ./ready up."
    elif not found.get("running") and found.get("exit_code"):
        text = f"{state} with code {found['exit_code']}"
    elif state == "absent":
        cure = _MAKE
    elif state == "paused":
        cure = f"Next: ./ready start --service {name}, or ./ready up: both end the pause."
    if found.get("restarts"):
        text += f"; Docker has restarted it {found['restarts']} times"
    return text, cure


def _check_rows(name: str, checks: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "service": name,
            "check": check,
            "verdict": outcome["verdict"],
            "took": f"{outcome['seconds'] * 1000:.0f} ms",
            "detail": outcome["detail"] or _figures(outcome["figures"]),
        }
        for check, outcome in checks.items()
    ]


def _endpoint_rows(service: Mapping[str, Any], answer: Mapping[str, Any], its: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an endpoint elsewhere, and note in `its` what it answered. It has no container to look at."""
    if answer:
        its |= {"state": "healthy" if answer["verdict"] != FAIL else "unhealthy", "detail": "", "drift": []}
        its["checks"] = answer["checks"]
    verdict = {"healthy": PASS, "unhealthy": FAIL}.get(its["state"], UNKNOWN)
    detail = "; ".join(filter(None, [f"{backend_title(service)} {service['base_url']}", its["detail"]]))
    first = {"service": service["name"], "check": "backend", "verdict": verdict, "detail": detail}
    return [first, *_check_rows(service["name"], its.get("checks", {}))]


def _endpoint_next(its: Mapping[str, Any]) -> list[str]:
    """Return the next steps that failed checks of an endpoint name themselves."""
    details = [check["detail"] for check in its.get("checks", {}).values() if check["verdict"] == FAIL]
    return [f"Next: {step}" for detail in details if (step := detail.partition("Next: ")[2])]


def health_result(stack: Mapping[str, Any], state: Mapping[str, Any], asked: Mapping[str, Any]) -> CheckResult:
    """Return what the services answered, which the evidence `health` is made of.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        asked: service -> {verdict, seconds, checks}, as `service_health` returns it; empty when nothing was asked.
    """
    results = health_results(stack, state, images_in_use(stack, state, {}), {})
    result = CheckResult("health", PASS, results)
    for name, differing in _differing(stack, state).items():
        answer, sidecar = asked.get(name, {}), name in results.get("sidecars", {})
        its = results["sidecars" if sidecar else "services"][name]
        its |= {"drift": differing} if sidecar else {"checks": answer.get("checks", {}), "drift": differing}
        shown = service_state(state["services"][name])  # without that of its front, which has a row
        # Docker's own health comes after a whole interval; a container that has just started and answers is well.
        answers = answer.get("verdict") == PASS
        if its["state"] == "starting" and answers:
            its |= {"state": "healthy", "detail": ""}
        own = "healthy" if shown == "starting" and answers else shown
        well = is_well({"state": own}, sidecar=sidecar)
        text, cure = _container(containers(stack)[name], state["services"][name], shown)
        result.rows.append({"service": name, "check": "container", "verdict": PASS if well else FAIL, "detail": text})
        result.rows += _check_rows(name, its.get("checks", {}))
        if not is_well({**its, "state": own}, sidecar=sidecar):
            known = [cure] if cure else remedies(name, its.get("checks", {}))
            result.next += known or [f"Next: ./ready logs --service {name}; ./ready up starts it again if it is down."]
    for name, service in stack.get("external", {}).items():
        result.rows += _endpoint_rows(service, asked.get(name, {}), results["services"][name])
        result.next += _endpoint_next(results["services"][name])
    for name in stack.get("off", {}):
        detail = results["services"][name]["detail"]
        result.rows.append({"service": name, "check": "backend", "verdict": NOT_APPLICABLE, "detail": detail})
    for name, why in stack.get("left_out", {}).items():
        result.rows.append({"service": name, "check": "container", "verdict": NOT_APPLICABLE, "detail": why})
    result.verdict = health_verdict(results)
    return result


def _unwanted_next(service: str, kind: str, name: str, labels: Mapping[str, str], former: Collection[str]) -> list[str]:
    """Return what can be done about what the inventory does not name; nothing where it is not known whose it is."""
    if kind == "network":
        return [f"Next: docker network rm {name} removes what nothing uses."]
    if service == "?" or service in with_sidecars(former):  # what a former container left is no data
        return []
    variable, main = switchable_sidecars().get(service), sidecar_definitions().get(service, {}).get("of", service)
    again = f"set {variable} to true" if variable else f"name {main} in ready_services"
    what = "copies, which up would make again" if labels.get(LABEL_HOLDS) == COPIES else "its data"
    return [f"Next: {again} again: the volume {name} holds {what}."]


def drift_result(stack: Mapping[str, Any], state: Mapping[str, Any]) -> CheckResult:
    """Return where containers and secret files differ from the inventory, and what it does not name."""
    result = CheckResult("", FAIL if state["others"] else PASS, {})
    for name, differing in _differing(stack, state).items():
        result.rows.append(
            {
                "service": name,
                "check": "drift",
                "verdict": FAIL if differing else PASS,
                "detail": "; ".join(differing) or "none",
            }
        )
        if name in absent_containers(stack, state):
            result.verdict = FAIL
            result.next.append(_MAKE)
        elif differing:
            result.verdict = FAIL
            container = containers(stack)[name]["container"]
            result.next.append(f"Next: ./ready up puts {container} back as the inventory has it; its data stay.")
    for item in state["others"]:
        result.rows.append(
            {
                "service": item["service"] or "?",
                "check": "drift",
                "verdict": FAIL,
                "detail": f"the inventory does not name {item['name']}",
            }
        )
    for service, kind, name in unlisted(stack, state):
        detail = f"the inventory does not name the {kind} {name}; it is kept"
        result.rows.append({"service": service, "check": "drift", "verdict": NOT_APPLICABLE, "detail": detail})
        labels = state["volumes"].get(name, {}).get("labels", {})
        result.next += _unwanted_next(service, kind, name, labels, stack.get("former", ()))
    result.next += kept_lines(state, stack["name"], former=stack.get("former", ()))
    return result


def needs_check(state: Mapping[str, Any], evidence: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether `up --verify` must check: nothing was checked since the containers began, or a fault is known.

    Args:
        state: what `stack_state` read.
        evidence: name -> the stack's evidence of that name, of all parts; {results: {}} where there is none.
    """
    health = evidence["health"]
    return (
        not fully_checked(health["results"])
        or health["verdict"] != PASS
        or any(its.get("verdict") == FAIL for its in evidence.values())
        or any(its.get("drift") for its in health["results"]["services"].values())
        or bool(state["others"])
    )


def _shown(result: CheckResult, gone: Collection[str]) -> list[dict[str, str]]:
    """Return the rows of a result; of a container that is absent the first one says all."""
    first = {row["service"]: row for row in reversed(result.rows)}
    return [row for row in result.rows if row["service"] not in gone or row is first[row["service"]]]


def empty_report(stack: Mapping[str, Any], state: Mapping[str, Any], why: str, only: Collection[str]) -> dict[str, Any]:
    """Return what `combine` does where there is no container: a line, and the evidence that nothing is healthy.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        why: what `why_unchecked` returned.
        only: the parts that are wanted; empty means all of them.
    """
    health = health_result(stack, state, {})
    health.rows, health.next = [], []
    return combine_results(stack, [health] if not only or health.evidence in only else []) | {
        "verdict": FAIL,
        "failed": [why],
        "missing": why,
    }


def combine_results(
    stack: Mapping[str, Any], check_results: Sequence[CheckResult], gone: Collection[str] = ()
) -> dict[str, Any]:
    """Return the result of the whole check.

    Args:
        stack: the resolved stack; its services give the order of the rows.
        check_results: of what was asked, in that order.
        gone: services and sidecars whose containers are absent.

    Returns:
        {verdict: the worst one, failed: what failed, a word or two each, evidence: [{name, verdict, results}],
        rows: grouped by service, next: [str] without repetition}
    """
    order = [*containers(stack), *stack.get("external", {})]
    no_logs = tuple(f"Next: ./ready logs --service {name};" for name in gone)
    steps = [line for result in check_results for line in result.next if not line.startswith(no_logs)]
    rows = [row for result in check_results for row in _shown(result, gone)]
    rows.sort(key=lambda row: order.index(row["service"]) if row["service"] in order else len(order))
    return {
        "verdict": worst(result.verdict for result in check_results),
        "failed": [f"{row['service']} {row['check']}" for row in rows if row["verdict"] == FAIL],
        "evidence": [
            {"name": result.evidence, "verdict": result.verdict, "results": result.results}
            for result in check_results
            if result.evidence
        ],
        "rows": rows,
        "next": list(dict.fromkeys(steps)),
    }
