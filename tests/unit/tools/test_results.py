"""How `./ready test` counts: failures, skips, reports that are missing, and what a failed step shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.testing.results import Durations, Outcome, allowed_skips, excerpt, forbidden_skips, read_report

PASSED = '<testcase classname="tests.a" name="test_1" time="1.5"/>'
FAILED = '<testcase classname="tests.a" name="test_2" time="2"><failure message="no"/></testcase>'
AND_ITS_END = '<testcase classname="tests.a" name="test_2" time="1"><error message="teardown"/></testcase>'
SKIPPED = '<testcase classname="tests.a" name="test_3[x]" time="0"><skipped message="no net"/></testcase>'


def report(directory: Path, *cases: str) -> Path:
    """Write a JUnit report."""
    path = directory / "report.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


@pytest.mark.parametrize(
    ("cases", "code", "expected"),
    [
        ((PASSED,), 0, (1, 0, 0)),
        ((PASSED, FAILED), 1, (1, 1, 0)),
        ((PASSED, FAILED, AND_ITS_END), 1, (1, 1, 0)),
        ((PASSED, SKIPPED), 0, (1, 0, 1)),
        ((PASSED,), 1, (1, 1, 0)),
        ((), 0, (0, 1, 0)),
        ((), 5, (0, 1, 0)),
    ],
    ids=["pass", "fail", "fails twice", "skip", "died after its tests", "no test", "nothing collected"],
)
def test_counting(tmp_path: Path, cases: tuple[str, ...], code: int, expected: tuple[int, int, int]) -> None:
    """A run that did not end well, or that ran no test, is never counted as passed."""
    outcome = read_report("a", report(tmp_path, *cases), code)
    assert (outcome.passed, outcome.failed, len(outcome.skipped)) == expected


@pytest.mark.parametrize("text", [None, "<testsuites>"], ids=["missing", "cut"])
def test_no_report(tmp_path: Path, text: str | None) -> None:
    """A step that left no report has failed."""
    if text:
        (tmp_path / "report.xml").write_text(text)
    assert read_report("a", tmp_path / "report.xml", 0).failed == 1


def test_skips_need_a_reason_in_the_list(tmp_path: Path) -> None:
    """One that is not on the list is a failure, whatever its parameters; one that is listed is none."""
    outcome = read_report("a", report(tmp_path, PASSED, SKIPPED), 0)
    assert forbidden_skips([outcome], {}) == {"tests.a::test_3[x]": "no net"}
    assert forbidden_skips([outcome], {"tests.a::test_3": "only where there is a net"}) == {}
    assert all(reason.strip() for reason in allowed_skips().values())


def test_seconds_are_kept(tmp_path: Path) -> None:
    """Of what passed; a later file wins; a broken one says nothing."""
    durations = Durations()
    durations.keep([Outcome("a", 2, 0, 3.14159, tests={"t": 1.234}), Outcome("b", 0, 1, 9.0, tests={"u": 9.0})])
    durations.write(tmp_path / "one.json")
    (tmp_path / "two.json").write_text("{")
    assert Durations.read(tmp_path / "one.json", tmp_path / "two.json") == Durations({"a": 3.1}, {"t": 1.23})
    durations.keep([Outcome("a", 2, 0, 5.0)])
    durations.write(tmp_path / "two.json")
    assert Durations.read(tmp_path / "one.json", tmp_path / "two.json").steps == {"a": 5.0}


def test_the_failed_task_is_shown() -> None:
    """Also when it lies far before the end; every line once, in order."""
    lines = [f"line {at}" for at in range(400)]
    lines[100] = 'fatal: [localhost]: FAILED! => {"msg": "boom"}'
    lines[390] = "fatal: [localhost]: in the end that is shown anyway"
    shown = excerpt(lines)
    assert lines[100] in shown
    assert shown == sorted(set(shown), key=lines.index)
    assert shown[-80:] == lines[-80:]
    assert len(shown) < 130


def test_a_short_log_is_shown_whole() -> None:
    """Nothing lies before its end."""
    assert excerpt(["fatal: [a]: FAILED!", "b"]) == ["fatal: [a]: FAILED!", "b"]
