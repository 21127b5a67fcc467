"""What answers as Docker does, by what real daemons answered; what can't hold Ready's contract is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from ready.common.finding import Finding
from ready.host import engine_probe, engine_situation
from ready.preflight import checks

from tests.unit.host.test_engine_setup import facts

#: Of Debian 12: docker.io 20.10.24 as root, the same with userns-remap, the same rootless on cgroup v1; podman 4.3.1.
_ENGINE: dict[str, Any] = {
    "Version": "20.10.24+dfsg1",
    "ApiVersion": "1.41",
    "Components": [{"Name": "Engine"}, {"Name": "containerd"}, {"Name": "runc"}, {"Name": "docker-init"}],
}
_PODMAN: dict[str, Any] = {"Version": "4.3.1", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}
_ALL = {"MemoryLimit": True, "SwapLimit": True, "CpuCfsQuota": True, "PidsLimit": True}
_NONE = dict.fromkeys(_ALL, False)
_SECCOMP = "name=seccomp,profile=default"
ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "engine": (_ENGINE, _ALL | {"CgroupDriver": "cgroupfs", "CgroupVersion": "1", "SecurityOptions": [_SECCOMP]}),
    "userns-remap": (
        _ENGINE,
        _ALL | {"CgroupDriver": "cgroupfs", "CgroupVersion": "1", "SecurityOptions": [_SECCOMP, "name=userns"]},
    ),
    "rootless": (
        _ENGINE,
        _NONE | {"CgroupDriver": "none", "CgroupVersion": "1", "SecurityOptions": [_SECCOMP, "name=rootless"]},
    ),
    "podman": (
        _PODMAN,
        _ALL | {"CgroupDriver": "cgroupfs", "OperatingSystem": "debian", "SecurityOptions": [_SECCOMP]},
    ),
    # Made from the others: what a kernel without the memory controller, and a rootless one with limits, would answer.
    "no memory controller": (_ENGINE, _ALL | {"MemoryLimit": False, "SecurityOptions": [_SECCOMP]}),
    "rootless with limits": (_ENGINE, _ALL | {"CgroupDriver": "systemd", "SecurityOptions": ["name=rootless"]}),
}


def check(name: str) -> Finding:
    """Return preflight's check of the Docker that answered so."""
    version, info = ANSWERS[name]
    given = facts(**engine_probe.engine_facts(version, info, []))
    return checks._docker(given | {"is_root": True}, engine_situation.situation(given))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("engine", "Docker Engine 20.10.24+dfsg1 at"),
        ("userns-remap", "Docker Engine 20.10.24+dfsg1 with userns-remap at"),
    ],
)
def test_used(name: str, found: str) -> None:
    """As it is."""
    result = check(name)
    assert (result.verdict, result.next) == ("pass", "")
    assert result.found.startswith(found)


@pytest.mark.parametrize(
    ("name", "found", "expected", "following"),
    [
        ("podman", "Podman 4.3.1 at", "health tests", "apt-get remove podman-docker"),
        ("rootless", "rootless Docker Engine 20.10.24+dfsg1 at", "that root runs", "unset DOCKER_HOST"),
        ("rootless", "can't limit memory, CPUs, processes", "limits hold there", "apt-get install docker.io"),
        ("rootless with limits", "rootless Docker Engine", "timers of backups reach no other", "unset DOCKER_HOST"),
        ("no memory controller", "which can't limit memory", "take the host down", "cgroup_enable=memory"),
    ],
)
def test_refused(name: str, found: str, expected: str, following: str) -> None:
    """By its name, with what was expected and the next step."""
    result = check(name)
    assert result.verdict == "fail"
    assert found in result.found
    assert "unix:///var/run/docker.sock" in result.found
    assert expected in result.expected
    assert following in result.next


def test_docker_desktop_is_never_taken_for_another() -> None:
    """Whatever its virtual machine answers."""
    info = {"OperatingSystem": "Docker Desktop", "SecurityOptions": ["name=rootless"]}
    given = facts(**engine_probe.engine_facts(_ENGINE, info, []))
    assert engine_situation.situation(given)["action"] == "use"
