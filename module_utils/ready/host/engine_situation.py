# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide whether the Docker of a host is used, started, installed or refused. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import engine_kind

_SWITCH = "in Docker Desktop's Settings, Resources, WSL integration switch this distro"


def situation(facts: Mapping[str, Any], backend: str = "") -> dict[str, str]:
    """Return {action, found, next}: what becomes of the host's Docker; `expected` where a kind of it is refused.

    action: use (it answers and is taken as it is) | start (installed, stopped) | install | refuse (`next`: what to do).

    Args:
        facts: what library/host_facts.py returns.
        backend: what the inventory wants under WSL, `desktop`, `engine`, or "" for what there is.
    """
    docker = facts["docker"]
    where = f"{docker['host']} (from DOCKER_HOST)" if docker["host_from_env"] else docker["host"]
    if docker["reachable"]:
        there = f"{engine_kind.engine_name(docker)} at {where}"
        if refused := engine_kind.engine_refusal(docker):
            return {"action": "refuse", **refused, "found": f"{there}, {refused['found']}"}
        return {"action": "use", "found": f"{there}, used as it is", "next": ""}
    silent = f"the daemon at {where} does not answer: {docker['reason']}"
    if docker["denied"]:
        return {
            "action": "refuse",
            "found": silent,
            "next": "run with `-- --become`, or add the user to the group docker and log in again",
        }
    if docker["host_from_env"]:
        return {"action": "refuse", "found": silent, "next": "start that daemon, or unset DOCKER_HOST"}
    engine = backend == "engine"
    if docker["integrated"]:
        return {
            "action": "refuse",
            "found": f"Docker Desktop serves this distro, but {silent}",
            "next": f"{_SWITCH} off: docker_backend is engine"
            if engine
            else f"start Docker Desktop on Windows; {_SWITCH} on",
        }
    if docker["desktop_runs"] and not engine:
        return {
            "action": "refuse",
            "found": f"Docker Desktop runs on this PC, but does not serve this distro: {silent}",
            "next": f"{_SWITCH} on; or set docker_backend to engine, for Docker Engine in the distro",
        }
    if docker["installed"]:
        return {"action": "start", "found": f"Docker is installed; {silent}", "next": ""}
    return {"action": "install", "found": "no Docker was here", "next": ""}
