"""The baseline of latency: what becomes one, what is usable, and what a busier host excuses."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ready.host.load import Reading, busyness
from ready.latency.baselines import usable_baseline
from ready.latency.verdicts import agreed_verdict, judge_latency, measured_enough, regression_verdict

from tests.unit.latency.measured import BASE, FAST, GOOD, IMAGE, NOW, QUIET, SLOW, answer, evidence, run, spread


@pytest.mark.parametrize(
    ("image", "samples", "usable"), [(IMAGE, 1000, True), ("sha256:2", 1000, False), (IMAGE, 2000, False)]
)
def test_a_baseline_is_of_one_image_and_setting(image: str, samples: int, usable: bool) -> None:
    """After an upgrade, or with other settings, it is measured again."""
    previous = {"services": {"redis": {"cache_hit": {"baseline": BASE}}}}
    assert usable_baseline(previous, "redis", "cache_hit", image, samples) == (BASE if usable else None)
    assert usable_baseline({}, "redis", "cache_hit", image, samples) is None


def test_the_first_good_measurement_is_the_baseline(stack: dict[str, Any]) -> None:
    """The next one is compared with it, and does not move it."""
    first = evidence(stack, answer([run(FAST)]))
    hit = first["results"]["services"]["redis"]["cache_hit"]
    assert (first["verdict"], hit["verdict"], hit["regression"]) == ("pass", "pass", None)
    assert hit["baseline"] == {"p99_ms": 0.3, "at": NOW, "image_id": IMAGE, "samples": 1000, "busy": QUIET}
    slow = [run(spread(0.1, 0.2, 0.7))] * 2
    second = evidence(stack, answer(slow), first)
    hit = second["results"]["services"]["redis"]["cache_hit"]
    assert second["verdict"] == "fail"
    assert (hit["verdict"], hit["baseline"]["p99_ms"]) == ("pass", 0.3)  # the objective is kept all the same
    said = {"verdict": "fail", "factor": pytest.approx(2.333), "busier": "", "busier_checks": 0}
    assert hit["regression"] == said
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
    assert (again["regression"]["verdict"], again["regression"]["factor"]) == ("insufficient_data", pytest.approx(1))


@pytest.mark.parametrize(
    ("busy", "verdict"),
    [
        ({}, "fail"),
        ({"others_percent": 49.0, "stolen_percent": 4.5}, "fail"),
        ({"others_percent": 51.0}, "insufficient_data"),
        ({"others_percent": None}, "fail"),  # Docker did not say what the container used
        ({"stolen_percent": 5.5}, "insufficient_data"),
        ({"others_percent": 5.0}, "fail"),
    ],
)
@pytest.mark.parametrize("milliseconds", [SLOW, FAST])
def test_noise_is_no_regression(
    stack: dict[str, Any], milliseconds: list[float], busy: dict[str, float | None], verdict: str
) -> None:
    """On a host that is busier than at the baseline nothing is known: it neither fails nor passes."""
    first = evidence(stack, answer([run(FAST)]))
    found = evidence(stack, answer([run(milliseconds, busy=QUIET | busy)] * 2), first)
    hit = found["results"]["services"]["redis"]["cache_hit"]
    assert hit["verdict"] == "pass"
    assert hit["regression"]["verdict"] == ("pass" if verdict == "fail" and milliseconds is FAST else verdict)
    assert found["verdict"] == hit["regression"]["verdict"]


@pytest.mark.parametrize("cores", [2, 4, 8])
def test_a_regression_that_costs_processors_fails(stack: dict[str, Any], cores: int) -> None:
    """A service that needs a core for what took a tenth of one is no busier host; a neighbour's core is."""

    def busy(service: float, neighbour: float = 0.0) -> dict[str, float | None]:
        """Return how busy the host was in a run of three seconds in which the prober used a tenth of a core."""
        second = os.sysconf("SC_CLK_TCK")
        used = round(3 * second * (service + neighbour + 0.1))
        ticks = {"user": used, "idle": 3 * second * cores - used, "iowait": 0, "steal": 0}
        begin = Reading(0.0, dict.fromkeys(ticks, 0), None)
        return busyness(begin, Reading(3.0, ticks, None, own=0.3), 3 * service)

    first = evidence(stack, answer([run(FAST, busy=busy(0.1))]))
    for now, verdict in ((busy(1.0), "fail"), (busy(0.1, 1.0), "insufficient_data")):
        found = evidence(stack, answer([run(SLOW, busy=now)] * 2), first)
        assert (found["verdict"], found["results"]["services"]["redis"]["cache_hit"]["verdict"]) == (verdict, "pass")


def test_a_busy_host_excuses_no_missed_objective(stack: dict[str, Any]) -> None:
    """The absolute one is judged as ever."""
    first = evidence(stack, answer([run(FAST)]))
    found = evidence(stack, answer([run([9.0] * 1000, busy=QUIET | {"others_percent": 100.0})] * 2), first)
    assert (found["verdict"], found["results"]["services"]["redis"]["cache_hit"]["verdict"]) == ("fail", "fail")


def test_a_quieter_moment_counts() -> None:
    """What is measured on a busier host is measured again, and what two runs agree on counts."""
    busy = run(GOOD, busy=QUIET | {"others_percent": 90.0})
    assert not measured_enough([busy], 10, BASE)
    assert not measured_enough([busy, run(GOOD)], 10, BASE)
    assert agreed_verdict([regression_verdict(its, 10, BASE) for its in (busy, run(GOOD), run(GOOD))]) == "pass"


def test_a_host_that_stays_busier_is_told(stack: dict[str, Any]) -> None:
    """In the third check in a row; a quiet one between them begins the count again."""
    previous = evidence(stack, answer([run(FAST)]))
    busy = answer([run(SLOW, busy=QUIET | {"others_percent": 90.0})] * 2)
    said = []
    for measured in (busy, busy, answer([run(FAST)]), busy, busy, busy, busy):
        (*_, step) = judge_latency(stack, measured, previous).next or [""]
        said.append(next((number for number in "34" if f"in {number} checks in a row (redis cache_hit)" in step), step))
        previous = evidence(stack, measured, previous)
    waits = (
        "Next: the host is busier than at the baseline of redis cache_hit: run ./ready check again when it is quiet."
    )
    assert said == [waits, waits, "", waits, waits, "3", "4"]
    part = judge_latency(stack, busy, previous)
    assert "./ready check --accept-baseline" in part.next[-1]
    row = next(row for row in part.rows if row["check"] == "cache_hit regression")
    assert "processors used by others 90 % (40 % at the baseline)" in row["detail"]


def test_a_level_is_accepted(stack: dict[str, Any]) -> None:
    """What passes is the baseline from now on, and the old one is forgotten; what does not keeps the old one."""
    first = evidence(stack, answer([run(FAST)]))
    slow = answer([run(SLOW, busy=QUIET | {"others_percent": 90.0})])
    part = judge_latency(stack, slow, first, accept=True)
    hit = part.results["services"]["redis"]["cache_hit"]
    assert (part.verdict, hit["baseline"]["p99_ms"], hit["regression"]) == ("pass", 0.7, None)
    assert hit["baseline"]["busy"]["others_percent"] == 90.0
    assert part.results["baselines"] == {}
    late = judge_latency(stack, answer([run(FAST, late_ms=0.6)] * 2), first, accept=True)
    assert late.results["services"]["redis"]["cache_hit"]["baseline"]["p99_ms"] == 0.3


def test_a_baseline_of_an_earlier_version(stack: dict[str, Any]) -> None:
    """It does not say how busy the host was: what is slower may be so by that, until a run that is not has said it."""
    first = evidence(stack, answer([run(FAST)]))
    del first["results"]["services"]["redis"]["cache_hit"]["baseline"]["busy"]
    passed = evidence(stack, answer([run(spread(0.1, 0.2, 0.4))]), first)
    hit = passed["results"]["services"]["redis"]["cache_hit"]
    assert (passed["verdict"], hit["baseline"]["p99_ms"], hit["baseline"].get("busy")) == ("pass", 0.3, QUIET)
    assert judge_latency(stack, answer([run(SLOW)] * 2), passed).verdict == "fail"
    part = judge_latency(stack, answer([run(SLOW)] * 2), first)
    assert (part.verdict, "--accept-baseline" in part.next[0]) == ("insufficient_data", True)
    assert any("does not say how busy" in row["detail"] for row in part.rows)


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
