# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What measured latency shows: percentiles with misses, verdicts, the baseline. Pure functions.

A figure is judged only when the prober can be trusted: one that was late, or whose processor was taken away, has
measured itself. Whatever then lies above an objective is `insufficient_data`, and so is whatever lies below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .part import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Part, worst
from .remedies import remedies

#: Share of the objective that the prober's own lateness may reach at p95.
LATE = 0.5
#: Percent of the processors' time that the hypervisor may give to others while a series runs.
STEAL_PERCENT = 5.0
#: Requests that it takes to pass; for a p99; and to fail, as the 95th of a hundred is the 19th of twenty.
PASS_SAMPLES, P99_SAMPLES, FAIL_SAMPLES = 100, 1000, 20
#: A p99 beyond the baseline's times this is a regression.
REGRESSION = 2.0
#: Runs of one operation until two of them agree; the first one counts by itself when it passes.
RUNS = 3
#: Baselines that are kept for an operation beside the one in use: those of other images and settings, the newest.
KEPT_BASELINES = 4
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
        run: {service: figures, lateness: figures or None, steal_percent, detail} as `measuring` returns it.
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
    if n < (FAIL_SAMPLES if over else PASS_SAMPLES):
        return UNKNOWN, f"{n} requests are too few to say"
    if over:
        return FAIL, f"p95 {_ms(p95)}, objective {objective_ms:g} ms"
    return PASS, ""


def regression_verdict(run: Mapping[str, Any], objective_ms: float, baseline: Mapping[str, Any] | None) -> str | None:
    """Return the verdict of one run against the baseline; None without one."""
    if not baseline:
        return None
    p99 = run["service"]["p99_ms"]
    if run_verdict(run, objective_ms)[0] == UNKNOWN or p99 is None:
        return UNKNOWN
    return FAIL if p99 > REGRESSION * baseline["p99_ms"] else PASS


def settled(verdicts: Sequence[str | None]) -> bool:
    """Return whether runs need no other one: the first passed (or is not judged), or two agree, or all are made."""
    if set(verdicts) == {None}:
        return True
    return verdicts == [PASS] or _majority(verdicts) is not None or len(verdicts) >= RUNS


def _majority(verdicts: Sequence[str | None]) -> str | None:
    return next((verdict for verdict in (FAIL, UNKNOWN, PASS) if verdicts.count(verdict) >= 2), None)


def agreed(verdicts: Sequence[str | None]) -> str | None:
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
    return settled(by_objective) and settled([regression_verdict(run, objective_ms, baseline) for run in runs])


def usable_baseline(
    previous: Mapping[str, Any], service: str, operation: str, image_id: str | None, samples: int
) -> dict[str, Any] | None:
    """Return the baseline that earlier results hold for an operation, if it was made with this image and setting.

    Args:
        previous: results of the earlier evidence; empty when there is none.
        service: name of the service.
        operation: name of the operation.
        image_id: of the running container.
        samples: requests asked for.
    """
    known = _baselines(previous, service, operation)
    return next((its for its in known if (its["image_id"], its["samples"]) == (image_id, samples)), None)


def _baselines(results: Mapping[str, Any], service: str, operation: str) -> list[dict[str, Any]]:
    """Return the baselines that results hold for an operation, the one in use first, then the newest."""
    used = results.get("services", {}).get(service, {}).get(operation, {}).get("baseline")
    kept = results.get("baselines", {}).get(service, {}).get(operation, [])
    return [dict(its) for its in [*([used] if used else []), *kept]]


def kept_baselines(
    previous: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return service -> operation -> the earlier baselines that are not in use now, for a later run that they fit.

    Without them a service that is down once, or one run with other settings, would make the next run the new baseline,
    however slow it is.

    Args:
        previous: results of the earlier evidence; empty when there is none.
        services: those of the new results: service -> operation -> what was measured.
    """
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for service in sorted({*previous.get("services", {}), *previous.get("baselines", {})}):
        names = {*previous.get("services", {}).get(service, {}), *previous.get("baselines", {}).get(service, {})}
        for operation in sorted(names):
            used = services.get(service, {}).get(operation, {}).get("baseline") or {}
            now = (used.get("image_id"), used.get("samples"))
            others = [
                its for its in _baselines(previous, service, operation) if (its["image_id"], its["samples"]) != now
            ]
            if others:
                found.setdefault(service, {})[operation] = others[:KEPT_BASELINES]
    return found


def _ms(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.3g} ms"


def _counted(runs: Sequence[Mapping[str, Any]], verdicts: Sequence[str], verdict: str) -> Mapping[str, Any]:
    """Return the median by p95 of the runs that came to the verdict; of all of them, where none did."""
    candidates = [run for run, its in zip(runs, verdicts, strict=True) if its == verdict] or list(runs)
    ordered = sorted(
        candidates, key=lambda run: math.inf if run["service"]["p95_ms"] is None else run["service"]["p95_ms"]
    )
    return ordered[(len(ordered) - 1) // 2]


def _operation(
    measured: Mapping[str, Any], baseline: dict[str, Any] | None, image_id: str | None, samples: int, now: str
) -> dict[str, Any]:
    objective, runs = measured["objective_ms"], measured["runs"]
    judged = [run_verdict(run, objective) for run in runs]
    verdicts = [verdict for verdict, _ in judged]
    verdict = FAIL if runs[-1]["detail"] else agreed(verdicts) or UNKNOWN
    regressions = [regression_verdict(run, objective, baseline) for run in runs]
    run = _counted(runs, verdicts, verdict)
    against = agreed(regressions)
    p99 = run["service"]["p99_ms"]
    regression = None
    if baseline:
        factors = sorted(item["service"]["p99_ms"] / baseline["p99_ms"] for item in runs if item["service"]["p99_ms"])
        regression = {"verdict": against, "factor": round(factors[(len(factors) - 1) // 2], 3) if factors else None}
    elif verdict == PASS and p99 is not None:
        baseline = {"p99_ms": p99, "at": now, "image_id": image_id, "samples": samples}
    reason = next((reason for its, reason in judged if its == verdict), f"{len(runs)} runs that do not agree")
    return {
        "objective_ms": objective,
        "judged": True,
        "verdict": verdict,
        "reason": reason,
        **run["service"],
        **{key: run[key] for key in ("first_ms", "warm_up", "response", "lateness", "connection")},
        "steal_percent": run["steal_percent"],
        "load": run["load"],
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


def judge_latency(stack: Mapping[str, Any], answer: Mapping[str, Any], previous: Mapping[str, Any]) -> Part:
    """Return what the measurement shows.

    The evidence's verdict is the worst of the judged operations' verdicts and of their regressions. A regression alone
    does not make an operation miss its objective: the readiness report goes by the objective, `check` by both.

    Args:
        stack: the resolved stack.
        answer: what `service_latency` returned.
        previous: the earlier evidence of latency, or an empty mapping.
    """
    earlier, samples = previous.get("results", {}), answer["samples"]
    services: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, str]] = []
    verdicts: list[str] = []
    steps: list[str] = []
    for name in stack["services"]:
        its = answer["services"].get(name)
        if its is None:
            continue
        services[name] = {}
        if its["error"]:
            verdicts.append(FAIL)
            rows.append({"service": name, "check": "latency", "verdict": FAIL, "detail": its["error"]})
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
                found = _operation(measured, baseline, its["image_id"], samples, answer["at"])
                verdicts.append(found["verdict"])
            services[name][operation] = found
            rows.append(_row(name, operation, found))
            regression = found.get("regression")
            if regression and regression["verdict"] in (FAIL, UNKNOWN):
                verdicts.append(regression["verdict"])
                rows.append(_regression_row(name, operation, found))
            steps += _steps(name, operation, found)
    results = {
        "samples": samples,
        "seconds": answer["seconds"],
        "errors": {
            name: reason for name, its in answer["services"].items() if (reason := its["error"] or its.get("refused"))
        },
        "services": services,
        "baselines": kept_baselines(earlier, services),
        "fixtures": {name: its["size"] for name, its in answer["services"].items()},
        "host": {**answer["host"], "adr": dict(ADR_HOST)},
    }
    return Part("latency", worst(verdicts), results, rows, steps)


def _regression_row(service: str, operation: str, found: Mapping[str, Any]) -> dict[str, str]:
    regression, baseline = found["regression"], found["baseline"]
    factor = "unknown" if regression["factor"] is None else f"{regression['factor']:.3g} times the baseline's"
    return {
        "service": service,
        "check": f"{operation} regression",
        "verdict": regression["verdict"],
        "detail": f"p99 {factor} {_ms(baseline['p99_ms'])} of {baseline['at']}, expected at most {REGRESSION:g} times; "
        f"{len(found['runs'])} runs",
    }


def _steps(service: str, operation: str, found: Mapping[str, Any]) -> list[str]:
    if found["verdict"] == FAIL:
        return [f"Next: {service} {operation}: see ./ready status for what it uses, and give it more memory or cores."]
    if found["verdict"] == UNKNOWN:
        return [f"Next: {service} {operation} was not measured well: run ./ready check again when the host is quiet."]
    regression = found.get("regression")
    if regression and regression["verdict"] == FAIL:
        return [
            f"Next: {service} {operation} is slower than it was: look for what changed. To accept it as the new"
            " baseline, remove latency.json from the evidence directory."
        ]
    return []
