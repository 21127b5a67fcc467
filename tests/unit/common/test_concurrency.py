"""Several calls at once under one deadline."""

from __future__ import annotations

import threading
import time

import pytest
from ready.common.concurrency import for_each, run_all


def test_each_is_told_as_it_is() -> None:
    """What returned, what raised and what hangs; the hanging one holds nothing up."""
    gate = threading.Event()

    def broken() -> str:
        raise ValueError("two\nlines")

    def hanging() -> str:
        gate.wait(30)
        return "late"

    started = time.monotonic()
    results, faults = run_all({"good": lambda: "yes", "broken": broken, "hanging": hanging}, 0.2)
    assert time.monotonic() - started < 5
    gate.set()
    assert results == {"good": "yes"}
    assert faults == {"broken": "ValueError: two lines", "hanging": "no answer within 0.2 s"}


def test_an_error_waits_for_the_others() -> None:
    """All begin at once and come to their end; then the first error of their order is raised."""
    meeting, ended = threading.Barrier(3, timeout=5), []

    def work(number: int) -> None:
        meeting.wait()
        if number < 2:
            raise ValueError(number)
        time.sleep(0.05)
        ended.append(number)

    with pytest.raises(ValueError, match="0"):
        for_each(work, range(3))
    assert ended == [2]
