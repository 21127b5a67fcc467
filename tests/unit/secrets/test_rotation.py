"""What a rotation prints at its end."""

from __future__ import annotations

from typing import Any

import pytest
from ready.secrets import rotation

from tests.unit.actions import Asked, run
from tests.unit.conftest import resolved_stack

ROTATED = (
    "pc1: the passwords of {} are new: applications need new settings. Next: ./ready env --secrets --output FILE, then "
    "restart them"
)


def stack() -> dict[str, Any]:
    """Return a stack whose ai is elsewhere."""
    return resolved_stack(ready_services=["redis", "chromadb"]) | {"external": {"ai": {}}}


def test_who_needs_new_settings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All services, or those that were asked for; what is printed is returned as well."""
    result = run("rotation_report", Asked(), monkeypatch, stack=stack(), services=["redis"], key_ends={})
    assert result == {"changed": False, "lines": [ROTATED.format("redis")]}
    assert ROTATED.format("redis") in " ".join(capsys.readouterr().out.split())


def test_a_provider_makes_its_own_key() -> None:
    """It is named when everything was asked for, and when it was."""
    stays = "pc1: the key of ai stays: its provider makes it. Next: ./ready secrets set --service ai takes a new one"
    assert rotation.lines(stack(), [], {}, "pc1") == [ROTATED.format("redis, chromadb"), stays]
    assert rotation.lines(stack(), ["chromadb", "ai"], {}, "pc1") == [ROTATED.format("chromadb"), stays]


def test_old_keys_are_valid_for_a_while() -> None:
    """Of those that were rotated."""
    ends = {"redis": 1796000700, "other": 1796000700}
    (line,) = rotation.lines(stack(), ["redis"], ends, "pc1")
    assert line == ROTATED.format("redis") + "; redis takes the old keys until 2026-11-30 01:05:00 UTC"
