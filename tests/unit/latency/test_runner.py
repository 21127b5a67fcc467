"""Series of requests on a clock of the test's own: what they count, and what a stall does."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ready.checks.probe import CheckError, expect, fixture_name, stale_fixtures
from ready.host.load import Reading
from ready.latency.prober import GIVE_UP, GivenUp, Prober, spent
from ready.latency.runner import Measurement, step_all
from ready.latency.verdicts import percentile, run_verdict
from ready.latency.workload import Operation, Workload

MS = 1_000_000


class FakeClock:
    """Time that passes only when somebody waits or works; a prober may wake late."""

    def __init__(self, late: int = 0) -> None:
        self.time, self.late = 0, late

    def now(self) -> int:
        """Return the time."""
        return self.time

    def wait_until(self, moment: int) -> None:
        """Pass time."""
        if self.time < moment:
            self.time = moment + self.late


def prober(clock: Any) -> Prober:
    """Return a prober on a clock."""
    return Prober(clock)


def working(clock: FakeClock, cost: Callable[[int], int], rate: float = 100.0) -> Operation:
    """Return an operation that takes what `cost` says of each request, in nanoseconds."""

    def ask(number: int) -> int:
        clock.time += cost(number)
        return number

    return Operation("x", "latency_p95_ms", ask, lambda number, found: expect("x", found, number), rate=rate)


def test_closed_loop_takes_the_service_time() -> None:
    """Request by request."""
    clock = FakeClock()
    series = prober(clock).closed_loop(working(clock, lambda number: (number + 1) * MS), 5)
    assert series.samples == [MS, 2 * MS, 3 * MS, 4 * MS, 5 * MS]


def test_a_stall_counts_for_every_request_that_it_held_up() -> None:
    """A closed loop tells of one slow request, requests at a fixed rate of all those that waited behind it."""

    def stalled(number: int) -> int:
        return 1000 * MS if number == 50 else MS

    clock = FakeClock()
    closed = prober(clock).closed_loop(working(clock, stalled), 200)
    assert sum(sample > 100 * MS for sample in closed.samples) == 1
    clock = FakeClock()
    response, lateness = prober(clock).open_loop(working(clock, stalled), 200)
    # A hundred were due meanwhile. They are answered every millisecond afterwards, each 9 ms less late.
    held_up = [sample for sample in response.samples if sample > 100 * MS]
    assert len(held_up) == 100
    assert percentile(sorted(closed.samples), 0, 95) == MS
    assert (percentile(sorted(response.samples), 0, 95) or 0) > 800 * MS
    assert max(lateness.samples) == 0  # the prober itself was punctual all the time


def test_lateness_is_the_probers_own() -> None:
    """It wakes 3 ms late; the service is quick, and its response time holds the 3 ms all the same."""
    clock = FakeClock(late=3 * MS)
    response, lateness = prober(clock).open_loop(working(clock, lambda _: MS), 100)
    assert set(lateness.samples) == {3 * MS}
    assert set(response.samples) == {4 * MS}


def test_requests_that_could_not_be_sent_are_misses() -> None:
    """A service that takes 200 ms at 100 requests a second falls behind; the rest is not forgotten."""
    clock = FakeClock()
    response, _ = prober(clock).open_loop(working(clock, lambda _: 200 * MS), 100)
    assert response.n == 100
    assert response.misses > 80
    assert "behind" in response.first_error


def test_a_slow_service_is_told_by_fewer_requests() -> None:
    """The series ends by time, and still fails: the prober was punctual, and 40 requests all took 200 ms."""
    clock = FakeClock()
    series = prober(clock).closed_loop(working(clock, lambda _: 200 * MS), 1000, seconds=8)
    assert 40 <= series.n <= 42


def test_wrong_answers_are_misses() -> None:
    """They are neither samples nor dropped."""
    clock = FakeClock()
    operation = working(clock, lambda _: MS)
    wrong = Operation("x", "", lambda number: operation.ask(number) + (number % 10 == 0), operation.check)
    series = prober(clock).closed_loop(wrong, 100)
    assert (series.n, series.misses, len(series.samples)) == (100, 10, 90)
    assert series.first_error == "x: found 1, expected 0"


def test_a_dead_service_is_not_asked_a_thousand_times() -> None:
    """After some misses in a row it is given up."""

    def refuse(_: int) -> None:
        raise ConnectionRefusedError("refused")

    series = Prober().closed_loop(Operation("x", "", refuse, lambda *_: None), 1000)
    assert (series.n, series.misses) == (GIVE_UP, GIVE_UP)


class OneOperation(Workload):
    """A workload of one operation, without a service."""

    size = "nothing"

    def __init__(self, ask: Callable[[int], Any], plan: Callable[[], None] | None = None) -> None:
        self.service, self.timeout, self.secrets = {"objectives": {"latency_p95_ms": 10}}, 0.1, ["hunter2"]
        self.container_seconds = lambda: None
        self.asked = Operation("x", "latency_p95_ms", ask, lambda *_: None, plan, warm_up=5, rate=1000.0)

    def open(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def reconnect(self) -> None:
        """Nothing."""

    def operations(self) -> list[Operation]:
        """The one."""
        return [self.asked]


def measured(workload: Workload, seconds: float = 60) -> dict[str, Any]:
    """Return what is measured of a workload."""
    return Measurement(200, time.monotonic() + seconds, {}, {}).service("x", workload)


def test_a_service_that_hangs_is_given_up() -> None:
    """Its thread ends when it is answered at last, and asks nothing more."""
    released, asked = threading.Event(), []

    def hang(number: int) -> None:
        asked.append(number)
        if len(asked) > 50:
            released.wait(30)

    found = measured(OneOperation(hang))
    assert found["error"] == "x: no answer within 1.1 s"
    (run,) = found["operations"]["x"]["runs"]
    assert (run["service"]["errors"], run_verdict(run, 10)[0]) == (1, "fail")
    count = len(asked)
    released.set()
    time.sleep(0.2)
    assert len(asked) == count


def test_an_index_that_goes_meanwhile_is_noticed() -> None:
    """It is looked for before and after."""
    looked = []

    def plan() -> None:
        looked.append(1)
        if len(looked) > 1:
            raise CheckError("the plan: found no seek")

    found = measured(OneOperation(lambda _: None, plan))
    (run,) = found["operations"]["x"]["runs"]
    assert run_verdict(run, 10) == ("fail", "the plan: found no seek")


def test_what_an_error_says_holds_no_secret() -> None:
    """Drivers put connection strings into their messages."""

    def refuse(_: int) -> None:
        raise ConnectionRefusedError("app:hunter2@localhost refused")

    found = measured(OneOperation(refuse))
    assert "app:***@localhost" in str(found)
    assert "hunter2" not in str(found)
    workload = OneOperation(refuse)
    assert step_all({"x": workload}, lambda its: its.operations()[0].ask(0), 5) == {
        "x": "ConnectionRefusedError: app:***@localhost refused"
    }


def test_after_the_deadline_nothing_is_begun() -> None:
    """And it is said."""
    found = measured(OneOperation(lambda _: None), seconds=-1)
    assert (found["operations"], found["complete"], found["error"]) == ({}, False, "")


def test_a_prober_that_nobody_waits_for_stops() -> None:
    """At its next request."""
    made = Prober()
    made.watch.given_up = True
    with pytest.raises(GivenUp):
        made.closed_loop(Operation("x", "", lambda _: None, lambda *_: None), 10)


def test_what_the_service_and_the_prober_use_is_not_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker counts the container from its start; two processors in ten seconds, and eight seconds of them used."""
    idle = {"user": 0, "idle": 0, "iowait": 0, "steal": 0}
    second = os.sysconf("SC_CLK_TCK")
    readings = [
        Reading(0.0, idle, None, own=3.0),
        Reading(10.0, {"user": 8 * second, "idle": 12 * second, "iowait": 0, "steal": 0}, None, own=4.0),
    ]
    monkeypatch.setattr(Reading, "take", lambda: readings.pop(0))
    workload, counted = OneOperation(lambda _: None), [100.0, 105.0]
    workload.container_seconds = lambda: counted.pop(0)
    (run,) = measured(workload)["operations"]["x"]["runs"]
    assert run["busy"] == {"others_percent": 10.0, "stolen_percent": 0.0}


@pytest.mark.parametrize(
    ("before", "after", "used"), [(1.0, 3.5, 2.5), (None, 3.5, None), (1.0, None, None), (9.0, 2.0, None)]
)
def test_a_container_that_started_again_is_unknown(before: float | None, after: float | None, used: Any) -> None:
    """So is one of which Docker said nothing."""
    assert spent(before, after) == used


def test_docker_may_take_longer_than_the_service() -> None:
    """That is no hanging of the service's."""
    workload = OneOperation(lambda _: None)

    def slow() -> None:
        time.sleep(1.7)

    workload.container_seconds = slow
    assert measured(workload)["error"] == ""


@pytest.mark.parametrize("separator", ["-", "_"])
def test_leftovers_are_ours_and_old(separator: str) -> None:
    """A younger one may be another run's, and what somebody else named is theirs."""
    fresh = fixture_name(separator)
    old = separator.join(["ready", "probe", str(int(time.time()) - 700), "0" * 12])
    theirs = ["ready_probe", "ready-probe-notes", f"my{separator}{old}", f"{old}{separator}copy", "public"]
    assert stale_fixtures([fresh, old, *theirs], separator) == [old]
