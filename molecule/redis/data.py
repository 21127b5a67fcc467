"""What a test writes to Redis, and reads: a key."""

from __future__ import annotations

import time

from tests.stack import Stack


def write(stack: Stack) -> None:
    """Write it; what is written last second may be lost by appendfsync everysec, so that second is waited for."""
    stack.redis().set("ready_test", "42")
    time.sleep(1.1)


def check(stack: Stack) -> None:
    """Read it."""
    assert stack.redis().get("ready_test") == "42"
