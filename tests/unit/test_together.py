"""Several calls at once under one deadline."""

from __future__ import annotations

import threading
import time

from ready.together import together


def test_each_is_told_as_it_is() -> None:
    """What returned, what raised and what hangs; the hanging one holds nothing up."""
    gate = threading.Event()

    def broken() -> str:
        raise ValueError("two\nlines")

    def hanging() -> str:
        gate.wait(30)
        return "late"

    started = time.monotonic()
    results, faults = together({"good": lambda: "yes", "broken": broken, "hanging": hanging}, 0.2)
    assert time.monotonic() - started < 5
    gate.set()
    assert results == {"good": "yes"}
    assert faults == {"broken": "ValueError: two lines", "hanging": "no answer within 0.2 s"}
