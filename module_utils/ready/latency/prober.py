# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Series of requests to one service, timed. Runs where the services are; needs the probes' environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..docker.state import TIMEOUT as DOCKER_SECONDS
from ..host.load import Reading, busyness, load_average, usage_shares
from .series import Series, brief, figures, milliseconds
from .small_sample import count_over, enough_samples
from .workload import Operation, Workload

#: Requests of an operation that is not judged: enough for a p95.
SECOND_TIER_SAMPLES = 50
#: Seconds that a closed loop may take: fewer requests show that a service is slow.
SERIES_SECONDS = 8.0
#: Requests at a fixed rate: enough for a p95; and seconds that they take at most.
OPEN_REQUESTS, OPEN_SECONDS = 90, 5.0
#: Seconds of new connections, and how many at most.
CONNECT_SECONDS, CONNECTIONS = 0.2, 50
#: Misses in a row after which a service is not asked further.
GIVE_UP = 5
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


class GivenUp(Exception):  # noqa: N818  # no error: the one who waited has given up, the thread ends
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
                for name, seconds in operation.beside.items():
                    series.beside.setdefault(name, []).append(int(seconds(answer) * 1e9))
        self.watch.progress = ended
        if self.watch.given_up:
            raise GivenUp
        return ended

    def closed_loop(
        self,
        operation: Operation,
        count: int,
        seconds: float = SERIES_SECONDS,
        enough: Callable[[Series, float], bool] = lambda *_: False,
    ) -> Series:
        """Return the service time of `count` requests, each sent when the one before it is answered.

        Args:
            operation: what is asked.
            count: requests at most.
            seconds: after which no more are sent.
            enough: whether the series needs no more before that; takes it and its seconds.
        """
        self.watch.series = series = Series()
        start = self.clock.now()
        for number in range(count):
            since = self.clock.now()
            passed = (since - start) / 1e9
            if passed > seconds or series.in_a_row >= GIVE_UP or enough(series, passed):
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

    def _container_seconds(self, workload: Workload, operation: Operation) -> float | None:
        if not operation.judged:  # nothing is compared with it
            return None
        # Docker may take longer than a request: that is not the service's.
        self.watch.progress = self.clock.now() + int(DOCKER_SECONDS * 1e9)
        used = workload.container_seconds()
        self.alive()
        return used

    def _few(self, operation: Operation, few: int, objective_ms: float, deadline: float) -> Series:
        """Return the service time of so few requests that each counts: until they are decided, or the deadline."""
        least = operation.seconds or SERIES_SECONDS
        most = min(max(least, few * objective_ms / 1000), max(SERIES_SECONDS, deadline - time.monotonic()))

        def enough(series: Series, passed: float) -> bool:
            return enough_samples(
                series.n, count_over(series.samples, series.misses, objective_ms), few, passed >= least
            )

        return self.closed_loop(operation, few, most, enough)

    def operation(
        self, workload: Workload, operation: Operation, samples: int, objective_ms: float, deadline: float
    ) -> dict[str, Any]:
        """Return one run of an operation: cold, warm-up, service time, new connections, response time, lateness.

        Args:
            workload: whose operation it is.
            operation: what is asked.
            samples: requests that count, where the operation does not have its own number.
            objective_ms: limit of the p95.
            deadline: `time.monotonic()` by which it is to end where that depends on it.
        """
        self.watch.doing = operation.name
        self.alive()
        secrets = workload.secrets
        used = self._container_seconds(workload, operation)
        before = Reading.take()
        cold = self.closed_loop(operation, 1)
        warm = self.closed_loop(operation, operation.warm_up, SERIES_SECONDS / 2)
        dead = warm.in_a_row >= GIVE_UP
        detail = "" if dead else _attempt(operation.plan)
        count = samples if operation.judged else min(samples, SECOND_TIER_SAMPLES)
        few = operation.few and min(count, operation.few)
        if dead:
            service = warm
        elif few and operation.judged:
            service = self._few(operation, few, objective_ms, deadline)
        else:
            service = self.closed_loop(operation, few or count, operation.seconds or SERIES_SECONDS)
        run: dict[str, Any] = {
            "first_ms": milliseconds(cold.samples[0] if cold.samples else None),
            "warm_up": brief(warm, secrets),
            "service": figures(service, secrets),
            "response": None,
            "lateness": None,
            "connection": None,
            "beside": {name: brief(Series(samples)) for name, samples in service.beside.items()},
            "few": operation.few,
            "over": count_over(service.samples, service.misses, objective_ms),
            "computes": operation.computes,
        }
        dead = service.in_a_row >= GIVE_UP
        if dead:
            detail = f"{service.in_a_row} requests in a row without the right answer: {run['service']['first_error']}"
        elif operation.judged:
            response, lateness = self.open_loop(operation, min(OPEN_REQUESTS, int(OPEN_SECONDS * operation.rate)))
            run["response"] = figures(response, secrets) | {"rate_per_s": operation.rate}
            run["lateness"] = figures(lateness, secrets)
            run["connection"] = figures(self.connections(workload.reconnect), secrets)
        # An index may go while it is measured.
        run["detail"] = detail or _attempt(operation.plan)
        after = Reading.take()
        run["busy"] = busyness(before, after, spent(used, self._container_seconds(workload, operation)))
        run["steal_percent"] = usage_shares(before, after)["steal_percent"]
        run["load"] = load_average()
        return run


def spent(before: float | None, after: float | None) -> float | None:
    """Return the seconds that a container used between two answers of Docker's; None where that is not known.

    A container that was started again meanwhile counts from its start.
    """
    return None if before is None or after is None or after < before else after - before


def _attempt(plan: Callable[[], None] | None) -> str:
    """Return what is wrong with a plan, "" if nothing is."""
    try:
        if plan:
            plan()
    except Exception as error:
        return " ".join(str(error).split())
    return ""
