# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what makes Docker answer on a host, and what of it survives a reboot. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import engine_proxy
from .daemon_json import log_and_restore_settings, merge_daemon_json
from .engine_situation import situation

#: Debian's and Ubuntu's init script for Docker runs `ulimit -n 1048576` under `set -e`: without CAP_SYS_RESOURCE and
#: with a lower hard limit it ends there, before dockerd is started.
SCRIPT_NOFILE = 1048576

SURVIVES = {
    "systemd": "after a reboot systemd starts Docker, and Docker the containers",
    "service": "after a reboot Docker starts if this host's init ({init}) runs service scripts, else ./ready up does",
    "dockerd": "nothing starts Docker after a reboot (dockerd was started directly: {why}); run ./ready up then",
    "as it is": "whoever runs this Docker decides what starts after a reboot",
}


def start_method(facts: Mapping[str, Any]) -> str:
    """Return how Docker is started here: systemd, service (the init script) or dockerd (directly)."""
    if facts["init"]["systemd"]:
        return "systemd"
    limits = facts["limits"]
    unlimited = limits["nofile_hard"] < 0 or limits["nofile_hard"] >= SCRIPT_NOFILE
    return "service" if limits["can_raise"] or unlimited else "dockerd"


def survives_reboot(facts: Mapping[str, Any], method: str) -> str:
    """Return what a reboot does to it, in plain words."""
    text = SURVIVES[method].format(
        init=facts["init"]["name"],
        why="the service script's `ulimit -n 1048576` is refused without CAP_SYS_RESOURCE",
    )
    if facts["wsl"]["version"] and method != "systemd" and method != "as it is":
        text += "; or set [boot] systemd=true in /etc/wsl.conf"
    return text


def packages(facts: Mapping[str, Any], wanted: Sequence[str], *, engine: bool) -> list[str]:
    """Return the packages to install: `wanted` for an engine, and the SDK unless this interpreter has it."""
    names = list(wanted) if engine else []
    if engine and facts["os"]["version_codename"] == "trixie":
        names.append("docker-cli")  # its own package since Debian 13
    if engine and facts["apparmor"]:
        names.append("apparmor")  # with AppArmor in the kernel and no parser, Docker starts no container
    if facts["sdk_version"] is None:
        names += ["python3-docker", "python3-requests"]
    return names


def setup_plan(
    facts: Mapping[str, Any],
    wanted: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    log_max_size: str = "10m",
    log_max_file: int = 3,
    proxy: str = engine_proxy.AUTO,
    no_proxy: str = "",
    backend: str = "",
) -> dict[str, Any]:
    """Return {action, message, packages, method, daemon_json, proxy, start, survives} for role docker_engine.

    Args:
        facts: what library/host_facts.py returns.
        wanted: the packages that make an engine.
        options: keys for daemon.json that the inventory asks for.
        log_max_size: the size at which a container's log is rotated.
        log_max_file: how many of them are kept.
        proxy: what the daemon pulls through, a URL, "" for none, or `auto`.
        no_proxy: what is reached without it.
        backend: what the inventory wants under WSL; see engine_situation.situation.

    Raises DaemonJsonError, dockerproxy.ProxyError.
    """
    docker = facts["docker"]
    now = situation(facts, backend)
    action = now["action"]
    engine = action == "install"
    ours = engine or docker["managed"]
    method = start_method(facts)
    # A swarm's daemon refuses live-restore; without systemd a restart policy gives as much.
    live_restore = method == "systemd" and not docker.get("swarm", False)
    change = {"write": False, "content": ""}
    through: dict[str, Any] = {"differs": False, "unit": False, "remove": False}
    if ours:
        through = engine_proxy.proxy_plan(docker["proxy"], proxy, no_proxy, method)
        change = merge_daemon_json(
            docker["daemon_json"],
            options or {},
            log_and_restore_settings(log_max_size, log_max_file, live_restore=live_restore),
        )
    kept = action == "use" and not docker["managed"]
    return {
        "action": action,
        "message": f"{now['found']}. Next: {now['next']}" if now["next"] else now["found"],
        "packages": packages(facts, wanted, engine=engine),
        "method": method,
        "managed": ours,
        "daemon_json": change,
        "proxy": through,
        "proxy_unit": engine_proxy.UNIT,
        "proxy_line": engine_proxy.LINE,
        "start": "start" if action != "use" else "restart" if change["write"] or through["differs"] else "none",
        "survives": survives_reboot(facts, "as it is" if kept else method),
    }
