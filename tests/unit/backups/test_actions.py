"""The action before a restore: what the user sees before the question."""

from __future__ import annotations

from typing import Any

import pytest
from ready.docker.spec import ContainerSpec

from tests.unit.actions import Asked, run
from tests.unit.conftest import resolved_stack


def plan(monkeypatch: pytest.MonkeyPatch, exists: bool, **other: Any) -> dict[str, Any]:
    """Plan for a stack of Redis, which runs, and Neo4j, which is starting and has another limit of memory."""
    stack = resolved_stack(ready_services=["redis", "neo4j"])
    services: dict[str, Any] = {}
    for name, health in (("redis", "healthy"), ("neo4j", "starting")):
        its = stack["services"][name]
        config = ContainerSpec.from_service(its, "ready", "ready", "sha256:1").as_dict()
        services[name] = {"exists": True, "ours": True, "running": True, "status": "running", "health": health,
                          "image": {"ref": name, "id": "sha256:1", "present": True}, "config": config,
                          "files_hash": None}  # fmt: skip
    services["neo4j"]["config"]["memory"] = 1
    state = {"services": services, "volumes": {"ready_redis_data": {"exists": exists}, "ready_x": {"exists": False}}}
    return run("restore_plan", Asked(), monkeypatch, stack=stack, state=state, **other)


def test_a_host_without_volumes_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is replaced, so there is nothing to say."""
    assert plan(monkeypatch, exists=False) == {"changed": False, "fresh": True, "notices": [], "lines": []}


def test_what_is_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the services that are restored: what differs, what starts, and what becomes of the data."""
    found = plan(monkeypatch, exists=True)
    assert found["fresh"] is False
    assert [line.partition(" ")[0] for line in found["notices"]] == ["neo4j", "Waiting"]
    assert found["lines"] == [
        "redis: all its data; a safety set has them",
        "neo4j: all its data; a safety set has them",
    ]
    found = plan(monkeypatch, exists=True, only=["redis"], without_safety_set=True)
    assert found["notices"] == []
    assert found["lines"] == ["redis: all its data; for good, without a safety set"]
