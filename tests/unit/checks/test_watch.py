"""What changes from round to round, and the summary."""

from __future__ import annotations

from typing import Any

from ready.checks.watch import Watch, service_lines


def answer(verdict: str, detail: str = "") -> dict[str, Any]:
    """Return a service's outcome."""
    return {"verdict": verdict, "seconds": 0.0012, "checks": {"answers": {"verdict": verdict, "detail": detail}}}


def test_only_changes_are_told() -> None:
    """All services in the first round, then those whose verdict has changed, with how long an outage was."""
    watch = Watch()
    good, bad = answer("pass"), answer("fail", "refused")
    assert watch.observe(0, {"a": good, "b": good}) == ["00:00:00Z a: pass", "00:00:00Z b: pass"]
    assert watch.observe(5, {"a": good, "b": good}) == []
    assert watch.observe(10, {"a": good, "b": bad}) == ["00:00:10Z b: fail: answers: refused"]
    assert watch.observe(15, {"a": good, "b": bad}) == []
    assert watch.observe(20, {"a": good, "b": good}) == ["00:00:20Z b: pass after 10.0 s"]
    summary = watch.summary()
    assert (summary["rounds"], summary["verdict"]) == (5, "fail")
    assert summary["services"]["a"] == {"verdict": "pass", "failed_rounds": 0, "longest_outage_seconds": 0}
    assert summary["services"]["b"] == {"verdict": "pass", "failed_rounds": 2, "longest_outage_seconds": 10}
    assert watch.summary_lines() == [
        "a: 0 of 5 rounds failed",
        "b: 2 of 5 rounds failed, longest outage 10.0 s",
    ]


def test_longest_of_several_outages() -> None:
    """The one that has not ended counts as long as it was seen."""
    watch = Watch()
    for at, verdict in enumerate(["fail", "pass", "fail", "fail", "fail"]):
        watch.observe(at, {"a": answer(verdict)})
    assert watch.summary()["services"]["a"] == {
        "verdict": "fail",
        "failed_rounds": 4,
        "longest_outage_seconds": 2,
    }
    assert watch.summary_lines() == ["a: 4 of 5 rounds failed, longest outage 2.0 s, still failing"]


def test_all_well_and_nothing_known() -> None:
    """A watch without rounds has shown nothing."""
    watch = Watch()
    assert watch.summary()["verdict"] == "insufficient_data"
    watch.observe(0, {"a": answer("pass"), "b": answer("not_applicable")})
    assert watch.summary()["verdict"] == "pass"


def test_a_line_a_service() -> None:
    """Columns in line; why it failed at the end."""
    lines = service_lines({"redis": answer("pass"), "postgresql": answer("fail", "refused")})
    assert lines == [
        "redis       pass                1.2 ms",
        "postgresql  fail                1.2 ms  answers: refused",
    ]
