"""Drift as people read it."""

from __future__ import annotations

from typing import Any

import pytest
from ready.docker.drift import summary


@pytest.mark.parametrize(
    ("key", "found", "expected", "lines"),
    [
        ("memory", 1, 2, ["memory: found 1, expected 2"]),
        ("command", ["x" * 200], [], ["command differs"]),
        (
            "volumes",
            {"/data": "a:ro", "/x": "b:rw"},
            {"/data": "a:rw", "/x": "b:rw", "/y": "c:rw"},
            ["volumes /data: found a:ro, expected a:rw", "volumes /y: found None, expected c:rw"],
        ),
        ("ports", None, {"1/tcp": "127.0.0.1:1"}, ["ports: found None, expected {'1/tcp': '127.0.0.1:1'}"]),
    ],
)
def test_field_is_named(key: str, found: Any, expected: Any, lines: list[str]) -> None:
    """With both values, unless they are long; of a mapping each field by itself."""
    assert summary({key: {"found": found, "expected": expected}}) == lines


def test_environment_is_never_shown() -> None:
    """What somebody put there by hand may be a secret."""
    found = {"PASSWORD": "s3cret", "MODE": "s3cret", "SAME": "1"}
    expected = {"MODE": "prod", "NEEDED": "1", "SAME": "1"}
    assert summary({"env": {"found": found, "expected": expected}}) == [
        "env MODE: changed",
        "env NEEDED: missing",
        "env PASSWORD: not in the inventory",
    ]
