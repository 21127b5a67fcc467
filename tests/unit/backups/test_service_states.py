"""How services stand before a backup or a restore: what differs, what is waited for, what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ready.backups import service_states
from ready.backups.manifest import BackupError


def test_said_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs at once, with the next step; what is starting, with how long it is waited for."""
    differs = {"a": {"memory": {"found": 1, "expected": 2}, "env": {"found": {}, "expected": {"x": 1}}}}
    monkeypatch.setattr(service_states, "drift", lambda _stack, name, _found: differs.get(name, {}))
    running = {"running": True, "status": "running"}
    state = {"services": {"a": running | {"health": "healthy"}, "b": running | {"health": "starting"}}}
    assert service_states.notices(state, {}, ["a", "b"]) == [
        "a differs from the inventory in env, memory. Next: ./ready up",
        "Waiting for b, still starting: at most 10 minutes.",
    ]
    assert service_states.notices(state | {"services": {"c": {"running": False}}}, {}, ["c"]) == []


def a_service(status: str, **other: Any) -> dict[str, Any]:
    """Return the state of a service whose container has that status."""
    return {"exists": True, "ours": True, "status": status, "running": status == "running", "restarts": 0, **other}


def test_judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is down or fails is not waited for, and its drift is reported with it; another's is refused."""
    state = {"services": {"a": a_service("exited"), "b": a_service("restarting"), "c": a_service("running")}}
    stack = {"name": "s", "network": "s", "services": {name: {"container": f"s-{name}"} for name in "abc"}}
    monkeypatch.setattr(service_states, "read_state", lambda *_: state)
    monkeypatch.setattr(service_states, "drift", lambda _stack, name, _found: {"memory": {}} if name == "a" else {})
    answer = {"c": {"healthy": False, "state": "unhealthy", "detail": "no answer"}}
    monkeypatch.setattr(service_states, "wait_for_all", lambda *_: answer)
    monkeypatch.setattr(service_states, "find_container", lambda *_: None)
    client: Any = None
    found = service_states.read_service_states(client, stack, "abc")
    assert (found.well, found.stopped, found.left_stopped) == ([], ["a", "b"], ["a"])
    with pytest.raises(BackupError, match=r"a: found its container exited, .*; it differs from the inventory in mem"):
        service_states.refuse_down(client, stack, "abc")
    state["services"]["a"]["ours"] = False
    with pytest.raises(BackupError, match="s-a is not this stack's"):
        service_states.read_service_states(client, stack, "abc")


def test_waits_for_what_is_starting_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for one that Docker calls unhealthy, nor for one that it restarts again and again meanwhile."""
    asked: list[list[str]] = []
    health = {"a": ["unhealthy"], "b": ["starting", "starting"], "c": ["starting", "starting"]}
    restarts = {"a": [0], "b": [2, 2], "c": [7, 8]}

    def wait(services: dict[str, Any], *_: Any) -> dict[str, Any]:
        asked.append(sorted(services))
        return {name: {"healthy": name == "b" and len(asked) == 3, "state": "x", "detail": ""} for name in services}

    def find(_: Any, name: str) -> Any:
        attrs = {"RestartCount": restarts[name].pop(0)}
        return SimpleNamespace(status="running", health=health[name].pop(0), attrs=attrs)

    monkeypatch.setattr(service_states, "wait_for_all", wait)
    monkeypatch.setattr(service_states, "find_container", find)
    monkeypatch.setattr(service_states, "PAUSE", 0)
    client: Any = None
    services = {name: {"container": name} for name in "abc"}
    found = service_states._health_outcomes(client, services, {"a": 0, "b": 2, "c": 7})
    assert asked == [["a", "b", "c"], ["b", "c"], ["b"]]
    assert {name: its["healthy"] for name, its in found.items()} == {"a": False, "b": True, "c": False}
