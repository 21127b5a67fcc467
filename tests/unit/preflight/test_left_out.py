"""A running stack keeps running where its host has no room for what a newer Ready adds."""

from __future__ import annotations

from typing import Any

import pytest
from ready.checks.report import health_result
from ready.checks.status import status_rows
from ready.common.finding import Finding
from ready.docker.spec import ContainerSpec
from ready.preflight import checks
from ready.preflight import left_out as deferred

from tests.unit.conftest import resolved_stack
from tests.unit.preflight.test_checks import MIB, facts, state, wanted

__all__ = ["facts", "wanted"]
ADDED = "redis"  # what the stack was made without


@pytest.fixture
def older(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what is there of a stack that an earlier version made."""
    found = state(wanted)
    found["services"][ADDED] = {"exists": False, "ours": False, "running": False, "status": "absent", "ports": []}
    del found["volumes"]["ready_redis_data"]
    return found


def left_out(
    facts: dict[str, Any], stack: dict[str, Any], found: dict[str, Any], foreseen: dict[str, str] | None = None
) -> dict[str, str]:
    """Return what is left out of a stack whose services all come from the default."""
    stack = {"by_default": list(stack["services"])} | stack

    def look(its: Any) -> list[Finding]:
        return checks.evaluate(facts, its, found, foreseen=foreseen, now=1001.0)

    return deferred.services_left_out(stack, found, look)


def test_room_for_all_leaves_nothing_out(facts: dict[str, Any], wanted: dict[str, Any], older: dict[str, Any]) -> None:
    """It is made."""
    assert left_out(facts, wanted, older) == {}


def test_no_room(facts: dict[str, Any], wanted: dict[str, Any], older: dict[str, Any]) -> None:
    """The line says what there is, what is needed, and what to do."""
    facts["memory"]["available"] = 300 * MIB
    found = left_out(facts, wanted, older)
    (line,) = deferred.left_out_lines(found, "pc1")
    assert line.startswith("pc1: redis is left out, the running services are kept: Memory: found 300 MiB available")
    assert line.endswith("Next: put that right, or name ready_services without redis in the inventory")
    fewer = deferred.without_services(wanted | {"sidecars": {"beside": {"of": ADDED}}}, found)
    assert (ADDED in fewer["services"], fewer["sidecars"]) == (False, {})


def test_what_is_theirs_alone_goes_with_them(
    facts: dict[str, Any], wanted: dict[str, Any], older: dict[str, Any]
) -> None:
    """Neither a password that is to be made nor a certificate that is at fault concerns a stack without them."""
    facts["memory"]["available"] = 300 * MIB
    standing = {"origin": "made here", "due": "", "fault": ""}
    wanted["certificates"] = {ADDED: {**standing, "fault": "its key is missing"}, "neo4j": standing}
    wanted["authorities"] = {ADDED: "a", "neo4j": "b"}
    wanted["secrets"] = {"missing": [f"{ADDED}/app", "neo4j/app"], "path": "x"}
    fewer = deferred.without_services(wanted, [ADDED])
    assert (list(fewer["certificates"]), list(fewer["authorities"])) == (["neo4j"], ["neo4j"])
    assert fewer["secrets"]["missing"] == ["neo4j/app"]
    assert wanted["secrets"]["missing"] == [f"{ADDED}/app", "neo4j/app"]
    wanted["secrets"]["missing"] = [f"{ADDED}/app"]
    assert list(left_out(facts, wanted, older)) == [ADDED]


def test_check_and_status_say_it(wanted: dict[str, Any], older: dict[str, Any]) -> None:
    """Neither calls it a fault: `up` decides whether there is room."""
    names = deferred.services_never_made(wanted | {"by_default": [ADDED]}, older)
    fewer = deferred.without_services(wanted, names) | {"left_out": dict.fromkeys(names, deferred.NEVER_MADE)}
    for name, service in fewer["services"].items():
        older["services"][name] |= {
            "health": "healthy",
            "image": {"present": True, "ref": "x", "id": "y"},
            "config": ContainerSpec.from_service(service, "ready", "ready", "y").as_dict(),
        }
    part = health_result(fewer, older, {})
    assert [row for row in part.rows if row["service"] == ADDED] == [
        {"service": ADDED, "check": "container", "verdict": "not_applicable", "detail": deferred.NEVER_MADE}
    ]
    assert ADDED not in part.results["services"]
    assert not any(ADDED in line for line in part.next)
    shown = status_rows(fewer, older | {"others": []}, {})
    assert {"service": ADDED, "state": "absent", "drift": deferred.NEVER_MADE} in shown


def test_a_port_that_is_taken(facts: dict[str, Any], wanted: dict[str, Any], older: dict[str, Any]) -> None:
    """Somebody else's program had it before."""
    facts["listening"] = [{"address": "127.0.0.1", "port": 6379, "process": "other", "pid": 7}]
    assert "held by process other" in left_out(facts, wanted, older)[ADDED]


def test_an_image_that_nothing_serves(facts: dict[str, Any], wanted: dict[str, Any], older: dict[str, Any]) -> None:
    """What it adds can't be had; of a service that was there already that is a fault."""
    fault = "no image source works. build: down. Next: make one work"
    found = left_out(facts, wanted, older, {ADDED: f"{ADDED}: {fault}", "neo4j": ""})
    assert found == {
        ADDED: f"Image source: found {ADDED}: no image source works. build: down, expected a source that works"
    }
    assert left_out(facts, wanted, older, {"neo4j": f"neo4j: {fault}"}) == {}


@pytest.mark.parametrize("case", ["asked for", "was there", "nothing runs", "something else"])
def test_what_is_a_fault_stays_one(
    facts: dict[str, Any], wanted: dict[str, Any], older: dict[str, Any], case: str
) -> None:
    """Only what nobody asked for and nobody had is left out, and only of a stack that else fits."""
    facts["memory"]["available"] = 300 * MIB
    if case == "asked for":
        wanted["by_default"] = []
    elif case == "was there":
        older["volumes"]["ready_redis_config"] = {"exists": True, "ours": True, "service": ADDED, "labels": {}}
    elif case == "nothing runs":
        for its in older["services"].values():
            its["running"] = False
    else:
        facts["time"]["epoch"] = 5000.0
    assert left_out(facts, wanted, older) == {}


def test_start_asks_nothing_of_what_a_stopped_stack_never_had(wanted: dict[str, Any], older: dict[str, Any]) -> None:
    """Verbs that read the stack take it for left out as well; of a stack that is not there all is absent."""
    wanted["by_default"] = [ADDED]
    for its in older["services"].values():
        its["running"] = False
    assert deferred.services_never_made(wanted, older) == [ADDED]
    for its in older["services"].values():
        its["exists"] = False
    assert deferred.services_never_made(wanted, older) == []


def test_services_that_the_inventory_names_are_not_by_default() -> None:
    """The stack says which come from the default."""
    assert deferred.services_never_made(resolved_stack(), {"services": {"redis": {"ours": True, "exists": True}}}) == []
