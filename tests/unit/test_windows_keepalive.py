"""The task that keeps a distro running, and what happens in it by schedule."""

from __future__ import annotations

import pytest
from ready.windows import wsl

from tests.simulator.conditions import DISTRO, host_in

from .test_windows_plans import WSL, failures, state_of


def test_schedules_in_the_distros_of_a_host() -> None:
    """Of its own alone, and of those that run."""
    distros = {
        "pc1": {"backup_schedule": "daily"},
        "pc1-wsl": {"ansible_wsl_windows_host": "pc1", "backup_schedule": "daily", "backup_drill_schedule": "weekly"},
        "pc2-wsl": {"ansible_wsl_windows_host": "pc2", "backup_schedule": "hourly"},
        "pc1-two": {"ansible_wsl_windows_host": "pc1", "backup_schedule": "never"},
        "server": {"backup_schedule": "daily"},
    }
    assert wsl.schedules("pc1", distros) == [
        "pc1-wsl has backup_schedule daily",
        "pc1-wsl has backup_drill_schedule weekly",
    ]
    assert failures(host_in("fresh"), keepalive=False) == ""


def test_task_that_windows_would_end_is_made_anew() -> None:
    """Three days is what Windows gives a task that says nothing."""
    host = host_in("ready")
    host.tasks[f"keep {DISTRO}"].time_limit = "PT72H"
    assert wsl.plan(state_of(host), **WSL)["keepalive"]


@pytest.mark.parametrize(
    ("key", "value"), [("user", "PC1\\anna"), ("execute", "C:\\Windows\\System32\\wsl.exe"), ("state", "Disabled")]
)
def test_task_of_another_account_or_program_is_made_anew(key: str, value: str) -> None:
    """And one that somebody disabled; Windows may give the account without its domain, or as its SID."""
    state = state_of(host_in("ready"))
    (task,) = state["tasks"]
    for same in ("ready", "pc1\\Ready", state["account"]["sid"]):
        assert not wsl.plan({**state, "tasks": [{**task, "user": same}]}, **WSL)["keepalive"]
    assert wsl.plan({**state, "tasks": [{**task, key: value}]}, **WSL)["keepalive"]
