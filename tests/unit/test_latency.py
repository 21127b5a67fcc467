"""What measured latency shows: percentiles with misses, verdicts, runs, the baseline."""

from __future__ import annotations

from typing import Any

import pytest
from ready.definitions import load_definitions, resolve_stack
from ready.evidence import check, make
from ready.latency import (
    agreed,
    judge_latency,
    measured_enough,
    percentile,
    regression_verdict,
    run_verdict,
    usable_baseline,
)
from ready.series import Series, brief, figures

NOW = "2026-11-24T12:00:00Z"
IMAGE = "sha256:1"


def series(milliseconds: list[float], misses: int = 0) -> dict[str, Any]:
    """Return the figures of samples and misses."""
    made = Series([int(value * 1e6) for value in milliseconds])
    if misses:
        made.miss("CheckError: wrong", misses)
    return figures(made)


def run(milliseconds: list[float], misses: int = 0, late_ms: float | None = 0.01, **other: Any) -> dict[str, Any]:
    """Return a run of an operation."""
    return {
        "service": series(milliseconds, misses),
        "lateness": None if late_ms is None else series([late_ms] * 100),
        "response": series(milliseconds) | {"rate_per_s": 500.0},
        "connection": series([5.0] * 10),
        "warm_up": brief(Series([1_000_000])),
        "first_ms": 3.0,
        "steal_percent": 0.0,
        "load": 0.5,
        "detail": "",
    } | other


def spread(p50: float, p95: float, p99: float, n: int = 1000) -> list[float]:
    """Return samples with about these percentiles."""
    return [p50] * int(n * 0.9) + [p95] * int(n * 0.06) + [p99] * int(n * 0.04)


GOOD = spread(1, 2, 3)


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


BASE = {"p99_ms": 3.0, "at": NOW, "image_id": IMAGE, "samples": 1000}
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
    assert agreed([run_verdict(its, 10)[0] for its in runs]) == verdict
    assert agreed([regression_verdict(its, 10, BASE) for its in runs]) == regression
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


@pytest.mark.parametrize(
    ("image", "samples", "usable"), [(IMAGE, 1000, True), ("sha256:2", 1000, False), (IMAGE, 2000, False)]
)
def test_a_baseline_is_of_one_image_and_setting(image: str, samples: int, usable: bool) -> None:
    """After an upgrade, or with other settings, it begins anew."""
    previous = {"services": {"redis": {"cache_hit": {"baseline": BASE}}}}
    assert usable_baseline(previous, "redis", "cache_hit", image, samples) == (BASE if usable else None)
    assert usable_baseline({}, "redis", "cache_hit", image, samples) is None


@pytest.fixture
def stack() -> dict[str, Any]:
    """Return a stack of Redis alone."""
    variables = {"stack_name": "ready", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    return resolve_stack(load_definitions(), variables)


HOST = {
    "seconds": 1.0,
    "cpu_percent": 3.0,
    "steal_percent": 0.0,
    "memory_percent": 20.0,
    "disk_percent": 5.0,
    "load": 0.1,
    "psi": None,
}


def answer(runs: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
    """Return what the module would return for Redis."""
    operations = {
        "cache_hit": {"objective_ms": 1.0, "judged": True, "runs": runs},
        "cache_miss": {"objective_ms": 5.0, "judged": False, "runs": [run([9.0] * 200)]},
    }
    redis = {"image_id": IMAGE, "size": "keys", "error": "", "complete": True, "left": "", "operations": operations}
    return {
        "at": NOW,
        "samples": 1000,
        "seconds": 9.0,
        "services": {"redis": redis | other},
        "host": {"idle": HOST, "loaded": HOST},
    }


FAST = spread(0.1, 0.2, 0.3)


def evidence(stack: dict[str, Any], measured: dict[str, Any], previous: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the part as evidence, which must fit its schema."""
    part = judge_latency(stack, measured, previous or {})
    document = make("latency", "ready", "localhost", part.verdict, part.results, NOW, finished_at=NOW)
    assert check(document) == []
    return dict(document)


def test_the_first_good_measurement_is_the_baseline(stack: dict[str, Any]) -> None:
    """The next one is held against it, and does not move it."""
    first = evidence(stack, answer([run(FAST)]))
    hit = first["results"]["services"]["redis"]["cache_hit"]
    assert (first["verdict"], hit["verdict"], hit["regression"]) == ("pass", "pass", None)
    assert hit["baseline"] == {"p99_ms": 0.3, "at": NOW, "image_id": IMAGE, "samples": 1000}
    slow = [run(spread(0.1, 0.2, 0.7))] * 2
    second = evidence(stack, answer(slow), first)
    hit = second["results"]["services"]["redis"]["cache_hit"]
    assert second["verdict"] == "fail"
    assert (hit["verdict"], hit["baseline"]["p99_ms"]) == ("pass", 0.3)  # the objective is kept all the same
    assert hit["regression"] == {"verdict": "fail", "factor": pytest.approx(2.333)}
    rows = judge_latency(stack, answer(slow), first).rows
    assert any(row["check"] == "cache_hit regression" and "2.33 times" in row["detail"] for row in rows)


def test_a_doubtful_measurement_is_no_baseline(stack: dict[str, Any]) -> None:
    """Nor does it take away the one that there is."""
    late = [run(FAST, late_ms=0.6)] * 2
    found = evidence(stack, answer(late))
    assert found["verdict"] == "insufficient_data"
    assert found["results"]["services"]["redis"]["cache_hit"]["baseline"] is None
    first = evidence(stack, answer([run(FAST)]))
    again = evidence(stack, answer(late), first)["results"]["services"]["redis"]["cache_hit"]
    assert again["baseline"]["p99_ms"] == 0.3
    assert again["regression"] == {"verdict": "insufficient_data", "factor": pytest.approx(1)}


DOWN: dict[str, Any] = {"operations": {}, "error": "the fixture could not be built: refused", "image_id": None}
SHORT = [run(FAST[:100])]


@pytest.mark.parametrize(
    ("between", "samples"),
    [
        (answer([], **DOWN), 1000),
        (answer([], operations={}, complete=False), 1000),
        (answer([run(FAST)], image_id="sha256:2"), 1000),  # an upgrade that is rolled back
        (answer(SHORT), 100),
    ],
    ids=["down", "deadline", "another image", "other settings"],
)
def test_a_baseline_outlives_a_run_that_it_does_not_fit(
    stack: dict[str, Any], between: dict[str, Any], samples: int
) -> None:
    """Else whatever is measured next, however slow, would be the baseline."""
    previous = evidence(stack, answer([run(FAST)]))
    for _ in range(2):
        previous = evidence(stack, between | {"samples": samples}, previous)
    later = evidence(stack, answer([run(spread(0.1, 0.2, 0.7))] * 2), previous)
    hit = later["results"]["services"]["redis"]["cache_hit"]
    assert (hit["baseline"]["p99_ms"], hit["regression"]["verdict"]) == (0.3, "fail")
    assert all(its["image_id"] != IMAGE for its in later["results"]["baselines"].get("redis", {}).get("cache_hit", []))


def test_kept_baselines_are_few(stack: dict[str, Any]) -> None:
    """The newest ones, each of another image."""
    found: dict[str, Any] = {}
    for number in range(9):
        found = evidence(stack, answer([run(FAST)], image_id=f"sha256:{number}"), found)
    kept = found["results"]["baselines"]["redis"]["cache_hit"]
    assert [its["image_id"] for its in kept] == [f"sha256:{number}" for number in (7, 6, 5, 4)]


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
    """The fixture was not built, for the sake of the data; that is told, and no fault of the service's."""
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
