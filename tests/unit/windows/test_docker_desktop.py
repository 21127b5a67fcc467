"""Docker Desktop: its plan, and how it is stopped and started, whatever else of WSL runs on the PC."""

from __future__ import annotations

from typing import Any

import pytest
from ready.windows import docker_desktop, wsl_output

from tests.simulator.conditions import host_in
from tests.simulator.handlers import scripts
from tests.simulator.handlers.scripts import docker_desktop_start, docker_desktop_stop, keep_tasks, native_run
from tests.simulator.installed import SETTINGS
from tests.simulator.inventory import DISTRO
from tests.simulator.model import Windows
from tests.unit.windows.test_plans import checks_of, failures, plans, state_of


def stop(host: Windows) -> dict[str, Any]:
    """Stop it as role docker_desktop does."""
    tasks = {"Distribution": DISTRO, "Tasks": [f"keep {DISTRO}"]}
    keep_tasks(host, {**tasks, "Wanted": "hold"})
    found = docker_desktop_stop(host, {"Timeout": 300})
    keep_tasks(host, {**tasks, "Wanted": "run"})
    return found


def test_command_alone_waits_for_our_own_task() -> None:
    """What it says when it is ended is recorded: it waits for any wsl.exe, and Docker has stopped long before."""
    host = host_in("ready")
    found = native_run(host, {"Program": "docker", "Arguments": ["desktop", "stop"]})
    assert (found["rc"], found["timed_out"]) == (None, True)
    assert "processes still running: C:\\Program Files\\WSL\\wsl.exe" in wsl_output.text(found["stderr"])
    assert host.docker
    assert not host.docker.running


@pytest.mark.parametrize("windows", [0, 2])
def test_stop_goes_by_the_programs_of_docker(windows: int) -> None:
    """Windows of somebody's may stay open; our task holds the distro again afterwards."""
    host = host_in("ready")
    for _ in range(windows):
        host.open_window()
    found = stop(host)
    assert (found["clients"], found["command"]) == (windows, None if windows else 0)
    assert docker_desktop.stop_fault(found, "pc1") == ""
    assert host.docker
    assert not host.docker.running
    task = host.tasks[f"keep {DISTRO}"]
    assert (task.state, task.holding) == ("Running", True)


def test_stop_that_does_not_come_is_named() -> None:
    """With the programs that are left, what the command said, and what to do."""
    host = host_in("ready")
    host.faults["docker_never_stops"] = True
    host.open_window()
    message = docker_desktop.stop_fault(stop(host), "pc1")
    assert message.startswith(
        "pc1: stop of Docker Desktop: found Docker Desktop, com.docker.backend running after 300 s"
    )
    assert "1 wsl.exe; expected none of its programs. Next: quit it by its icon" in message
    assert "processes still running" in message


def start(host: Windows) -> dict[str, Any]:
    """Start it as role docker_desktop does."""
    assert host.docker
    host.docker.running = False
    return docker_desktop_start(host, {"Timeout": 300})


def test_start_on_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its task says that it may; one that does not waits for power, and the message says so."""
    host = host_in("ready")
    host.faults["on_battery"] = True
    assert docker_desktop.start_fault(start(host), "pc1") == ""
    monkeypatch.setattr(scripts, "task_settings", set)
    message = docker_desktop.start_fault(start(host), "pc1")
    assert "found none of its programs running, its task Queued, and no engine after 300 s" in message
    assert "such as power" in message


def test_start_that_fails_shows_its_task_only_without_programs() -> None:
    """Where programs run, their window and log say more than the task."""
    host = host_in("ready")
    host.faults["engine_never"] = True
    assert "its task" not in docker_desktop.start_fault(start(host), "pc1")
    found = {**start(host), "processes": [], "task": {"state": "Ready", "last_result": 0x8007052E}}
    assert "its task Ready, last result 0x8007052e, and no engine" in docker_desktop.start_fault(found, "pc1")


def test_old_windows_10_is_refused_for_docker_desktop() -> None:
    """WSL 2 runs there."""
    host = host_in("fresh")
    host.build = 19044
    assert "found Windows 10, build 19044; expected build 19045" in failures(host)
    assert failures(host, backend="engine") == ""


def test_settings_of_a_running_docker_desktop_are_left_alone() -> None:
    """It would write its own over ours."""
    host = host_in("ready")
    host.files[SETTINGS] = b'{"AutoStart": false}'
    assert "they differ, and it runs" in failures(host)
    assert "they differ, and it runs" not in failures(host, allow_restart=True)


def test_second_docker_in_the_distro_is_refused() -> None:
    """Beside the integration, not instead of it."""
    host = host_in("ready")
    inside: Any = host.registered[0].inside
    inside.packages = "docker.io\n"
    assert "found docker.io installed" in failures(host)


def test_state_of_docker_desktop_is_needed_by_itself_alone() -> None:
    """A PC with Docker Engine in its distro is not refused for it."""
    host = host_in("ready")
    host.faults["unreadable"] = ["docker_desktop"]
    assert "docker_desktop: Access is denied." in failures(host)
    assert failures(host, backend="engine") == ""


def test_unreadable_member_of_docker_users_is_no_ground_to_refuse() -> None:
    """Nor to change anything: what is unknown is called so. A membership counts from the next logon on."""
    host = host_in("ready")
    host.docker_users = {"S-1-12-1-1-2-3-4"}
    (row,) = [check for check in checks_of(host) if check["id"] == "docker_group"]
    assert (row["verdict"], row["expected"]) == ("pass", "PC1\\ready is a member, from its next logon on")
    assert plans(state_of(host))["docker"]["steps"] == ["add the account to docker-users"]
    host.faults["member_unreadable"] = True
    (row,) = [check for check in checks_of(host) if check["id"] == "docker_group"]
    assert row["verdict"] == "insufficient_data"
    assert "no SID that can be read" in row["found"]
    assert 'net localgroup docker-users "PC1\\ready" /add' in row["next"]
    assert failures(host) == ""
    assert plans(state_of(host))["docker"]["steps"] == []
    assert "docker_group" not in [check["id"] for check in checks_of(host, backend="engine")]
    host.docker_users.add(host.account)
    assert "docker_group" not in [check["id"] for check in checks_of(host)]


def test_settings_with_a_mark_are_written_anew() -> None:
    """Docker's parser refuses the mark that PowerShell 5.1 writes."""
    found = plans(state_of(host_in("settings-with-mark")))["docker"]
    assert found["settings"]
    assert not found["settings"].startswith("\ufeff")
    assert not found["stop"]


def test_upgrade_stops_what_runs() -> None:
    """With leave."""
    found = plans(state_of(host_in("docker-desktop-old")), allow_restart=True)["docker"]
    assert (found["install"], found["stop"], found["start"], found["settings"]) == (True, True, True, None)


def test_docker_desktop_without_an_engine_is_restarted() -> None:
    """With leave; not while it may be on its way up, after Windows' start."""
    host = host_in("ready")
    state = state_of(host)
    state["docker_desktop"]["engine"]["rc"] = 1
    assert not plans(state)["docker"]["stop"]
    host.boot -= 3600
    state = state_of(host)
    state["docker_desktop"]["engine"] = None
    found = plans(state, allow_restart=True)["docker"]
    assert (found["stop"], found["start"], found["steps"]) == (True, True, ["restart Docker Desktop"])
    assert "fail" not in [check["verdict"] for check in found["checks"]]
    refused = [check for check in plans(state)["docker"]["checks"] if check["verdict"] == "fail"]
    assert [check["id"] for check in refused] == ["docker_engine"]
    assert "docker_desktop_allow_restart" in refused[0]["next"]


def test_engine_needs_nothing_of_docker_desktop() -> None:
    """No licence, no session."""
    found = plans(state_of(host_in("server-2022")), backend="engine")["docker"]
    assert (found["wanted"], found["steps"]) == (False, [])
    assert failures(host_in("server-2022"), backend="engine") == ""


@pytest.mark.parametrize(
    ("result", "log", "words"),
    [
        ({"rc": 4294967291, "msg": "unexpected rc"}, [], "not elevated"),
        ({"rc": -5, "msg": "unexpected rc"}, [], "not elevated"),
        ({"rc": 1, "msg": "x"}, ["at ExistingInstallation.FromRegistry()"], "4.43.0 or newer"),
        ({"rc": 0, "msg": "Error downloading: (404) Not Found"}, [], "six months"),
        ({"msg": "The checksum did not match"}, [], "docker_desktop_sha256"),
        ({"rc": 2, "msg": "x"}, ["no space"], "no space"),
    ],
)
def test_failed_installations_have_their_words(result: dict[str, Any], log: list[str], words: str) -> None:
    """Numbers 11 and 14."""
    assert words in docker_desktop.install_fault(result, log, "pc1")


def test_engine_that_does_not_come_up_is_described() -> None:
    """Number 18."""
    result = {"engine": None, "task": None, "processes": [], "waited": 300.0, "log": ["a", "b"]}
    assert "no engine after 300 s" in docker_desktop.start_fault(result, "pc1")
    assert docker_desktop.start_fault(result | {"engine": "28"}, "pc1") == ""
