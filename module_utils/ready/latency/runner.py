# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Latency of all services, one after another. Runs where the services are; needs the probes' environment."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ..checks.probe import Probe, close_quietly
from ..common.concurrency import run_all
from ..host.load import Reading, host_figures, load_average
from ..secrets.redaction import without_secrets
from .baselines import usable_baseline
from .prober import GivenUp, Prober
from .series import Series, brief, figures
from .verdicts import measured_enough
from .workload import FIXTURE_SECONDS, NoRoomError, Operation, Workload
from .workloads import WORKLOADS

IDLE_SECONDS = 0.5
#: Characters of an error that are reported.
DETAIL = 300
#: Seconds beyond the timeout of a single request after which a service counts as hanging.
_GRACE = 1.0


def _hung(prober: Prober, workload: Workload, seconds: float) -> dict[str, Any]:
    """Return the run of an operation in which a request was never answered."""
    why = f"no answer within {seconds:g} s"
    series = Series(list(prober.watch.series.samples)) if prober.watch.series else Series()
    series.miss(why)
    empty: dict[str, Any] = dict.fromkeys(("first_ms", "response", "lateness", "connection"))
    return empty | {
        "warm_up": brief(Series()),
        "service": figures(series, workload.secrets),
        "detail": why,
        "busy": {"others_percent": None, "stolen_percent": 0.0},
        "steal_percent": 0.0,
        "load": load_average(),
    }


@dataclass
class Measurement:
    """What is measured and what was found.

    Attributes:
        samples: requests of a judged operation.
        deadline: `time.monotonic()` from which nothing more is begun.
        previous: results of the earlier evidence of latency, for the baselines; may be empty.
        image_ids: service -> id of the image that it runs from.
    """

    samples: int
    deadline: float
    previous: Mapping[str, Any]
    image_ids: Mapping[str, str | None]

    def service(self, name: str, workload: Workload) -> dict[str, Any]:
        """Return {operations, error, complete} of one service; one that hangs is given up and reported as such."""
        prober = Prober()
        found: dict[str, Any] = {"operations": {}, "error": "", "complete": False}
        prober.alive()

        def measure() -> None:
            try:
                workload.open()
                prober.alive()
                operations = workload.operations()
                complete = [self._operation(name, prober, workload, item, found["operations"]) for item in operations]
                found["complete"] = all(complete)
            except GivenUp:
                return
            except Exception as error:  # reported as the service's fault; the others are measured all the same
                found["error"] = error_text(error, workload.secrets)
            close_quietly(workload)

        thread = threading.Thread(target=measure, daemon=True, name=name)
        thread.start()
        limit = workload.timeout + _GRACE
        while thread.is_alive():
            thread.join(0.5)
            if thread.is_alive() and prober.clock.now() - prober.watch.progress > limit * 1e9:
                prober.watch.given_up = True
                break
        if prober.watch.given_up:
            return self._given_up(prober, workload, found, limit)
        found["operations"] = {name: its for name, its in found["operations"].items() if its["runs"]}
        return found

    def _operation(
        self, name: str, prober: Prober, workload: Workload, operation: Operation, found: dict[str, Any]
    ) -> bool:
        """Measure an operation until that is enough; return whether the deadline left the time for it."""
        objective = workload.service["objectives"][operation.objective]
        baseline = usable_baseline(self.previous, name, operation.name, self.image_ids.get(name), self.samples)
        runs: list[dict[str, Any]] = []
        found[operation.name] = {"objective_ms": objective, "judged": operation.judged, "runs": runs}
        while time.monotonic() < self.deadline:
            runs.append(prober.operation(workload, operation, self.samples, objective, self.deadline))
            if not operation.judged or measured_enough(runs, objective, baseline):
                return True
        return False

    def _given_up(self, prober: Prober, workload: Workload, found: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        operations = {name: {**its, "runs": list(its["runs"])} for name, its in list(found["operations"].items())}
        hung = operations.get(prober.watch.doing)
        if hung is None:
            return {**found, "operations": {}, "error": f"no answer within {seconds:g} s"}
        hung["runs"] = [_hung(prober, workload, seconds)]
        return {**found, "operations": operations, "error": f"{prober.watch.doing}: no answer within {seconds:g} s"}


def error_text(error: BaseException, secrets: Iterable[str]) -> str:
    """Return an error in one line, without any of the secrets."""
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {without_secrets(text, secrets)}"[:DETAIL]


def step_all(workloads: Mapping[str, Workload], step: Callable[[Workload], None], seconds: float) -> dict[str, str]:
    """Make a step for all services at once; return service -> what went wrong, nothing for those that went well."""

    def attempt(workload: Workload) -> str:
        try:
            step(workload)
        except Exception as error:  # reported without the secrets that it may name; the others continue
            return error_text(error, workload.secrets)
        return ""

    ended, late = run_all({name: partial(attempt, workload) for name, workload in workloads.items()}, seconds)
    return {name: text for name, text in ended.items() if text} | late


def measure_stack(
    probes: Mapping[str, Probe],
    image_ids: Mapping[str, str | None],
    samples: int,
    deadline: float,
    previous: Mapping[str, Any],
    directory: str,
    meanwhile: Callable[[], None] = lambda: None,
    alone: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return what was measured, as `library/service_latency.py` documents it.

    Fixtures are built and removed for all services at once; they are measured one after another.

    Args:
        probes: service -> its probe; those with a workload are measured, in this order.
        image_ids: service -> id of the image that it runs from.
        samples: requests of a judged operation.
        deadline: seconds after which no more measurement is begun.
        previous: results of the earlier evidence of latency, for the baselines; may be empty.
        directory: on the file system whose use is reported.
        meanwhile: what else is asked of the services while the fixtures are built; it ends before anything is measured.
        alone: what else is measured, once the fixtures are there.
    """
    started = time.monotonic()
    before = Reading.take()
    time.sleep(IDLE_SECONDS)
    idle = host_figures(before, Reading.take(), directory)
    workloads = {name: WORKLOADS[name](probe) for name, probe in probes.items() if name in WORKLOADS}
    measurement = Measurement(samples, started + deadline, previous, image_ids)
    services: dict[str, dict[str, Any]] = {}
    left: dict[str, str] = {}
    refused: dict[str, str] = {}

    def build(workload: Workload) -> None:
        try:
            workload.build()
        except NoRoomError as error:  # no fault of the service's, so no error of its latency
            refused[workload.service["name"]] = str(error)

    gc.collect()
    gc.disable()  # a collection in the middle of a request would be counted as the service's
    try:
        other = threading.Thread(target=meanwhile, daemon=True)
        other.start()
        wrong = step_all(workloads, build, FIXTURE_SECONDS)
        other.join()
        alone()
        before = Reading.take()
        for name, workload in workloads.items():
            services[name] = (
                {"operations": {}, "error": fault and f"the fixture could not be built: {fault}", "complete": False}
                if (fault := wrong.get(name, "")) or name in refused
                else measurement.service(name, workload)
            )
        loaded = host_figures(before, Reading.take(), directory)
    finally:
        gc.enable()
        left = step_all(workloads, lambda workload: workload.remove(), FIXTURE_SECONDS)
    for name, workload in workloads.items():
        services[name] |= {
            "image_id": image_ids.get(name),
            "size": workload.size,
            # What answers nothing has nothing to be removed from; that is reported already.
            "left": left.get(name, "") if name not in wrong else "",
            "refused": refused.get(name, ""),
        }
    return {
        "at": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "samples": samples,
        "seconds": round(time.monotonic() - started, 2),
        "services": services,
        "host": {"idle": idle, "loaded": loaded},
    }
