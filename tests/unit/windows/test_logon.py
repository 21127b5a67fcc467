"""The desktop session that Docker Desktop needs: before a run, after its reboot, with an automatic logon."""

from __future__ import annotations

from typing import Any

import pytest
from ready.windows import docker_desktop, logon

from tests.simulator.conditions import host_in
from tests.simulator.handlers.scripts import desktop_wait
from tests.simulator.installed import AutomaticLogon
from tests.simulator.model import Windows
from tests.unit.windows.test_plans import DOCKER, checks_of, failures, state_of


def row_of(host: Windows, **other: Any) -> dict[str, Any]:
    """Return what the verdict says about the session."""
    (row,) = [check for check in checks_of(host, **other) if check["id"] == "docker_session"]
    return row


def plan_of(host: Windows, **other: Any) -> dict[str, Any]:
    """Return the plan of role docker_desktop."""
    return docker_desktop.plan(state_of(host), **(DOCKER | other))


def rebooted(host: Windows) -> Windows:
    """Return a host whose features are on, as role wsl2 leaves it."""
    for name in host.features:
        host.features[name] = "EnablePending"
    host._reboot(0)
    return host


@pytest.mark.parametrize("condition", ["fresh", "features-pending"])
def test_reboot_without_an_automatic_logon_is_announced(condition: str) -> None:
    """Somebody is logged on, and will not be: the first verdict says that the run stops, and what to do."""
    row = row_of(host_in(condition))
    assert row["verdict"] == "insufficient_data"
    assert row["found"] == "there is one, and the reboot ends it; Windows logs nobody on by itself"
    for words in ("this run stops after the reboot", "log on as PC1\\ready", "the second run continues", "engine"):
        assert words in row["next"]
    assert plan_of(host_in(condition))["stops"]
    assert failures(host_in(condition)) == ""


def test_reboot_with_nobody_logged_on_is_no_ground_to_refuse() -> None:
    """Logging on before it would not help."""
    host = host_in("fresh")
    host.log_off()
    assert failures(host) == ""
    assert row_of(host)["found"].startswith("nobody is logged on as PC1\\ready; ")


def test_run_stops_with_one_line_and_the_second_continues() -> None:
    """After the reboot the simulator has nobody logged on; then somebody comes."""
    host = rebooted(host_in("fresh"))
    assert host.desktops == []
    message = logon.stop_fault(state_of(host), "pc1")
    assert message.startswith("pc1: Desktop session: found nobody logged on as PC1\\ready since the reboot;")
    assert "Next: log on as PC1\\ready at the PC and run the same again: the second run continues." in message
    assert "nobody is logged on as PC1\\ready; Windows logs nobody on by itself" in failures(host)
    host.log_on()
    assert logon.stop_fault(state_of(host), "pc1") == ""
    assert failures(host) == ""
    assert not plan_of(host)["stops"]


def test_automatic_logon_lets_one_run_do_it() -> None:
    """The reboot ends the session, and Windows makes another."""
    host = host_in("fresh-automatic")
    assert row_of(host)["verdict"] == "pass"
    assert not plan_of(host)["stops"]
    host = rebooted(host)
    assert row_of(host)["found"] == "there is one"


def test_automatic_logon_that_takes_its_time_is_waited_for() -> None:
    """Right after the start alone; one that does not come is no riddle."""
    host = host_in("fresh-automatic")
    host.faults["slow_logon"] = True
    host = rebooted(host)
    assert (row_of(host)["verdict"], plan_of(host)["awaits_logon"]) == ("insufficient_data", True)
    host.boot -= 3600
    assert not plan_of(host)["awaits_logon"]
    assert "its automatic logon did not happen" in failures(host)
    assert "or reboot it, as automatic logon is set up" in failures(host)
    assert host.automatic_logon
    host.automatic_logon.password = "of-last-year"
    message = logon.logon_fault(desktop_wait(host, {"Timeout": 300}), state_of(host), "pc1")
    assert "after 300 s" in message
    assert "the password that automatic logon uses" in message
    host.automatic_logon.password = "Pw-of-ready-1"
    assert logon.logon_fault(desktop_wait(host, {"Timeout": 300}), state_of(host), "pc1") == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"user": "kiosk"}, "Windows logs on kiosk by itself, and not PC1\\ready"),
        ({"domain": "CORP"}, "and not PC1\\ready"),
        ({"logons_left": 0}, "used up"),
        ({"notice": True}, "a legal notice"),
        ({"enabled": False}, "nobody on by itself"),
        ({"user": "READY", "domain": ""}, ""),
        ({"user": "PC1\\ready", "domain": "CORP"}, ""),
        ({"user": "ready@pc1.example.com", "domain": ""}, ""),
        ({"domain": "pc1.example.com"}, ""),
        ({"domain": "."}, ""),
        ({"logons_left": 1}, ""),
    ],
)
def test_automatic_logon_of_the_account_alone_counts(given: dict[str, Any], words: str) -> None:
    """Of nobody else, and not where something keeps Windows from it; the simulator then logs nobody on either."""
    host = host_in("fresh")
    host.automatic_logon = AutomaticLogon(**({"user": "ready", "password": "Pw-of-ready-1", "domain": "PC1"} | given))
    found = logon.automatic_logon_obstacle(state_of(host))
    assert (words in found) if words else found == ""
    if words and "domain" not in given:
        host = rebooted(host)
        assert not logon.has_session(state_of(host))


def test_what_could_not_be_read_is_not_taken_for_a_logon() -> None:
    """Nor for none: the verdict says that it is unknown."""
    host = host_in("fresh")
    host.faults["winlogon_unreadable"] = True
    assert "could not be read" in row_of(host)["found"]
    assert plan_of(host)["stops"]


@pytest.mark.parametrize("other", [{"backend": "engine"}, {"start": False}])
def test_who_starts_nothing_needs_no_session(other: dict[str, Any]) -> None:
    """Docker Engine in the distro needs no logon, nor does a Docker Desktop that is not to be started."""
    plan = plan_of(host_in("fresh"), **other)
    assert "docker_session" not in [check["id"] for check in plan["checks"]]
    assert not plan.get("stops")


def test_engine_that_runs_does_not_outlive_the_reboot() -> None:
    """One feature is missing, and Docker Desktop runs without it: its session ends as well."""
    host = host_in("ready")
    host.features["Microsoft-Windows-Subsystem-Linux"] = "Disabled"
    assert plan_of(host)["stops"]
