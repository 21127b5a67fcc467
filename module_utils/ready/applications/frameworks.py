# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run of the frameworks shows: verdicts, evidence, rows for people. Pure functions.

What came from the container is judged again: a part that says it passed must have the figures that a pass needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..common.check_result import CheckResult
from ..common.verdict import FAIL, PASS, UNKNOWN, worst

PARTS = ("core", "dataflow", "nexus", "mcp", "workflow")
#: What everything that a run writes is named after: database, collections, keys; the label is in camel case.
PREFIX = "ready_frameworks"
#: The ADR's figures: models of the domain, nodes when it was written, capabilities times models.
MODELS, ADR_NODES = 13, 117
CHANNELS = ("api", "cli", "mcp")
#: What the ADR allows a channel.
LIMIT_MS = 2000
#: Rows that one part has at most, beside its own.
_ROWS = 12
_VERDICTS = (PASS, FAIL, UNKNOWN)


def judge(answer: Mapping[str, Any], parts: Sequence[str]) -> CheckResult:
    """Return the verdict, the evidence and the rows of one run.

    Args:
        answer: what library/frameworks.py returns.
        parts: what was asked for.
    """
    found, run = answer["found"], answer["run"]
    results: dict[str, Any] = {name: _part(name, found.get(name), run) for name in parts}
    results["cleanup"] = _cleanup(found.get("cleanup"), answer["database"], run)
    for name, why in sorted(answer["out_of_reach"].items()):
        _explain(results, name, why)
    if (why := answer["database"]["fault"]) and "dataflow" in results:
        results["dataflow"]["detail"] = "; ".join(filter(None, [why, results["dataflow"]["detail"]]))
    verdict = worst(its["verdict"] for its in results.values())
    shown = {"seconds": run["seconds"], "parts": list(parts), "timed_out": run["timed_out"]}
    rows = [row for name, its in results.items() for row in _rows(name, its)]
    return CheckResult("frameworks", verdict, {**results, "run": shown}, rows, list(_next(results)))


def _part(name: str, its: Any, run: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(its, Mapping) or its.get("verdict") not in _VERDICTS or not isinstance(its.get("findings"), list):
        return _lost(run)
    made = dict(its)
    made.setdefault("detail", "")
    if made["verdict"] == PASS and (lacking := lacks(name, made)):
        made |= {"verdict": FAIL, "detail": f"found a pass with {lacking}; expected the figures that show it"}
    return made


def _lost(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a part that left none."""
    if run["oom_killed"]:
        why = "the container was killed at its limit of memory. Next: look at what else needs memory there"
    elif run["timed_out"]:
        why = f"the run was ended after {run['seconds']:.0f} s. Next: --time-limit with more seconds"
    else:
        why = f"the container ended with {run['exit_code']}: {run['output']}. Next: --only with this part"
    return {"verdict": FAIL, "detail": f"found no result, expected one: {why}", "findings": []}


def lacks(name: str, its: Mapping[str, Any]) -> str:
    """Return what a part that passes lacks, "" when its figures show it."""
    if not its.get("findings"):
        return "no finding"
    return next((reason for holds, reason in _SHOWN[name](its) if not holds), "") if name in _SHOWN else ""


def _at(its: Mapping[str, Any], *path: str) -> Any:
    value: Any = its
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _dataflow(its: Mapping[str, Any]) -> Iterable[tuple[bool, str]]:
    expected = _at(its, "expected")
    yield _at(its, "models") == MODELS, f"{_at(its, 'models')} models"
    yield bool(expected) and expected == MODELS * len(_at(its, "kinds") or ()), f"{expected} nodes expected"
    for figure in ("nodes", "executed"):
        yield _at(its, figure) == expected, f"{_at(its, figure)} {figure} of {expected}"
    yield _at(its, "failed") == 0, f"{_at(its, 'failed')} nodes that failed"
    passed, of = _at(its, "capabilities", "passed"), _at(its, "capabilities", "expected")
    yield of == ADR_NODES and passed == of, f"{passed} of {of} capabilities"


def _nexus(its: Mapping[str, Any]) -> Iterable[tuple[bool, str]]:
    for channel in CHANNELS:
        yield bool(_at(its, channel, "requests")), f"no request through {channel}"
        p95 = _at(its, channel, "p95_ms")
        yield isinstance(p95, (int, float)), f"no p95 of {channel}"
        yield p95 < LIMIT_MS, f"a p95 of {channel} of {p95} ms"
        yield _at(its, channel, "verdict") == PASS, f"{channel} that is {_at(its, channel, 'verdict')}"
    for what in ("session", "runs"):
        yield _at(its, what, "verdict") == PASS, f"{what} that is {_at(its, what, 'verdict')}"


def _mcp(its: Mapping[str, Any]) -> Iterable[tuple[bool, str]]:
    for what in ("http", "websocket", "tools", "agent"):
        yield _at(its, what, "verdict") == PASS, f"{what} that is {_at(its, what, 'verdict')}"
    right, needed = _at(its, "agent", "right"), _at(its, "agent", "needed")
    yield bool(needed) and isinstance(right, int) and right >= needed, f"{right} right answers of {needed} needed"


def _workflow(its: Mapping[str, Any]) -> Iterable[tuple[bool, str]]:
    steps = _at(its, "steps") or []
    yield bool(steps), "no step"
    for step in steps:
        yield _at(step, "verdict") == PASS, f"the step {_at(step, 'step')} that is {_at(step, 'verdict')}"


#: Part -> what its figures must be when it passes, each with the reason when they are not.
_SHOWN = {"dataflow": _dataflow, "nexus": _nexus, "mcp": _mcp, "workflow": _workflow}


def _cleanup(its: Any, database: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was removed, with the database, which is the host's part.

    What could not be asked is not known to be clean. It is no fault of a framework: the next run removes it.
    """
    made = _part("cleanup", its, run)
    if made["verdict"] == FAIL and not made["findings"]:
        made["verdict"] = UNKNOWN
    made.setdefault("removed", {})
    made.setdefault("left", [])
    finding = {"id": "postgresql", "verdict": PASS, "detail": ""}
    if database["stays"]:
        finding |= {"verdict": UNKNOWN, "detail": database["stays"]}
    made["removed"] = {**made["removed"], "postgresql": int(bool(database["dropped"]))}
    made["findings"] = [*made["findings"], finding]
    made["verdict"] = worst([made["verdict"], finding["verdict"]])
    made["detail"] = "; ".join(filter(None, [made["detail"], finding["detail"]]))
    return made


def _explain(results: dict[str, Any], service: str, why: str) -> None:
    """Say why what needs an endpoint elsewhere knows nothing: it does so itself, but not why."""
    if service != "ai":
        return
    for name in ("mcp", "workflow"):
        if results.get(name, {}).get("verdict") == UNKNOWN:
            results[name]["detail"] = why
            found = {"id": f"{service}.endpoint", "verdict": UNKNOWN, "detail": why}
            results[name]["findings"] = [found, *results[name]["findings"]]


def _rows(name: str, its: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the row of a part, and one for each finding that does not pass."""
    rows = [{"part": name, "check": "", "verdict": its["verdict"], "detail": summary(name, its)}]
    bad = [each for each in its["findings"] if each.get("verdict") != PASS]
    for each in bad[:_ROWS]:
        check, detail = str(each.get("id", "?")), str(each.get("detail", ""))
        rows.append({"part": "", "check": check, "verdict": str(each.get("verdict")), "detail": detail})
    if not bad and its["verdict"] != PASS:
        rows[0]["detail"] = its["detail"]
    if len(bad) > _ROWS:
        rest = f"and {len(bad) - _ROWS} more, in the evidence"
        rows.append({"part": "", "check": "", "verdict": "", "detail": rest})
    return rows


def summary(name: str, its: Mapping[str, Any]) -> str:
    """Return the figures of a part, in few words; what is not there is left out."""
    if name == "core":
        return ", ".join(f"{package} {number}" for package, number in (its.get("versions") or {}).items())
    if name == "dataflow" and "executed" in its:
        return (
            f"{its['executed']} of {its['expected']} nodes (the ADR: {ADR_NODES}), p50 {_ms(its.get('p50_ms'))}, "
            f"p95 {_ms(its.get('p95_ms'))}; capabilities {_at(its, 'capabilities', 'passed')} of "
            f"{_at(its, 'capabilities', 'expected')}"
        )
    if name == "nexus":
        return ", ".join(f"{each} p95 {_ms(_at(its, each, 'p95_ms'))}" for each in CHANNELS if its.get(each))
    if name == "mcp" and _at(its, "agent", "of"):
        tokens = _at(its, "agent", "tokens")
        used = f", {tokens} tokens" if tokens else ""
        return f"agent: {_at(its, 'agent', 'right')} of {_at(its, 'agent', 'of')} right{used}"
    if name == "workflow":
        return ", ".join(f"{step.get('step')} {_ms(step.get('ms'))}" for step in its.get("steps") or [])
    if name == "cleanup":
        return ", ".join(f"{store} {count}" for store, count in its["removed"].items())
    return ""


def _ms(value: Any) -> str:
    if not isinstance(value, (int, float)):
        return "not measured"
    return f"{value:.0f} ms" if value >= 10 else f"{value} ms"


def _next(results: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Yield the next steps, each once: what the findings say, and what a part says of itself where they say nothing."""
    steps: dict[str, None] = {}
    for its in results.values():
        details = [str(each.get("detail", "")) for each in its["findings"] if "Next: " in str(each.get("detail", ""))]
        for detail in details or [its["detail"]]:
            steps |= dict.fromkeys(step.strip() for step in detail.split("Next:")[1:])
    yield from (f"Next: {step}" for step in steps)
