"""What the roles for Windows get of `ready_windows`: a plan, or nothing where the state lacks what plans need."""

from __future__ import annotations

import pytest
from ready.preflight import checks
from ready.windows import role_plans

from tests.simulator.conditions import host_in
from tests.unit.conftest import resolved_stack
from tests.unit.windows.test_host_variable import facts
from tests.unit.windows.test_plans import state_of


@pytest.mark.parametrize("part", ["account", "os", "wsl", "docker_desktop", "network"])
def test_a_state_that_lacks_a_part_has_no_plan(part: str) -> None:
    """The preflight fails by it, and the network counts as closed."""
    state = {**state_of(host_in("ready")), "faults": [{"part": part, "message": "Access is denied."}]}
    windows = {**facts(state), "state": {**state, part: None}}
    assert role_plans.wsl_plan(windows, disk_limit="") == {"checks": [], "steps": []}
    assert role_plans.docker_desktop_plan(windows) == {"checks": [], "steps": [], "wanted": False}
    network = role_plans.network_plan(windows, resolved_stack(), allow=[])
    assert (network["checks"], network["steps"]) == ([], [])
    assert f"{part}: Access is denied." in network["closed"][0]["found"]
    rows = role_plans.preflight_rows(windows, disk_free="30g", clock_skew=5.0)
    assert "Access is denied." in checks.failure_text("pc1", rows)


def test_docker_desktop_counts_where_it_is_the_backend() -> None:
    """An engine in the distro needs nothing of it."""
    state = {**state_of(host_in("ready")), "docker_desktop": None}
    windows = {**facts(state_of(host_in("ready"))), "state": state, "backend": "engine"}
    plan = role_plans.docker_desktop_plan(windows)
    assert ([row["verdict"] for row in plan["checks"]], plan["wanted"]) == (["not_applicable"], False)


def test_the_network_is_closed_after_rules_that_are_not_there() -> None:
    """As the plan by the same state says."""
    allow = [{"name": "redis", "port": 6379, "remote": ["192.168.1.0/24"]}]
    plan = role_plans.network_plan(facts(state_of(host_in("ready"))), resolved_stack(), allow=allow)
    assert [rule["name"] for rule in plan["rules"]] == ["Ready ready redis 6379"]
    assert [row["title"] for row in plan["closed"]] == ["Rule Ready ready redis 6379"]


@pytest.mark.parametrize("distro", [False, True])
def test_a_distro_goes_when_it_is_asked_for(distro: bool) -> None:
    """With what holds it."""
    plan = role_plans.destroy_plan(facts(state_of(host_in("ready"))), resolved_stack(), distro=distro)
    assert (bool(plan["distro"]), bool(plan["holders"]), bool(plan["kept"])) == (distro, distro, not distro)
