"""The actions that plan for a stack's containers: what tasks get of them, and what they ask the host."""

from __future__ import annotations

from typing import Any

import pytest
from ready.docker import stop_plan
from ready.stack.resolved import containers

from tests.unit.actions import Asked, run
from tests.unit.conftest import resolved_stack
from tests.unit.docker.test_plan import IMAGES, running


def test_a_plan_has_the_images_that_containers_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was newly found counts, else a container keeps its own; of the services, those that are named."""
    stack = resolved_stack(ready_services=["postgresql", "redis"])
    state = running(stack)
    args: dict[str, Any] = {"stack": stack, "state": state, "images": {}, "services": []}
    assert run("stack_plan", Asked(), monkeypatch, **args)["plan"]["changes"] is False
    state["services"]["redis"] |= {"exists": False, "ours": False, "running": False, "image": None}
    state["services"]["postgresql"]["running"] = False
    args["images"] = {"redis": {**IMAGES["redis"], "id": "sha256:new"}}
    plan = run("stack_plan", Asked(), monkeypatch, **args)["plan"]
    assert {name: plan["images"][name]["id"] for name in ("postgresql", "redis")} == {
        "postgresql": "sha256:postgresql",
        "redis": "sha256:new",
    }
    assert plan["actions"] == {"postgresql": "start", "redis": "create"}
    plan = run("stack_plan", Asked(), monkeypatch, **args | {"services": ["redis"]})["plan"]
    assert plan["actions"] == {"redis": "create"}


def test_destroy_asks_for_sizes_where_docker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the module says when it fails is the task's result."""
    stack = resolved_stack(ready_services=["redis"])
    state = running(stack)
    volume = stack["services"]["redis"]["volumes"][0]["name"]
    asked = Asked(stack_details={"details": {"memory": {}, "volumes": {volume: 2048}}})
    args: dict[str, Any] = {"stack": stack, "state": state}
    kept = run("destroy_plan", asked, monkeypatch, **args)["plan"]
    assert (kept["volumes"], kept["networks"]) == ([], ["ready"])
    assert f"kept: volume {volume} (2 KiB)" in kept["lines"]
    assert asked.args["stack_details"] == {"stack": stack}
    gone = run("destroy_plan", asked, monkeypatch, **args, volumes=True)["plan"]
    assert volume in gone["volumes"]
    asked = Asked(stack_details={"failed": True, "msg": "found no daemon"})
    assert run("destroy_plan", asked, monkeypatch, **args) == {"failed": True, "msg": "found no daemon"}
    state["reachable"] = False
    assert f"kept: volume {volume} (-)" in run("destroy_plan", Asked(), monkeypatch, **args)["plan"]["lines"]


def test_what_is_ours_stops_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What publishes a service's ports is first, what reads to the end is last."""
    stack = resolved_stack(ready_services=["ai", "postgresql", "redis"], backup_pitr=True)
    state = running(stack)
    state["services"]["redis"]["ours"] = False
    args: dict[str, Any] = {"stack": stack, "state": state, "services": []}
    result = run("stop_plan", Asked(), monkeypatch, **args)
    assert [each["name"] for each in result["containers"]] == ["ai_gateway", "ai", "postgresql", "wal"]
    assert result["containers"][0]["container"] == containers(stack)["ai_gateway"]["container"]
    result = run("stop_plan", Asked(), monkeypatch, **args | {"services": ["postgresql"]})
    assert [each["name"] for each in result["containers"]] == ["postgresql", "wal"]


def test_nothing_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the lock is taken."""
    stack = resolved_stack(ready_services=["postgresql", "redis"])
    state = running(stack)
    for its in state["services"].values():
        its["exists"] = False
    result = run("stop_plan", Asked(), monkeypatch, stack=stack, state=state)
    assert result["failed"]
    assert result["msg"].startswith(
        "pc1: found no container of the stack ready; expected one to stop. Nothing was changed. Next: ./ready status"
    )


def test_a_daemon_that_does_not_answer_says_nothing_of_containers() -> None:
    """Nobody knows then what is there."""
    stack: dict[str, Any] = resolved_stack(ready_services=["redis"])
    state = running(stack) | {"reachable": False}
    state["services"]["redis"]["exists"] = False
    assert stop_plan.fault(stack, state, "pc1") == ""
