"""The overhead: differences of figures, and when there are none."""

from __future__ import annotations

from typing import Any

import pytest
from ready.common.clock import timestamp
from ready.evidence import document as evidence
from ready.windows.path_overhead import evaluate, fault, percentile, rows


def target(trips: list[float], error: str | None = None, name: str = "redis") -> dict[str, Any]:
    """Return a target as latency.ps1 does."""
    return {
        "name": name,
        "port": 6379,
        "protocol": "redis",
        "connect_ms": trips,
        "round_trip_ms": trips,
        "error": error,
    }


def test_difference_is_taken_of_what_was_measured() -> None:
    """Medians and 95th percentiles by the nearest rank."""
    outside = [float(value) for value in range(1, 101)]
    found = evaluate([target(outside)], [target([1.0] * 100)])
    row = found["targets"]["redis"]
    assert (row["windows"]["median_ms"], row["windows"]["p95_ms"]) == (50.0, 95.0)
    assert (row["overhead_median_ms"], row["overhead_p95_ms"]) == (49.0, 94.0)
    assert (found["verdict"], found["overhead_p95_ms"]) == ("fail", 94.0)


@pytest.mark.parametrize(("more", "verdict"), [(14.9, "pass"), (15.0, "fail"), (-1.0, "pass")])
def test_limit(more: float, verdict: str) -> None:
    """Less than 15 ms."""
    assert evaluate([target([2.0 + more] * 50)], [target([2.0] * 50)])["verdict"] == verdict


def test_few_measurements_prove_nothing() -> None:
    """Neither do targets that one side did not measure, or none at all."""
    assert evaluate([target([1.0] * 19)], [target([1.0] * 50)])["verdict"] == "insufficient_data"
    assert evaluate([target([1.0] * 50)], [])["verdict"] == "insufficient_data"
    assert evaluate([], [])["verdict"] == "insufficient_data"


def test_service_that_does_not_answer_fails() -> None:
    """With the words of the side that asked."""
    found = evaluate([target([], "refused")], [target([1.0] * 50)])
    assert found["verdict"] == "fail"
    assert rows(found)[0]["found"] == "Windows: refused"
    assert rows(found)[0]["container"] is None
    assert found["overhead_p95_ms"] is None


def test_no_answer_is_not_called_slow() -> None:
    """Each has its words and its next step."""
    good = target([1.0] * 50)
    slow = [target([30.0] * 50, name="neo4j"), good]
    message = fault(evaluate(slow, [target([1.0] * 50, name="neo4j"), good]), "pc1")
    assert message.startswith("pc1: ")
    assert all(words in message for words in ("neo4j 29 ms more", "less than 15 ms", "use 127.0.0.1"))
    assert "answer" not in message
    message = fault(evaluate([target([], "refused"), slow[0]], [good, target([1.0] * 50, name="neo4j")]), "pc1")
    assert "found no answer of redis (Windows: refused)" in message
    assert "use 127.0.0.1" in message
    assert fault(evaluate([good], [good]), "pc1") == ""


def test_connects_where_nothing_is_asked() -> None:
    """A protocol without a question."""
    silent = target([1.0] * 50) | {"round_trip_ms": []}
    assert evaluate([silent], [silent])["targets"]["redis"]["what"] == "connect"


def within(trips: list[float], error: str | None = None) -> dict[str, Any]:
    """Return a target as distro_latency.py does of the containers' network."""
    return target(trips, error) | {"measured_from": "distro"}


def test_third_way_tells_where_the_time_goes() -> None:
    """Figures, differences, and from where; it decides nothing."""
    found = evaluate([target([30.0] * 50)], [target([20.0] * 50)], [within([1.0] * 50)])
    third = found["targets"]["redis"]["container"]
    assert third["figures"] == {"samples": 50, "median_ms": 1.0, "p95_ms": 1.0}
    assert third["windows"] == {"more_median_ms": 29.0, "more_p95_ms": 29.0}
    assert third["distro"] == {"more_median_ms": 19.0, "more_p95_ms": 19.0}
    assert (third["measured_from"], found["verdict"], rows(found)[0]["container"]) == ("distro", "pass", 1.0)


@pytest.mark.parametrize(
    ("containers", "reason"),
    [
        ([within([], "no container has Python")], "no container has Python"),
        ([within([1.0] * 19)], "too few measurements"),
        ([], "too few measurements"),
    ],
)
def test_third_way_that_is_not_known_says_why(containers: list[dict[str, Any]], reason: str) -> None:
    """And the verdict is the same."""
    found = evaluate([target([2.0] * 50)], [target([1.0] * 50)], containers)
    third = found["targets"]["redis"]["container"]
    assert (third["figures"], third["windows"], third["reason"]) == (None, None, reason)
    assert found["verdict"] == "pass"
    assert reason in rows(found)[0]["found"]


@pytest.mark.parametrize("containers", [[], [within([1.0] * 50)]], ids=["no third way", "third way"])
@pytest.mark.parametrize("inside", [[target([1.0] * 50)], []], ids=["measured", "not measured"])
def test_it_is_evidence(inside: list[dict[str, Any]], containers: list[dict[str, Any]]) -> None:
    """What was found keeps the schema, whether there are figures or not."""
    found = evaluate([target([2.0] * 50)], inside, containers)
    document = evidence.make("network", "ready", "pc1", found["verdict"], found, timestamp(), "simulated")
    assert evidence.check(document) == []


def test_percentile_is_a_measured_value() -> None:
    """Never between two."""
    assert [percentile([3.0, 1.0, 2.0], share) for share in (1, 50, 95, 100)] == [1.0, 2.0, 3.0, 3.0]
