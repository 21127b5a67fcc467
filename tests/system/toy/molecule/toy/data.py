"""What a test writes to the toy, and reads: its word."""

from __future__ import annotations

import httpx

from tests.stack import Stack


def _ask(stack: Stack, method: str, **more: str) -> str:
    its = stack.settings("toy")
    login = its["TOY_USERNAME"], its["TOY_PASSWORD"]
    answer = httpx.request(method, f"{its['TOY_URL']}/cgi-bin/word", auth=login, trust_env=False, **more)
    answer.raise_for_status()
    return answer.text


def write(stack: Stack) -> None:
    """Write it."""
    _ask(stack, "POST", content="ready")


def check(stack: Stack) -> None:
    """Read it."""
    assert _ask(stack, "GET") == "ready"
