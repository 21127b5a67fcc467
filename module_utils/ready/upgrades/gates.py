# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide whether a new engine may stay: the gates of health and latency. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, worst
from ..latency.verdicts import REGRESSION, judge_latency


def health_message(answer: Mapping[str, Any]) -> str:
    """Return which checks of a service failed, from what `service_health` says of it."""
    failed = [f"{name}: {check['detail']}" for name, check in answer["checks"].items() if check["verdict"] == FAIL]
    return f"the gate health failed: {'; '.join(failed) or answer.get('detail') or 'no answer'}"


def latency_gate(service: Mapping[str, Any], answer: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return {verdict, told, operations, message}: only a clear miss that is the new engine's own fails.

    A note says what could not be measured well, and an objective that the old engine missed on this host by as much:
    neither is a reason to put it back. A fixture that can't be built is one of them, for the gate of health has shown
    that the service writes and reads.

    Args:
        service: the resolved service.
        answer: what `service_latency` returned for it.
        before: the evidence of latency from before the upgrade; {results: {}} when there is none.
    """
    name = service["name"]
    # Without the earlier evidence: its baseline is another image's, and the gate holds against the objective.
    judged = judge_latency({"services": {name: service}}, answer, {}).results["services"].get(name, {})
    earlier = before.get("results", {}).get("services", {}).get(name, {})
    verdicts, notes, operations = [], [], {}
    for operation, found in judged.items():
        if not found["judged"]:
            continue
        verdict, then = found["verdict"], earlier.get(operation, {})
        was = then.get("p95_ms")
        reason = f"latency of {operation}: {found['reason']}"
        if verdict == FAIL and _missed_before(then, found["p95_ms"]):
            verdict = UNKNOWN
            reason += f"; it was missed before the upgrade, too, with {was:.3g} ms"
        if verdict != PASS:
            notes.append(reason)
        elif was and found["p95_ms"] > REGRESSION * was:
            notes.append(f"latency of {operation}: p95 {found['p95_ms']:.3g} ms, and it was {was:.3g} ms before")
        verdicts.append(verdict)
        operations[operation] = {key: found[key] for key in ("objective_ms", "n", "p50_ms", "p95_ms")} | {
            "verdict": verdict,
            "before_p95_ms": was,
        }
    its = answer["services"].get(name)
    if its and its["error"] and FAIL not in verdicts:
        verdicts.append(UNKNOWN)
        notes.append(f"latency was not measured: {its['error']}")
    elif its and not its["complete"] and not verdicts:
        verdicts.append(UNKNOWN)
        notes.append(f"latency was not measured: {its.get('refused') or 'there was no time'}")
    verdict = worst(verdicts) if its else NOT_APPLICABLE
    message = f"the gate latency failed: {'; '.join(notes)}" if verdict == FAIL else ""
    return {"verdict": verdict, "told": notes, "operations": operations, "message": message}


def _missed_before(then: Mapping[str, Any], p95: float | None) -> bool:
    was = then.get("p95_ms")
    if then.get("verdict") != FAIL:
        return False
    return was is None or (p95 is not None and p95 <= REGRESSION * was)
