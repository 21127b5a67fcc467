"""What a failed step of `./ready test` shows: a clean-up at a log's end must not hide the task that failed."""

from __future__ import annotations

from tools.run_tests import excerpt


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
