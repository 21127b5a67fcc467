"""A newer Ready that defines a service in another way: `up --check` names each container and why it is made again."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ready.common.labels import LABEL_CONFIG
from ready.docker.images_in_use import images_in_use
from ready.docker.plan import make_plan
from ready.stack.definitions import load_definitions, resolve_stack

from tests.unit.conftest import VARIABLES, resolved_stack
from tests.unit.docker.test_plan import running


def newer(change: dict[str, Any], **variables: Any) -> dict[str, Any]:
    """Return the stack of the same inventory, resolved by a definition of Redis that has changed."""
    definitions = copy.deepcopy(load_definitions())
    for key, value in change.items():
        its = definitions["redis"][key]
        definitions["redis"][key] = {**its, **value} if isinstance(its, dict) else value
    stack = resolve_stack(definitions, VARIABLES | variables) | {"secrets": {"missing": []}}
    for service in stack["services"].values():
        service["config_hash"] = None
    return stack


def recreated(stack: dict[str, Any], state: dict[str, Any]) -> list[str]:
    """Return the lines of `up --check` on containers that are made again."""
    lines = make_plan(stack, state, images_in_use(stack, state, {}))["lines"]
    return [line for line in lines if line.startswith("recreate")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"limits": {"memory": "1234m"}}, r"memory: found \d+, expected 1293942784"),
        ({"stop_timeout": 77}, r"stop_timeout: found \d+, expected 77"),
        ({"tmpfs": {"/new": "size=1m"}}, r"tmpfs /new: found None, expected rw,nosuid,nodev,noexec,size=1m"),
        ({"health": {"interval": 99}}, r"health interval: found \d+, expected 99"),
    ],
)
def test_reason_names_what_differs(change: dict[str, Any], reason: str) -> None:
    """With both values; the inventory is the same, and no other service is touched."""
    (line,) = recreated(newer(change), running(resolved_stack()))
    assert line.startswith("recreate container ready-redis (")
    assert re.search(reason, line), line


def test_inventory_wins() -> None:
    """What the inventory sets is not changed by the definition, so nothing is made again."""
    state = running(resolved_stack(redis_memory="700m"))
    assert recreated(newer({"limits": {"memory": "1234m"}}, redis_memory="700m"), state) == []


def test_other_files_are_named_as_such(stack: dict[str, Any]) -> None:
    """A template that has changed: two hashes would tell nobody anything."""
    state = running(stack)
    stack["services"]["redis"]["config_hash"] = state["services"]["redis"]["files_hash"] = "new"
    assert state["services"]["redis"]["config"]["labels"][LABEL_CONFIG] == ""
    assert recreated(stack, state) == [
        "recreate container ready-redis (configuration or secrets: found other files than it was made with)"
    ]
