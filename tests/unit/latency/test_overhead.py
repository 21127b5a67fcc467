"""What the network paths to a service cost, and what is reported where one leads nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from ready.evidence.document import check, make
from ready.latency.overhead import judge_network
from ready.latency.series import Series, brief
from ready.stack.definitions import load_definitions, resolve_stack

NOW = "2026-11-24T12:00:00Z"


@pytest.fixture
def stack() -> dict[str, Any]:
    """Return a stack of Redis alone."""
    variables = {"stack_name": "ready", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    return resolve_stack(load_definitions(), variables)


def way(connect: float, trip: float, reason: str = "", misses: int = 0) -> dict[str, Any]:
    """Return a path's figures."""
    trips = Series([int(trip * 1e6)] * (0 if reason else 200))
    if misses:
        trips.miss("TimeoutError: timed out", misses)
    connects = Series([int(connect * 1e6)] * (0 if reason else 200))
    return {
        "address": "127.0.0.1",
        "port": 6379,
        "reason": reason,
        "tcp_connect": brief(connects),
        "round_trip": brief(trips),
    }


ALONE = way(0, 0, reason="no other container of the stack runs")


def judged(
    stack: dict[str, Any], published: dict[str, Any], container: dict[str, Any], inside: dict[str, Any] = ALONE
) -> tuple[Any, dict[str, Any]]:
    """Return the part, and Redis's paths; the evidence must fit its schema."""
    answer = {"redis": {"published": published, "container": container, "inside": inside}}
    result = judge_network(stack, {"services": answer})
    assert check(make("network", "ready", "localhost", result.verdict, result.results, NOW, finished_at=NOW)) == []
    return result, result.results["paths"]["redis"]


def test_the_published_port_costs_the_difference(stack: dict[str, Any]) -> None:
    """With one platform the ADR's limit does not apply, and nothing stands where it looks."""
    result, path = judged(stack, way(0.1, 0.25), way(0.05, 0.1))
    assert path["overhead"]["round_trip_p50_ms"] == pytest.approx(0.15)
    assert path["overhead"]["tcp_connect_p95_ms"] == pytest.approx(0.05)
    assert (path["verdict"], result.verdict, result.results["host_to_host"]["verdict"]) == (
        "pass",
        "not_applicable",
        "not_applicable",
    )
    assert "overhead_p95_ms" not in result.results


def test_in_a_distro_windows_is_the_other_platform(stack: dict[str, Any]) -> None:
    """It is measured there, and the evidence says where."""
    answer = {"services": {"redis": {"published": way(0.1, 0.25), "container": way(0.05, 0.1), "inside": ALONE}}}
    assert "network of pc1" in judge_network(stack, answer, "pc1").results["host_to_host"]["reason"]


@pytest.mark.parametrize(("inside", "said"), [(way(0.04, 0.08), "0.08 ms"), (ALONE, "no other container")])
def test_the_way_between_two_containers_is_told(stack: dict[str, Any], inside: dict[str, Any], said: str) -> None:
    """Where there are two; it decides nothing."""
    result, path = judged(stack, way(0.1, 0.25), way(0.05, 0.1), inside)
    assert f"from another container: {said}" in result.rows[0]["detail"]
    assert (path["inside"]["verdict"], path["verdict"]) == ("insufficient_data" if inside is ALONE else "pass", "pass")


def test_an_address_that_can_not_be_reached(stack: dict[str, Any]) -> None:
    """Docker Desktop's containers are in a virtual machine: the cost is unknown, and nothing fails."""
    result, path = judged(stack, way(0.1, 0.25), way(0, 0, reason="172.18.0.2 port 6379: TimeoutError: timed out"))
    assert (path["verdict"], path["overhead"], result.verdict) == ("insufficient_data", None, "not_applicable")
    assert "172.18.0.2" in result.rows[0]["detail"]


@pytest.mark.parametrize(
    "published",
    [
        way(0, 0, reason="127.0.0.1 port 6379: ConnectionRefusedError: refused"),
        way(0.1, 0.25, misses=150),  # docker-proxy still accepts connections, and nobody answers
    ],
)
def test_a_port_without_its_service(stack: dict[str, Any], published: dict[str, Any]) -> None:
    """It fails, connected or not."""
    result, path = judged(stack, published, way(0.05, 0.1))
    assert (path["verdict"], result.verdict) == ("fail", "fail")
    assert "./ready logs --service redis" in result.next[0]
