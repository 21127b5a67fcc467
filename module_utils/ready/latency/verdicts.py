# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What measured latency shows: percentiles with misses, verdicts, the baseline. Pure functions.

A figure is judged only when the prober can be trusted: one that was late, or whose processor was taken away, has
measured itself. Whatever then lies above an objective is `insufficient_data`, and so is whatever lies below.
The same goes for a baseline where the host is busier than it was then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..checks.remedies import remedies
from ..common.check_result import CheckResult
from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, worst
from ..stack.backends import backend_evidence as backend_of
from ..stack.backends import checked_services
from .baselines import kept_baselines, usable_baseline
from .busy_host import busier
from .small_sample import needed_to_fail, needed_to_pass, undecided

#: Share of the objective that the prober's own lateness may reach at p95.
LATE = 0.5
#: Percent of the processors' time that the hypervisor may give to others while a series runs.
STEAL_PERCENT = 5.0
#: Percent of the processors' time that others may use while a service is judged by what it computes.
OTHERS_PERCENT = 50.0
#: Requests that it takes to pass; for a p99; and to fail, as the 95th of a hundred is the 19th of twenty.
PASS_SAMPLES, P99_SAMPLES, FAIL_SAMPLES = 100, 1000, 20
#: A p99 beyond the baseline's times this is a regression.
REGRESSION = 2.0
#: Runs of one operation until two of them agree; the first one counts by itself when it passes.
RUNS = 3
#: Checks in a row in which the host was busier than at the baseline, after which it is no exception.
BUSY_CHECKS = 3
#: What the ADR measured on its own hosts ("Current Production Readiness Baseline"), in percent.
ADR_HOST = {"cpu_percent": 23.2, "memory_percent": 64.7, "disk_percent": 27.6}


def percentile(ordered: Sequence[int], misses: int, percent: float) -> int | None:
    """Return the nearest-rank percentile of ascending samples; None where the rank falls among the misses.

    A miss (an error, a timeout, a wrong answer, a request that could not be sent) is worse than any sample.
    """
    rank = math.ceil(percent / 100 * (len(ordered) + misses))
    return ordered[rank - 1] if 0 < rank <= len(ordered) else None


def run_verdict(run: Mapping[str, Any], objective_ms: float) -> tuple[str, str]:
    """Return the verdict of one run of an operation on its objective, and why.

    Args:
        run: {service: figures, lateness: figures or None, steal_percent, detail, busy} as `latency/prober.py` makes it.
            Its `few` and `computes` are as an operation's; of `few`, `over` were over the objective.
        objective_ms: limit of the p95.
    """
    service, lateness = run["service"], run["lateness"]
    n, errors, p95 = service["n"], service["errors"], service["p95_ms"]
    if run["detail"]:
        return FAIL, run["detail"]
    if errors > 0.05 * n:  # neither a late prober nor a slow machine makes answers wrong
        return FAIL, f"{errors} of {n} requests without the right answer: {service['first_error']}"
    if run["steal_percent"] > STEAL_PERCENT:
        return UNKNOWN, f"{run['steal_percent']:.1f} % of the processors' time was stolen, over {STEAL_PERCENT:g} %"
    late = lateness["p95_ms"] if lateness else None
    if late is None or late > LATE * objective_ms:
        found = "unknown" if late is None else f"{late:.3g} ms at p95"
        return UNKNOWN, f"the prober's own lateness was {found}, expected at most {LATE * objective_ms:g} ms"
    over = p95 is None or p95 > objective_ms
    few = run.get("few")
    if n < ((needed_to_fail(few) if few else FAIL_SAMPLES) if over else (needed_to_pass(few) if few else PASS_SAMPLES)):
        return UNKNOWN, f"{n} requests are too few to say"
    if few and over and undecided(n, run["over"], few):
        return UNKNOWN, f"{n} requests, {run['over']} of them over {objective_ms:g} ms, are too few to say"
    others = run["busy"]["others_percent"] if over and run.get("computes") else None
    if others is not None and others > OTHERS_PERCENT:
        return UNKNOWN, f"p95 {_ms(p95)}, while others used {others:g} % of the processors, over {OTHERS_PERCENT:g} %"
    if over:
        return FAIL, f"p95 {_ms(p95)}, objective {objective_ms:g} ms"
    return PASS, ""


def regression_verdict(run: Mapping[str, Any], objective_ms: float, baseline: Mapping[str, Any] | None) -> str | None:
    """Return the verdict of one run against the baseline; None without one.

    On a host that is busier than at the baseline nothing is known. One of an earlier version does not say how busy it
    was: a run that it calls slower may be slower by that. The first run that is not says it.
    """
    if not baseline:
        return None
    p99 = run["service"]["p99_ms"]
    if run_verdict(run, objective_ms)[0] == UNKNOWN or p99 is None or _busier(run, baseline):
        return UNKNOWN
    if p99 <= REGRESSION * baseline["p99_ms"]:
        return PASS
    return FAIL if baseline.get("busy") else UNKNOWN


def _busier(run: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    return busier(run["busy"], baseline["busy"]) if baseline.get("busy") else ""


def enough_runs(verdicts: Sequence[str | None]) -> bool:
    """Return whether runs need no other one: the first passed (or is not judged), or two agree, or all are made."""
    if set(verdicts) == {None}:
        return True
    return verdicts == [PASS] or _majority(verdicts) is not None or len(verdicts) >= RUNS


def _majority(verdicts: Sequence[str | None]) -> str | None:
    return next((verdict for verdict in (FAIL, UNKNOWN, PASS) if verdicts.count(verdict) >= 2), None)


def agreed_verdict(verdicts: Sequence[str | None]) -> str | None:
    """Return the verdict of all runs together: a single one's when it passed, else what two of them say.

    A single run that did not pass, because there was no time for another one, shows nothing: it may be noise.
    """
    if verdicts == [PASS] or set(verdicts) == {None}:
        return verdicts[0]
    return _majority(verdicts) or UNKNOWN


def measured_enough(runs: Sequence[Mapping[str, Any]], objective_ms: float, baseline: Mapping[str, Any] | None) -> bool:
    """Return whether an operation need not be measured again; what gave no answers at all gives none again."""
    if runs[-1]["detail"]:
        return True
    by_objective = [run_verdict(run, objective_ms)[0] for run in runs]
    return enough_runs(by_objective) and enough_runs([regression_verdict(run, objective_ms, baseline) for run in runs])


def _ms(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.3g} ms"


def _counted(runs: Sequence[Mapping[str, Any]], verdicts: Sequence[str], verdict: str) -> Mapping[str, Any]:
    """Return the median by p95 of the runs that came to the verdict; of all of them, where none did."""
    candidates = [run for run, its in zip(runs, verdicts, strict=True) if its == verdict] or list(runs)
    ordered = sorted(
        candidates, key=lambda run: math.inf if run["service"]["p95_ms"] is None else run["service"]["p95_ms"]
    )
    return ordered[(len(ordered) - 1) // 2]


def _regression(
    runs: Sequence[Mapping[str, Any]], objective: float, baseline: Mapping[str, Any], earlier: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the runs of an operation say against its baseline; `earlier` is the result of the last check."""
    verdict = agreed_verdict([regression_verdict(run, objective, baseline) for run in runs])
    factors = sorted(run["service"]["p99_ms"] / baseline["p99_ms"] for run in runs if run["service"]["p99_ms"])
    words = [its for run in runs if (its := _busier(run, baseline))]
    busy = verdict == UNKNOWN and 2 * len(words) >= len(runs)
    return {
        "verdict": verdict,
        "factor": round(factors[(len(factors) - 1) // 2], 3) if factors else None,
        "busier": words[-1] if busy else "",
        "busier_checks": earlier.get("busier_checks", 0) + 1 if busy else 0,
    }


def _operation(
    measured: Mapping[str, Any],
    baseline: dict[str, Any] | None,
    image_id: str | None,
    samples: int,
    now: str,
    earlier: Mapping[str, Any],
    accept: bool,
) -> dict[str, Any]:
    objective, runs = measured["objective_ms"], measured["runs"]
    judged = [run_verdict(run, objective) for run in runs]
    verdicts = [verdict for verdict, _ in judged]
    verdict = FAIL if runs[-1]["detail"] else agreed_verdict(verdicts) or UNKNOWN
    run = _counted(runs, verdicts, verdict)
    p99 = run["service"]["p99_ms"]
    regression = None
    if verdict == PASS and p99 is not None and (accept or not baseline):
        baseline = {"p99_ms": p99, "at": now, "image_id": image_id, "samples": samples, "busy": run["busy"]}
    elif baseline:
        regression = _regression(runs, objective, baseline, earlier)
        if regression["verdict"] == PASS and not baseline.get("busy"):  # one of an earlier version
            baseline = baseline | {"busy": run["busy"]}
    reason = next((reason for its, reason in judged if its == verdict), f"{len(runs)} runs that do not agree")
    return {
        "objective_ms": objective,
        "judged": True,
        "verdict": verdict,
        "reason": reason,
        **run["service"],
        **{key: run[key] for key in ("first_ms", "warm_up", "response", "lateness", "connection")},
        "steal_percent": run["steal_percent"],
        "busy": run["busy"],
        "load": run["load"],
        **({"beside": run["beside"]} if run.get("beside") else {}),
        "runs": [
            {"verdict": its, "p95_ms": item["service"]["p95_ms"], "p99_ms": item["service"]["p99_ms"]}
            for its, item in zip(verdicts, runs, strict=True)
        ],
        "baseline": baseline,
        "regression": regression,
    }


def _second_tier(measured: Mapping[str, Any]) -> dict[str, Any]:
    run = measured["runs"][0]
    return {
        "objective_ms": measured["objective_ms"],
        "judged": False,
        "verdict": NOT_APPLICABLE,
        "reason": run["detail"],
        **run["service"],
        **{key: run[key] for key in ("first_ms", "warm_up", "steal_percent", "load")},
    }


def _row(service: str, name: str, found: Mapping[str, Any]) -> dict[str, str]:
    detail = f"p95 {_ms(found['p95_ms'])} (objective {found['objective_ms']:g} ms), p50 {_ms(found['p50_ms'])}"
    if found["p99_ms"] is not None:
        detail += f", p99 {_ms(found['p99_ms'])}"
    for part, its in found.get("beside", {}).items():
        detail += f", {part.replace('_', ' ')} p50 {_ms(its['p50_ms'])}, p95 {_ms(its['p95_ms'])}"
    if not found["judged"]:
        detail += "; second tier, not judged"
    elif len(found["runs"]) > 1:
        detail += f"; {len(found['runs'])} runs"
    if found["reason"] and not found["reason"].startswith("p95 "):
        detail += f"; {found['reason']}"
    return {
        "service": service,
        "check": name,
        "verdict": found["verdict"],
        "took": _ms(found["p95_ms"]),
        "detail": detail,
    }


def judge_latency(
    stack: Mapping[str, Any], answer: Mapping[str, Any], previous: Mapping[str, Any], accept: bool = False
) -> CheckResult:
    """Return what the measurement shows.

    The evidence's verdict is the worst of the judged operations' verdicts and of their regressions. A regression alone
    does not make an operation miss its objective: the readiness report goes by the objective, `check` by both.

    Args:
        stack: the resolved stack.
        answer: what `service_latency` returned.
        previous: the earlier evidence of latency, or an empty mapping.
        accept: whether what passes is the new baseline.
    """
    earlier, samples = previous.get("results", {}), answer["samples"]
    services: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, str]] = []
    verdicts: list[str] = []
    steps: list[str] = []
    for name in checked_services(stack):
        its = answer["services"].get(name)
        if its is None:
            continue
        services[name] = {}
        if its["error"]:
            verdicts.append(FAIL)
            rows.append({"service": name, "check": "latency", "verdict": FAIL, "detail": its["error"]})
            if name in stack["services"]:  # an error of an endpoint elsewhere says itself what is next
                steps.append(f"Next: ./ready logs --service {name}; ./ready up starts it again if it is down.")
        elif not its["complete"]:
            verdicts.append(UNKNOWN)
            refused = its.get("refused", "")
            detail = refused or "the deadline came before all was measured"
            rows.append({"service": name, "check": "latency", "verdict": UNKNOWN, "detail": detail})
            steps += remedies(name, {"latency": {"verdict": FAIL, "detail": refused}}) or [
                f"Next: {name} was not measured: run ./ready check --only latency when the host is quiet."
            ]
        if its["left"]:
            steps.append(f"Next: the fixture stays in {name} until a later check removes it: {its['left']}")
        for operation, measured in its["operations"].items():
            if not measured["judged"]:
                found = _second_tier(measured)
            else:
                baseline = usable_baseline(earlier, name, operation, its["image_id"], samples)
                before = earlier.get("services", {}).get(name, {}).get(operation, {}).get("regression") or {}
                found = _operation(measured, baseline, its["image_id"], samples, answer["at"], before, accept)
                verdicts.append(found["verdict"])
            services[name][operation] = found
            rows.append(_row(name, operation, found))
            regression = found.get("regression")
            if regression and regression["verdict"] in (FAIL, UNKNOWN):
                verdicts.append(regression["verdict"])
                rows.append(_regression_row(name, operation, found))
            steps += _steps(name, operation, found, name not in stack["services"])
    steps += _busy_steps(services)
    results = {
        "samples": samples,
        "seconds": answer["seconds"],
        "errors": {
            name: reason for name, its in answer["services"].items() if (reason := its["error"] or its.get("refused"))
        },
        "services": services,
        "baselines": kept_baselines(earlier, services),
        "backends": {name: its["backend"] for name in services if (its := backend_of(checked_services(stack)[name]))},
        "fixtures": {name: its["size"] for name, its in answer["services"].items()},
        "host": {**answer["host"], "adr": dict(ADR_HOST)},
    }
    return CheckResult("latency", worst(verdicts), results, rows, steps)


def _regression_row(service: str, operation: str, found: Mapping[str, Any]) -> dict[str, str]:
    regression, baseline = found["regression"], found["baseline"]
    factor = "unknown" if regression["factor"] is None else f"{regression['factor']:.3g} times the baseline's"
    return {
        "service": service,
        "check": f"{operation} regression",
        "verdict": regression["verdict"],
        "detail": f"p99 {factor} {_ms(baseline['p99_ms'])} of {baseline['at']}, expected at most {REGRESSION:g} times; "
        f"{len(found['runs'])} runs"
        + (f"; the host is busier: {regression['busier']}" if regression["busier"] else "")
        + ("" if baseline.get("busy") else "; the baseline does not say how busy the host was"),
    }


def _busy_steps(services: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Return what to do where the host is busier than it was, in one line for all operations."""
    busy = {
        f"{service} {operation}": its["regression"]["busier_checks"]
        for service, operations in services.items()
        for operation, its in operations.items()
        if (its.get("regression") or {}).get("busier")
    }
    if not busy:
        return []
    checks, names = max(busy.values()), ", ".join(busy)
    if checks < BUSY_CHECKS:
        return [f"Next: the host is busier than at the baseline of {names}: run ./ready check again when it is quiet."]
    return [
        f"Next: the host was busier than at the baseline in {checks} checks in a row ({names}): see what uses it, or,"
        " if that is how it is used, ./ready check --accept-baseline makes today's figures the baseline."
    ]


def _steps(service: str, operation: str, found: Mapping[str, Any], elsewhere: bool) -> list[str]:
    if found["verdict"] == FAIL and elsewhere:
        return [
            f"Next: {service} {operation}: its endpoint is slow from here: see the provider's status page, the proxy."
        ]
    if found["verdict"] == FAIL:
        return [f"Next: {service} {operation}: see ./ready status for what it uses, and give it more memory or cores."]
    if found["verdict"] == UNKNOWN:
        return [f"Next: {service} {operation} was not measured well: run ./ready check again when the host is quiet."]
    regression = found.get("regression")
    if regression and regression["verdict"] == FAIL:
        return [
            f"Next: {service} {operation} is slower than it was: look for what changed. ./ready check --accept-baseline"
            " makes today's figures the baseline."
        ]
    if regression and regression["verdict"] == UNKNOWN and not (found["baseline"] or {}).get("busy"):
        return [
            f"Next: {service} {operation}: ./ready check --accept-baseline makes a baseline that says how busy"
            " the host is."
        ]
    return []
