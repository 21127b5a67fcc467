"""Waiting for a state instead of a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tests.stack import Stack

T = TypeVar("T")


def until(state: Callable[[], T | None], what: str, seconds: float = 180, pause: float = 0.05) -> T:
    """Return what `state` returns as soon as that is true; fail with `what` was expected when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := state()):
        assert time.monotonic() < deadline, f"after {seconds:g} s: found {found!r}, expected {what}"
        time.sleep(pause)
    return found


def answering(stack: Stack, *services: str, seconds: float = 180) -> None:
    """Wait until these services give what `stack.write` put there."""
    for service in services:
        deadline = time.monotonic() + seconds
        while True:
            try:
                stack.check(service)
                break
            except Exception:  # whatever a driver raises meanwhile; the last one is raised
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
