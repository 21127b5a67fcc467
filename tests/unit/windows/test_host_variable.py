"""The variable `ready_windows`, as the action windows_state makes it."""

from __future__ import annotations

from typing import Any

from ready.windows import host_variable, scheduled_tasks

from tests.simulator.conditions import host_in
from tests.simulator.inventory import DISTRO
from tests.unit.windows.test_plans import state_of


def facts(state: dict[str, Any]) -> dict[str, Any]:
    """Return it, of host pc1."""
    read = {"result": state, "before": 1.0, "after": 2.0}
    return host_variable.facts(read, host="pc1", distribution=DISTRO, location="C:\\x", user="ready", backend="desktop")


def test_it_tells_what_holds_the_distro() -> None:
    """So that each verb reads it instead of asking again."""
    found = facts(state_of(host_in("ready")))
    assert found["keepalive"]["holders"] == scheduled_tasks.holders(found["state"], DISTRO)
    assert (found["keepalive"]["missing_distro"], found["provenance"], found["after"]) == ("", "simulated", 2.0)
    assert found["keepalive"]["stop_plan"]["terminate"]
    assert not found["keepalive"]["start_plan"]["run"]


def test_an_account_that_is_not_known_ends_nothing_here() -> None:
    """The preflight says it; verbs that stop and start the distro need none."""
    found = facts({**state_of(host_in("ready")), "account": None})["keepalive"]
    assert (found["missing_distro"], found["stop_plan"]["terminate"], found["session_fault"]) == ("", True, "")
