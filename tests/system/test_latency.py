"""Latency of a whole stack with user data in it, and what a slow service comes to. This runs alone.

Where nothing else runs the services are quick. On a host that others use a p95 may be doubtful or over its objective,
which is no failure of the test: what must never come is a pass of what is slow or doubtful. What does not depend on
time is in test_measuring.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ready import evidence
from ready.measuring import SERIES_SECONDS

from tests.names import own
from tests.system.checks import check
from tests.system.conftest import Ready, own_stack
from tests.system.measure import JUDGED, built, judge, pulses
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


def test_service_that_stalls(measured: Ready) -> None:
    """It stands still for a moment now and then: what its median hides, response time and baseline show."""
    with built(measured, "redis") as workload:
        base_line = {"p99_ms": 0.5, "at": evidence.timestamp(), "image_id": None, "samples": 1000}
        previous = {"results": {"services": {"redis": {"cache_hit": {"baseline": base_line}}}}}
        with pulses(measured, "redis", 0.008, 0.04):
            its = judge("redis", workload, previous=previous)
    assert its["p99_ms"] > 20
    assert its["p50_ms"] < its["p99_ms"] / 2
    assert its["response"]["p50_ms"] > 5 * its["p50_ms"]
    assert its["regression"]["verdict"] == ("insufficient_data" if its["verdict"] == "insufficient_data" else "fail")
    assert its["regression"]["factor"] > 10
    assert its["evidence"] == its["regression"]["verdict"]
    assert len(its["runs"]) >= 2
