# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the network path to a service costs: its published port against its own address. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.check_result import CheckResult
from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN

#: Round trips and connections that it takes to say what a path costs.
MIN_SAMPLES = 20
ONE_PLATFORM = "the inventory has one platform: there is no network path between two that could cost anything"
TWO_PLATFORMS = (
    "the network path from Windows is measured there: ./ready windows check leaves the evidence network of {host}"
)


def _answered(path: Mapping[str, Any]) -> bool:
    series = (path["tcp_connect"], path["round_trip"])
    return not path["reason"] and all(its["n"] >= MIN_SAMPLES and its["p95_ms"] is not None for its in series)


def _overhead(published: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the published port adds, in milliseconds: differences of percentiles, which may be negative."""
    return {
        f"{what}_{percentile}": round(published[what][percentile] - container[what][percentile], 4)
        for what in ("tcp_connect", "round_trip")
        for percentile in ("p50_ms", "p95_ms")
    }


def _judged(path: Mapping[str, Any], missing: str) -> dict[str, Any]:
    return {**path, "verdict": PASS if _answered(path) else missing}


def _row(name: str, path: Mapping[str, Any]) -> dict[str, str]:
    published, container, overhead = path["published"], path["container"], path["overhead"]
    if published["verdict"] != PASS:
        detail = f"published port: {_why(published)}"
    elif overhead is None:
        detail = (
            f"published port {published['round_trip']['p50_ms']:.3g} ms; container's own address: {_why(container)}"
        )
    else:
        inside = path["inside"]
        neighbour = f"{inside['round_trip']['p50_ms']:.3g} ms" if inside["verdict"] == PASS else _why(inside)
        detail = (
            f"published port {published['round_trip']['p50_ms']:.3g} ms, container's own address "
            f"{container['round_trip']['p50_ms']:.3g} ms, difference {overhead['round_trip_p50_ms']:.3g} ms at p50; "
            f"from another container: {neighbour}"
        )
    return {"service": name, "check": "network", "verdict": path["verdict"], "detail": detail}


def _why(path: Mapping[str, Any]) -> str:
    if path["reason"]:
        return str(path["reason"])
    trips = path["round_trip"]
    return f"{trips['errors']} of {trips['n']} without an answer: {trips['first_error'] or 'too few were made'}"


def judge_network(stack: Mapping[str, Any], answer: Mapping[str, Any], windows: str = "") -> CheckResult:
    """Return what the measurement shows.

    The ADR's limit is for the path between two platforms, so with one platform the evidence is `not_applicable`. It is
    `fail` when a service does not answer through its published port. A container's own address that can't be reached
    (Docker Desktop's is inside a virtual machine) leaves that service's cost unknown. The path between two containers
    is shown beside it, and decides nothing.

    Args:
        stack: the resolved stack.
        answer: what `CheckRunner.network` returned.
        windows: the Windows host that the stack's distro runs on, "" where there is none.
    """
    paths: dict[str, dict[str, Any]] = {}
    rows, steps = [], []
    for name in stack["services"]:
        if name not in answer["services"]:
            continue
        its = answer["services"][name]
        published, container = _judged(its["published"], FAIL), _judged(its["container"], UNKNOWN)
        both = published["verdict"] == container["verdict"] == PASS
        verdict = FAIL if published["verdict"] == FAIL else container["verdict"]
        paths[name] = {
            "verdict": verdict,
            "published": published,
            "container": container,
            "inside": _judged(its["inside"], UNKNOWN),
            "overhead": _overhead(published, container) if both else None,
        }
        rows.append(_row(name, paths[name]))
        if verdict == FAIL:
            steps.append(f"Next: ./ready logs --service {name}; ./ready up starts it again if it is down.")
    reason = TWO_PLATFORMS.format(host=windows) if windows else ONE_PLATFORM
    failed = any(path["verdict"] == FAIL for path in paths.values())
    rows.append({"service": "all", "check": "host to host", "verdict": NOT_APPLICABLE, "detail": reason})
    results = {"paths": paths, "host_to_host": {"verdict": NOT_APPLICABLE, "reason": reason}}
    return CheckResult("network", FAIL if failed else NOT_APPLICABLE, results, rows, steps)
