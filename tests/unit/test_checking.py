"""What `check` makes of a state and of answers, without a service."""

from __future__ import annotations

from typing import Any

import pytest
from ready.checking import check_stack
from ready.container import desired
from ready.definitions import load_definitions, resolve_stack
from ready.status import service_state


@pytest.fixture
def stack() -> dict[str, Any]:
    """Return a stack of Redis alone."""
    variables = {"stack_name": "ready", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    return resolve_stack(load_definitions(), variables)


@pytest.fixture
def state(stack: dict[str, Any]) -> dict[str, Any]:
    """Return the state of that stack when all is as it should be."""
    service = stack["services"]["redis"]
    found = {
        "exists": True,
        "ours": True,
        "running": True,
        "status": "running",
        "health": "healthy",
        "image": {"ref": "redis:7", "id": "sha256:1", "present": True},
        "config": desired(service, "ready", "ready", "sha256:1"),
        "files_hash": service.get("config_hash"),
    }
    return {"services": {"redis": found}, "volumes": {}, "others": []}


def answer(verdict: str) -> dict[str, Any]:
    """Return what the probe of Redis told."""
    check = {"verdict": verdict, "seconds": 0.01, "detail": "" if verdict == "pass" else "no", "figures": {"keys": 1}}
    return {"redis": {"verdict": verdict, "seconds": 0.01, "checks": {"key_value": check}}}


def test_all_is_well(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """No next step, a row per check, and the checks are in the evidence."""
    found = check_stack(stack, state, answer("pass"))
    assert (found["verdict"], found["health"], found["next"]) == ("pass", "pass", [])
    assert [row["check"] for row in found["rows"]] == ["container", "key_value", "drift"]
    assert found["results"]["services"]["redis"]["checks"]["key_value"]["verdict"] == "pass"


def test_one_check_is_enough_to_fail(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """A service whose container is healthy fails with its answers."""
    found = check_stack(stack, state, answer("fail"))
    assert (found["verdict"], found["health"]) == ("fail", "fail")
    assert "--service redis" in found["next"][0]


def test_drift_is_no_illness(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """The check fails, the evidence of health does not."""
    state["services"]["redis"]["config"]["memory"] = 1
    found = check_stack(stack, state, answer("pass"))
    assert (found["verdict"], found["health"]) == ("fail", "pass")
    assert found["results"]["services"]["redis"]["drift"] == ["memory: found 1, expected 268435456"]


def test_unmanaged_container_is_named(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """One with our label that the inventory does not know."""
    state["others"] = [{"name": "ready-old", "status": "running", "service": "old"}]
    found = check_stack(stack, state, answer("pass"))
    assert found["verdict"] == "fail"
    assert "ready-old" in found["next"][0]


@pytest.mark.parametrize(("answers", "expected"), [(answer("pass"), "pass"), ({}, "fail")])
def test_just_started(stack: dict[str, Any], state: dict[str, Any], answers: dict[str, Any], expected: str) -> None:
    """Docker's first health test comes late: who answers is well, who was not asked is not called so."""
    state["services"]["redis"]["health"] = "starting"
    assert check_stack(stack, state, answers)["health"] == expected


def test_paused_is_said() -> None:
    """Docker calls a paused container running, and keeps its last health."""
    assert service_state({"running": True, "status": "paused", "health": "healthy"}) == "paused"
    assert service_state({"running": True, "status": "running", "health": "healthy"}) == "healthy"
