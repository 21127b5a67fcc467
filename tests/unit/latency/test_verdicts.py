"""What measured latency shows: percentiles with misses, verdicts, runs; the baseline is in test_baselines.py."""

from __future__ import annotations

from typing import Any

import pytest
from ready.latency.verdicts import (
    agreed_verdict,
    judge_latency,
    measured_enough,
    percentile,
    regression_verdict,
    run_verdict,
)
from ready.stack.definitions import load_definitions, resolve_stack

from tests.unit.latency.measured import BASE, FAST, GOOD, answer, evidence, run, series, spread


@pytest.mark.parametrize(
    ("n", "misses", "percent", "expected"),
    [
        (100, 0, 95, 95),
        (100, 0, 100, 100),
        (1, 0, 50, 1),
        (95, 5, 95, 95),  # the 95th of a hundred is the last right answer
        (94, 6, 95, None),  # one more miss, and it is a miss
        (950, 50, 99, None),
        (0, 3, 50, None),
        (0, 0, 50, None),
    ],
)
def test_misses_rank_above_every_sample(n: int, misses: int, percent: float, expected: int | None) -> None:
    """A miss is never dropped."""
    assert percentile(range(1, n + 1), misses, percent) == expected


def test_p99_takes_a_thousand() -> None:
    """Of fewer, it would be one of the ten slowest at best."""
    assert series([1.0] * 999)["p99_ms"] is None
    assert series([1.0] * 999, misses=1)["p99_ms"] == 1.0


def test_the_histogram_holds_what_was_measured() -> None:
    """Whoever decodes it comes to the same figures, to three digits."""
    from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]

    its = series([0.1 * number for number in range(1, 1001)])
    decoded = HdrHistogram.decode(its["histogram"])
    assert decoded.get_total_count() == 1000
    assert decoded.get_value_at_percentile(95) / 1e6 == pytest.approx(its["p95_ms"], rel=0.002)
    assert decoded.get_max_value() / 1e6 == pytest.approx(its["max_ms"], rel=0.002)


@pytest.mark.parametrize(
    ("its", "verdict", "why"),
    [
        (run(GOOD), "pass", ""),
        (run([205.0] * 40), "fail", "p95 205 ms, objective 10 ms"),  # delayed by 200 ms: few, and all the same
        (run([205.0] * 10), "insufficient_data", "10 requests are too few"),
        (run([1.0] * 99), "insufficient_data", "99 requests are too few"),
        (run(spread(1, 12, 30)), "fail", "p95 12 ms"),
        (run(spread(1, 12, 30), late_ms=6), "insufficient_data", "lateness was 6 ms at p95, expected at most 5 ms"),
        (run(GOOD, late_ms=6), "insufficient_data", "lateness"),  # never a pass by a prober that was late
        (run(GOOD, late_ms=None), "insufficient_data", "lateness was unknown"),
        (run(GOOD, steal_percent=5.1), "insufficient_data", "stolen"),
        (run(GOOD[:900], misses=51), "fail", "51 of 951 requests without the right answer: CheckError: wrong"),
        (run(GOOD, misses=50), "pass", ""),
        (run(GOOD[:900], misses=100, late_ms=6), "fail", "100 of 1000"),
        (run(GOOD, detail="the plan of traversal: found no seek"), "fail", "the plan"),
    ],
)
def test_verdict_of_a_run(its: dict[str, Any], verdict: str, why: str) -> None:
    """A slow service fails, a doubtful prober knows nothing, and nothing doubtful passes."""
    found, reason = run_verdict(its, 10)
    assert (found, why in reason) == (verdict, True), reason


@pytest.mark.parametrize("steal_percent", [0.0, 40.0])
@pytest.mark.parametrize("late_ms", [0.01, 6.0, None])
@pytest.mark.parametrize("milliseconds", [GOOD, [205.0] * 1000])
def test_nothing_doubtful_passes(milliseconds: list[float], late_ms: float | None, steal_percent: float) -> None:
    """A prober that was late, or whose processor was taken away, knows nothing; any other tells quick from slow."""
    found, _ = run_verdict(run(milliseconds, late_ms=late_ms, steal_percent=steal_percent), 10)
    trusted = late_ms == 0.01 and steal_percent == 0
    assert found == (("pass" if milliseconds is GOOD else "fail") if trusted else "insufficient_data")


SLOWER = run(spread(1, 2, 6.5))
#: Runs, of objective 10 ms and baseline 3 ms at p99: verdict, regression, whether another run is due.
STORIES: list[tuple[list[dict[str, Any]], str, str, bool]] = [
    ([run(GOOD)], "pass", "pass", False),
    ([SLOWER], "pass", "insufficient_data", True),
    ([SLOWER, run(GOOD)], "pass", "insufficient_data", True),
    ([SLOWER, run(GOOD), run(GOOD)], "pass", "pass", False),  # one noisy run cries no wolf
    ([SLOWER, SLOWER], "pass", "fail", False),
    ([SLOWER, run(GOOD), SLOWER], "pass", "fail", False),
    ([run(GOOD, late_ms=6)], "insufficient_data", "insufficient_data", True),
    ([run(GOOD, late_ms=6), run(GOOD), run(GOOD)], "pass", "pass", False),
    ([run([20.0] * 1000), run([20.0] * 1000)], "fail", "fail", False),
    ([run([20.0] * 1000), run(GOOD), run(GOOD, late_ms=6)], "insufficient_data", "insufficient_data", False),
]


@pytest.mark.parametrize(("runs", "verdict", "regression", "again"), STORIES)
def test_runs_agree(runs: list[dict[str, Any]], verdict: str, regression: str, again: bool) -> None:
    """What does not pass is measured again, until two runs agree or three are made."""
    assert agreed_verdict([run_verdict(its, 10)[0] for its in runs]) == verdict
    assert agreed_verdict([regression_verdict(its, 10, BASE) for its in runs]) == regression
    assert measured_enough(runs, 10, BASE) is not again


def test_what_never_answers_is_not_asked_again(stack: dict[str, Any]) -> None:
    """One run without any answer is enough."""
    hung = [run([], misses=1, late_ms=None, detail="no answer within 6 s")]
    assert measured_enough(hung, 1, BASE)
    hit = evidence(stack, answer(hung))["results"]["services"]["redis"]["cache_hit"]
    assert (hit["verdict"], hit["reason"]) == ("fail", "no answer within 6 s")


def test_without_a_baseline_one_good_run_is_enough() -> None:
    """There is nothing to regress from."""
    assert regression_verdict(run(GOOD), 10, None) is None
    assert measured_enough([run(GOOD)], 10, None)


def test_evidence_says_what_was_measured(stack: dict[str, Any]) -> None:
    """Of a service that several things may serve: what one of them takes says nothing about another."""
    assert evidence(stack, answer([run(FAST)]))["results"]["backends"] == {}
    variables = {"stack_name": "ready", "ready_services": ["ai"], "ready_bind_address": "127.0.0.1"}
    endpoint = {"base_url": "https://api.example.org/v1", "chat": "m"}
    given = answer([run(FAST)])
    given["services"] = {"ai": given["services"]["redis"]}
    for more, found in (
        ({}, {"name": "local", "title": "local model"}),
        (
            {"ai_backend": "external", "ai_endpoint": endpoint},
            {"name": "external", "title": "external endpoint", "endpoint": endpoint["base_url"], "models": ["m"]},
        ),
    ):
        document = evidence(resolve_stack(load_definitions(), variables | more), given)
        assert document["results"]["backends"] == {"ai": found}


def test_the_second_tier_is_not_judged(stack: dict[str, Any]) -> None:
    """It is over its objective here, and is told."""
    part = judge_latency(stack, answer([run(FAST)]), {})
    assert part.verdict == "pass"
    assert part.results["services"]["redis"]["cache_miss"]["verdict"] == "not_applicable"
    assert any("p95 9 ms (objective 5 ms)" in row["detail"] for row in part.rows)


def test_the_median_run_counts(stack: dict[str, Any]) -> None:
    """Of those that agree."""
    runs = [run([9.0] * 1000), run(spread(0.1, 0.4, 0.5)), run(FAST)]
    hit = evidence(stack, answer(runs))["results"]["services"]["redis"]["cache_hit"]
    assert (hit["verdict"], hit["p95_ms"], len(hit["runs"])) == ("pass", 0.2, 3)


def test_a_service_that_can_not_be_measured_fails(stack: dict[str, Any]) -> None:
    """With what was found."""
    part = judge_latency(stack, answer([], operations={}, error="the fixture could not be built: refused"), {})
    assert part.verdict == "fail"
    assert part.results["errors"] == {"redis": "the fixture could not be built: refused"}
    assert "./ready logs --service redis" in part.next[0]


def test_what_the_deadline_cut_off_is_unknown(stack: dict[str, Any]) -> None:
    """It neither passes nor fails."""
    part = judge_latency(stack, answer([run(FAST)], complete=False), {})
    assert part.verdict == "insufficient_data"
    assert "deadline" in part.rows[0]["detail"]


def test_where_there_is_no_room_nothing_is_known(stack: dict[str, Any]) -> None:
    """The fixture was not built, for the sake of the data; that is reported, and no fault of the service's."""
    reason = "memory: found 9 of 10 bytes in use"
    previous = evidence(stack, answer([run(FAST)]))
    found = evidence(stack, answer([], operations={}, complete=False, refused=reason), previous)
    assert (found["verdict"], found["results"]["errors"]) == ("insufficient_data", {"redis": reason})
    assert found["results"]["baselines"]["redis"]["cache_hit"][0]["p99_ms"] == 0.3
    part = judge_latency(stack, answer([], operations={}, complete=False, refused=reason), {})
    assert (part.rows[0]["detail"], "redis_memory" in part.next[0]) == (reason, True)


def test_a_fixture_that_stays_is_told(stack: dict[str, Any]) -> None:
    """It does not make the figures worse."""
    part = judge_latency(stack, answer([run(FAST)], left="refused"), {})
    assert (part.verdict, "stays in redis" in part.next[0]) == ("pass", True)
