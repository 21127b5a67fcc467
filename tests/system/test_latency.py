"""Latency of a whole stack with user data in it, and what a slow service comes to. This runs alone.

Where nothing else runs the services are quick. On a host that others use a p95 may be doubtful or over its objective,
which is no failure of the test: what must never come is a pass of what is slow or doubtful. What does not depend on
time is in test_measuring.py.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ready.common.clock import timestamp
from ready.latency.prober import SERIES_SECONDS

from tests.names import own
from tests.system.checks import check
from tests.system.conftest import Ready, own_stack
from tests.system.measure import JUDGED, built, judge, probes, pulses
from tests.system.test_check import everything

NAME = own("sys-latency")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that is up, with user data in every service."""
    with own_stack(tmp_path_factory.mktemp("latency"), NAME, SERVICES) as ready:
        ready.run("up")
        ready.stack.write()
        yield ready


def test_all_is_measured_and_judged_by_its_figures(measured: Ready) -> None:
    """The median is within every objective, each verdict is what its figures say, and the data are what they were."""
    before, identities = everything(measured), measured.stack.identities()
    found = check(measured, ("network", "latency"), timeout=5).evidence
    latency, network = found["latency"], found["network"]
    for name in SERVICES:
        its = latency["results"]["services"][name][JUDGED[name]]
        assert (its["errors"], its["p50_ms"] <= its["objective_ms"]) == (0, True), its["reason"]
        assert its["min_ms"] <= its["p50_ms"] <= its["p95_ms"] <= its["max_ms"]
        if its["verdict"] != "insufficient_data":  # a host whose processors are stolen says so, and judges nothing
            # A thousand, but where a request took so long that they would have taken over SERIES_SECONDS.
            assert its["n"] == 1000 or its["n"] * its["p95_ms"] > 1000 * SERIES_SECONDS / 2
            assert its["lateness"]["n"] >= 80
            assert its["verdict"] == ("pass" if its["p95_ms"] <= its["objective_ms"] else "fail"), its["reason"]
        assert its["connection"]["p50_ms"] > its["p50_ms"]
        path = network["results"]["paths"][name]
        assert (path["verdict"], path["container"]["address"].split(".")[0] != "127") == ("pass", True)
        assert (path["inside"]["verdict"], path["inside"]["address"]) == ("pass", path["container"]["address"])
    assert latency["results"]["errors"] == {}
    assert network["verdict"] == "not_applicable"
    assert everything(measured) == before
    assert measured.stack.identities() == identities
    measured.stack.check()


def test_slow_service(measured: Ready) -> None:
    """Every request meets a standstill: it fails, and the prober is not blamed where it was punctual."""
    with built(measured, "redis") as workload, pulses(measured, "redis", 0.0001, 0.02):
        its = judge("redis", workload)
    assert its["p95_ms"] > 10
    assert its["verdict"] == ("insufficient_data" if its["lateness"]["p95_ms"] > 0.5 else "fail"), its["reason"]
    assert its["response"]["errors"] > 0  # 500 a second can't be sent one after another
    assert len(its["runs"]) >= 2
    assert its["baseline"] is None


def baseline(its: dict[str, Any]) -> dict[str, Any]:
    """Return earlier evidence with a baseline of half a millisecond, on a host as busy as it just was.

    Others may take a fifth more of it while the test runs, and the hypervisor what it likes; a core that the service
    itself uses is more than that on two and on four.
    """
    busy = {"others_percent": its["busy"]["others_percent"] + 20, "stolen_percent": 100.0}
    base_line = {"p99_ms": 0.5, "at": timestamp(), "image_id": None, "samples": 1000, "busy": busy}
    return {"results": {"services": {"redis": {"cache_hit": {"baseline": base_line}}}}}


@contextmanager
def computing(ready: Ready) -> Iterator[None]:
    """Have Redis compute for 2 ms again and again, which uses a core and keeps everybody else waiting."""
    script = (
        "local function now() local t = redis.call('TIME') return t[1] * 1e6 + t[2] end "
        "local ends = now() + 2000 while now() < ends do end"
    )
    ended = threading.Event()

    def compute() -> None:
        with probes(ready, "redis")["redis"].connect("admin") as client:  # type: ignore[attr-defined]
            while not ended.is_set():
                client.eval(script, 0)

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_service_that_computes_longer_is_slower_and_the_host_no_busier(measured: Ready) -> None:
    """What Redis itself uses is no excuse, however much of the host that is."""
    with built(measured, "redis") as workload:
        previous = baseline(judge("redis", workload))
        with computing(measured):
            its = judge("redis", workload, previous=previous)
    assert its["regression"]["busier"] == "", its["busy"]
    # No p99 where requests took so long that there were no thousand within SERIES_SECONDS.
    doubtful = its["verdict"] == "insufficient_data" or its["p99_ms"] is None
    assert its["regression"]["verdict"] == ("insufficient_data" if doubtful else "fail")


def test_service_that_stalls(measured: Ready) -> None:
    """It stands still for a moment now and then: what its median hides, response time and baseline show."""
    with built(measured, "redis") as workload:
        previous = baseline(judge("redis", workload))
        with pulses(measured, "redis", 0.008, 0.04):
            its = judge("redis", workload, previous=previous)
    assert its["p99_ms"] > 20
    assert its["p50_ms"] < its["p99_ms"] / 2
    assert its["response"]["p50_ms"] > 5 * its["p50_ms"]
    assert its["regression"]["verdict"] == ("insufficient_data" if its["verdict"] == "insufficient_data" else "fail")
    assert its["regression"]["factor"] > 10
    assert its["evidence"] == its["regression"]["verdict"]
    assert len(its["runs"]) >= 2
