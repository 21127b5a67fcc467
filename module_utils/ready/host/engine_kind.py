# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recognize daemons that answer as Docker does and cannot keep limits, health or ownership."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Key of /info -> what a daemon that says false there can't limit.
_LIMITS = {"MemoryLimit": "memory", "CpuCfsQuota": "CPUs", "PidsLimit": "processes"}


def engine_kind(version: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts by which a daemon is known, from its answers to /version and /info."""
    options = [str(option) for option in info.get("SecurityOptions") or []]
    components = [str(item.get("Name", "")) for item in version.get("Components") or []]
    return {
        "podman": any("podman" in name.lower() for name in components),
        "rootless": any("rootless" in option for option in options),
        "remapped": any(option.startswith("name=userns") for option in options),
        "unlimited": [what for key, what in _LIMITS.items() if info.get(key) is False],
    }


def engine_name(docker: Mapping[str, Any]) -> str:
    """Return what a daemon that answers is called, with its version."""
    if docker["podman"]:
        return f"Podman {docker['version']}"
    if docker["desktop"]:
        return f"Docker Desktop {docker['version']}"
    remapped = " with userns-remap" if docker["remapped"] else ""
    return f"{'rootless ' if docker['rootless'] else ''}Docker Engine {docker['version']}{remapped}"


def engine_refusal(docker: Mapping[str, Any]) -> dict[str, str]:
    """Return {found, expected, next} for a daemon that can't be used, {} for one that can."""
    install = "apt-get install docker.io, and unset DOCKER_HOST"
    if docker["podman"]:
        return {
            "found": "which answers as Docker does",
            "expected": "Docker Engine: Podman leaves health tests, and starting containers after a reboot, to systemd",
            "next": f"{install}; apt-get remove podman-docker where its /usr/bin/docker is in the way",
        }
    if docker["desktop"]:
        return {}
    if docker["rootless"]:
        limits = f" and can't limit {', '.join(docker['unlimited'])}" if docker["unlimited"] else ""
        return {
            "found": f"which a user runs{limits}",
            "expected": "one that root runs: timers of backups reach no other, and limits hold there whatever the host",
            "next": install,
        }
    if docker["unlimited"]:
        return {
            "found": f"which can't limit {', '.join(docker['unlimited'])}",
            "expected": "limits of memory, CPUs and processes, so that one service can't take the host down",
            "next": "mount the cgroup controllers memory, cpu and pids (kernel parameter cgroup_enable=memory), and "
            "restart Docker",
        }
    return {}
