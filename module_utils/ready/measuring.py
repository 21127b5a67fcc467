# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Latency of all services, one after another. Runs where the services are; needs the probes' environment."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any

from .hostload import Reading, host_figures, load, shares
from .latency import measured_enough, usable_baseline
from .leaks import hidden
from .series import Series, brief, figures, milliseconds
from .services.base import Probe
from .together import together
from .workloads import WORKLOADS
from .workloads.base import FIXTURE_SECONDS, NoRoomError, Operation, Workload

#: Requests of an operation that is not judged: enough for a p95.
SECOND_TIER_SAMPLES = 50
#: Seconds that a closed loop may take: a slow service is told by fewer requests.
SERIES_SECONDS = 8.0
#: Requests at a fixed rate: enough for a p95.
OPEN_REQUESTS = 90
#: Seconds of new connections, and how many at most.
CONNECT_SECONDS, CONNECTIONS = 0.2, 50
#: Misses in a row after which a service is not asked further.
GIVE_UP = 5
IDLE_SECONDS = 0.5
#: Characters of an error that are told.
DETAIL = 300
#: Seconds beyond the timeout of a single request after which a service counts as hanging.
_GRACE = 1.0
#: Nanoseconds before a moment from which it is waited for by looking at the clock: a sleep ends late.
_SPIN = 300_000


class Clock:
    """Time, in nanoseconds."""

    def now(self) -> int:
        """Return the time now."""
        return time.perf_counter_ns()

    def wait_until(self, moment: int) -> None:
        """Return at that moment, as punctually as can be."""
        rest = moment - _SPIN - time.perf_counter_ns()
        if rest > 0:
            time.sleep(rest / 1e9)
        while time.perf_counter_ns() < moment:
            pass


class Given(Exception):  # noqa: N818  # no error: the one who waited has given up, the thread ends
    """Nobody waits for this measurement any more."""


@dataclass
class Watch:
    """What the thread that measures tells the one that watches over it."""

    progress: int = 0  #: when the last request ended
    given_up: bool = False
    doing: str = ""
    series: Series | None = None


@dataclass
class Prober:
    """Makes series of requests."""

    clock: Clock = field(default_factory=Clock)
    watch: Watch = field(default_factory=Watch)

    def alive(self) -> None:
        """Tell the one who watches that nothing hangs."""
        self.watch.progress = self.clock.now()

    def _request(self, operation: Operation, number: int, series: Series, since: int) -> int:
        """Make a request and count it; return when it was answered. What an answer's check takes is not counted."""
        try:
            answer = operation.ask(number)
        except Exception as error:  # whatever a driver raises is a miss
            series.miss(error)
            ended = self.clock.now()
        else:
            ended = self.clock.now()
            try:
                operation.check(number, answer)
            except Exception as error:
                series.miss(error)
            else:
                series.hit(ended - since)
        self.watch.progress = ended
        if self.watch.given_up:
            raise Given
        return ended

    def closed_loop(self, operation: Operation, count: int, seconds: float = SERIES_SECONDS, first: int = 0) -> Series:
        """Return the service time of `count` requests, each sent when the one before it is answered."""
        self.watch.series = series = Series()
        end = self.clock.now() + int(seconds * 1e9)
        for number in range(first, first + count):
            since = self.clock.now()
            if since > end or series.in_a_row >= GIVE_UP:
                break
            self._request(operation, number, series, since)
        return series

    def open_loop(self, operation: Operation, count: int, first: int = 0) -> tuple[Series, Series]:
        """Return response time and the prober's own lateness, of `count` requests at the operation's fixed rate.

        Response time counts from the moment at which a request was meant to be sent, so a stall counts for all requests
        that it held up (no coordinated omission). Lateness is what the prober itself adds: from when it could have
        sent, which is the moment meant or the answer before, until it did.
        """
        interval = int(1e9 / operation.rate)
        self.watch.series = response = Series()
        lateness = Series()
        start = free = self.clock.now()
        end = start + 2 * count * interval
        for number in range(count):
            meant = start + (number + 1) * interval
            self.clock.wait_until(meant)
            sent = self.clock.now()
            if sent > end or response.in_a_row >= GIVE_UP:
                response.miss("not sent: the service was too far behind", count - number)
                break
            lateness.hit(sent - max(meant, free))
            free = self._request(operation, first + number, response, meant)
        return response, lateness

    def connections(self, reconnect: Callable[[], None]) -> Series:
        """Return the time of new connections, with a cheap request each."""
        operation = Operation("connection", "", lambda _: reconnect(), lambda *_: None)
        return self.closed_loop(operation, CONNECTIONS, CONNECT_SECONDS)

    def operation(self, workload: Workload, operation: Operation, samples: int) -> dict[str, Any]:
        """Return one run of an operation: cold, warm-up, service time, new connections, response time, lateness."""
        self.watch.doing = operation.name
        self.alive()
        secrets = workload.secrets
        before = Reading.take()
        cold = self.closed_loop(operation, 1)
        warm = self.closed_loop(operation, operation.warm_up, SERIES_SECONDS / 2)
        dead = warm.in_a_row >= GIVE_UP
        detail = "" if dead else _attempt(operation.plan)
        count = samples if operation.judged else min(samples, SECOND_TIER_SAMPLES)
        service = warm if dead else self.closed_loop(operation, count)
        run: dict[str, Any] = {
            "first_ms": milliseconds(cold.samples[0] if cold.samples else None),
            "warm_up": brief(warm, secrets),
            "service": figures(service, secrets),
            "response": None,
            "lateness": None,
            "connection": None,
        }
        dead = service.in_a_row >= GIVE_UP
        if dead:
            detail = f"{service.in_a_row} requests in a row without the right answer: {run['service']['first_error']}"
        elif operation.judged:
            response, lateness = self.open_loop(operation, OPEN_REQUESTS)
            run["response"] = figures(response, secrets) | {"rate_per_s": operation.rate}
            run["lateness"] = figures(lateness, secrets)
            run["connection"] = figures(self.connections(workload.reconnect), secrets)
        # An index may go while it is measured.
        run["detail"] = detail or _attempt(operation.plan)
        run["steal_percent"] = shares(before, Reading.take())["steal_percent"]
        run["load"] = load()
        return run


def _attempt(plan: Callable[[], None] | None) -> str:
    """Return what is wrong with a plan, "" if nothing is."""
    try:
        if plan:
            plan()
    except Exception as error:
        return " ".join(str(error).split())
    return ""


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
        "steal_percent": 0.0,
        "load": load(),
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
        """Return {operations, error, complete} of one service; one that hangs is given up and told as it is."""
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
            except Given:
                return
            except Exception as error:  # told as the service's fault; the others are measured all the same
                found["error"] = told(error, workload.secrets)
            workload.close()

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
            runs.append(prober.operation(workload, operation, self.samples))
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


def told(error: BaseException, secrets: Iterable[str]) -> str:
    """Return an error in one line, without any of the secrets."""
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {hidden(text, secrets)}"[:DETAIL]


def step_all(workloads: Mapping[str, Workload], step: Callable[[Workload], None], seconds: float) -> dict[str, str]:
    """Make a step for all services at once; return service -> what went wrong, nothing for those that went well."""

    def attempt(workload: Workload) -> str:
        try:
            step(workload)
        except Exception as error:  # told without the secrets that it may name, and the others go on
            return told(error, workload.secrets)
        return ""

    ended, late = together({name: partial(attempt, workload) for name, workload in workloads.items()}, seconds)
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
        directory: on the file system whose use is told.
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
            # What answers nothing has nothing to be removed from; that is told already.
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
