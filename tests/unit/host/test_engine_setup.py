# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of the Docker that a host has, or has not."""

from __future__ import annotations

from typing import Any

import pytest
from ready.host.engine_setup import setup_plan, start_method, survives_reboot
from ready.host.engine_situation import situation

WANTED = ["docker.io"]


def facts(**docker: Any) -> dict[str, Any]:
    """Return a Debian 12 without Docker, root, no systemd, with limits that the service script can raise."""
    return {
        "docker": {
            "host": "unix:///var/run/docker.sock",
            "host_from_env": False,
            "reachable": False,
            "reason": "No such file or directory",
            "denied": False,
            "installed": False,
            "desktop": False,
            "integrated": False,
            "desktop_runs": False,
            "rootless": False,
            "podman": False,
            "remapped": False,
            "unlimited": [],
            "managed": False,
            "daemon_json": None,
            "proxy": {"windows": None, "own": None, "unit": False, "script": False},
            "version": "20.10.24",
            **docker,
        },
        "os": {"version_codename": "bookworm"},
        "apparmor": False,
        "sdk_version": None,
        "init": {"name": "init", "systemd": False},
        "limits": {"can_raise": True, "nofile_hard": 20000},
        "wsl": {"version": 0},
    }


@pytest.mark.parametrize(
    ("docker", "action", "words"),
    [
        ({}, "install", "no Docker"),
        ({"installed": True}, "start", "does not answer"),
        ({"reachable": True}, "use", "Docker Engine 20.10.24 at unix:///var/run/docker.sock, used as it is"),
        ({"reachable": True, "desktop": True}, "use", "Docker Desktop"),
        ({"denied": True, "installed": True}, "refuse", "group docker"),
        ({"host_from_env": True}, "refuse", "unset DOCKER_HOST"),
        ({"integrated": True, "desktop_runs": True}, "refuse", "start Docker Desktop"),
        ({"desktop_runs": True}, "refuse", "does not serve this distro"),
    ],
)
def test_situations(docker: dict[str, Any], action: str, words: str) -> None:
    """Each kind of Docker leads to one action, and what needs a human says what to do."""
    result = situation(facts(**docker))
    assert result["action"] == action
    assert words in f"{result['found']} {result['next']}"


@pytest.mark.parametrize(
    ("docker", "backend", "action", "words"),
    [
        ({"integrated": True}, "engine", "refuse", "switch this distro off: docker_backend is engine"),
        ({"desktop_runs": True}, "desktop", "refuse", "switch this distro on; or set docker_backend to engine"),
        ({"desktop_runs": True}, "engine", "install", "no Docker"),
    ],
)
def test_what_the_inventory_wants_beside_docker_desktop(
    docker: dict[str, Any], backend: str, action: str, words: str
) -> None:
    """An engine is installed where Docker Desktop runs for other distros, and not where it serves this one."""
    result = situation(facts(**docker), backend)
    assert result["action"] == action
    assert words in f"{result['found']} {result['next']}"
    assert setup_plan(facts(**docker), WANTED, backend=backend)["action"] == action


def test_a_docker_that_is_not_ours_is_never_configured() -> None:
    """Whatever its daemon.json lacks."""
    result = setup_plan(facts(reachable=True), WANTED, {"mtu": 1400})
    assert (result["start"], result["managed"], result["daemon_json"]["write"]) == ("none", False, False)
    assert result["packages"] == ["python3-docker", "python3-requests"]  # the SDK is for Ansible, not for the daemon
    assert "whoever runs this Docker" in result["survives"]


def test_a_stopped_docker_that_is_not_ours_is_started_but_not_configured() -> None:
    """A stopped daemon is no reason to change its settings."""
    result = setup_plan(facts(installed=True, daemon_json="{broken"), WANTED)
    assert (result["start"], result["daemon_json"]["write"]) == ("start", False)


def test_our_own_is_restarted_only_for_a_changed_file() -> None:
    """The first run writes, the second finds nothing to do."""
    changed = setup_plan(facts(reachable=True, managed=True, daemon_json="{}"), WANTED)
    assert (changed["start"], changed["daemon_json"]["write"]) == ("restart", True)
    again = setup_plan(facts(reachable=True, managed=True, daemon_json=changed["daemon_json"]["content"]), WANTED)
    assert (again["start"], again["daemon_json"]["write"]) == ("none", False)


def test_packages() -> None:
    """Debian 13 splits the client off; AppArmor's parser is needed where the kernel has it; the SDK where it lacks."""
    assert setup_plan(facts(), WANTED)["packages"] == ["docker.io", "python3-docker", "python3-requests"]
    trixie = facts() | {"os": {"version_codename": "trixie"}, "apparmor": True, "sdk_version": "7.1.0"}
    assert setup_plan(trixie, WANTED)["packages"] == ["docker.io", "docker-cli", "apparmor"]


@pytest.mark.parametrize(
    ("systemd", "can_raise", "nofile", "method", "words"),
    [
        (True, False, 20000, "systemd", "systemd starts Docker"),
        (False, True, 20000, "service", "service scripts"),
        (False, False, 1048576, "service", "service scripts"),
        (False, False, -1, "service", "service scripts"),
        (False, False, 20000, "dockerd", "nothing starts Docker after a reboot"),
    ],
)
def test_how_it_is_started(systemd: bool, can_raise: bool, nofile: int, method: str, words: str) -> None:
    """The service script's ulimit is refused without CAP_SYS_RESOURCE and a hard limit below it."""
    host = facts() | {
        "init": {"name": "x", "systemd": systemd},
        "limits": {"can_raise": can_raise, "nofile_hard": nofile},
    }
    assert start_method(host) == method
    assert words in survives_reboot(host, method)


def test_live_restore_only_where_it_fits() -> None:
    """Under systemd, and never in a swarm, which refuses it."""
    systemd = {"init": {"name": "systemd", "systemd": True}}
    assert '"live-restore": true' in setup_plan(facts() | systemd, WANTED)["daemon_json"]["content"]
    assert "live-restore" not in setup_plan(facts(), WANTED)["daemon_json"]["content"]
    swarm = facts(reachable=True, managed=True, swarm=True, daemon_json="{}") | systemd
    assert "live-restore" not in setup_plan(swarm, WANTED)["daemon_json"]["content"]


def test_wsl_is_told_about_systemd() -> None:
    """The one who can change it reads how."""
    assert "wsl.conf" in survives_reboot(facts() | {"wsl": {"version": 2}}, "dockerd")
