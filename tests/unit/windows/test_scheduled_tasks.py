"""What role windows_task takes: its plan holds all that the role and those that include it read of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ready.windows.scheduled_tasks import TaskPlan, holders

ROLES = Path(__file__).resolve().parents[3] / "roles"
PLAN = TaskPlan("keep x", "distro_keep.ps1", "-Distribution x", ["keep x"], False, False, False, True)


@pytest.mark.parametrize(
    ("role", "plan"),
    [
        ("windows_task", "windows_task_plan"),
        ("wsl2", "__wsl2.plan.keepalive_task"),
        ("windows_network", "__windows_network.plan.portproxy_task"),
    ],
)
def test_roles_read_what_the_plan_holds(role: str, plan: str) -> None:
    """Nothing else: a key that is not there ends a run in the middle."""
    text = "".join(path.read_text() for path in sorted((ROLES / role / "tasks").glob("*.yml")))
    read = set(re.findall(rf"{re.escape(plan)}\.(\w+)", text))
    assert read
    assert read <= set(PLAN.variables())


def test_the_role_is_included_where_something_is_to_be_done() -> None:
    """A task that runs as it should needs no call."""
    assert PLAN.variables()["needed"]
    idle = TaskPlan("keep x", "distro_keep.ps1", "-Distribution x", ["keep x"], False, False, False, False)
    assert not idle.variables()["needed"]


def test_holders_name_the_distro_whole() -> None:
    """Not one whose name begins with it, and none that is disabled."""
    tasks = [
        {"name": "keep x", "arguments": "-Distribution x", "state": "Ready"},
        {"name": "keep xy", "arguments": "-Distribution xy", "state": "Ready"},
        {"name": "forward x", "arguments": "-Distribution x -Stack ready", "state": "Disabled"},
    ]
    assert holders({"tasks": tasks}, "x") == ["keep x"]
