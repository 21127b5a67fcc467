"""windows_state.ps1: the model as the JSON of schemas/windows_state.schema.json."""

from __future__ import annotations

import base64
import hashlib
import ntpath
import re
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ready.windows.ownership import FOLDER, RULE_PREFIX
from ready.windows.preflight import SIMULATOR

from tests.simulator.firewall import enforcement, read_rule
from tests.simulator.handlers.scripts import failed, ran

if TYPE_CHECKING:
    from tests.simulator.installed import Registered
    from tests.simulator.model import Windows

LXSS = "HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Lxss"
#: The first Windows 11 with a firewall for virtual machines, 22H2.
BUILD_GUARDED = 22621
UNINSTALL = "HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall"


def moment(seconds: float) -> str:
    """Return a time as the script writes it."""
    return (
        datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(seconds % 1 * 1000):03d}Z"
    )


def _file(host: Windows, path: str) -> str | None:
    return base64.b64encode(host.files[path]).decode() if path in host.files else None


def _distro(host: Windows, distro: Registered) -> dict[str, Any]:
    return {
        "name": distro.name,
        "owner": distro.owner,
        "owner_sid": distro.owner_sid,
        "mine": distro.owner_sid == host.sid,
        "version": distro.version,
        "state": 1,
        "default_uid": 0,
        "base_path": distro.base_path,
        "disk_bytes": 3 * 2**30,
        "marker": _file(host, f"{distro.base_path}.ready.json"),
    }


def _inside(host: Windows, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    name, how = str(asked.get("Distribution", "")), asked.get("Inside", "running")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    distro = host.mine(name)
    if how == "start" and host.mark(name) in host.files:
        how = "running"
    if how == "never" or host.wsl_version is None or distro is None or (how == "running" and not distro.running):
        return None
    if host.faults.get("wsl_hangs"):
        return {"distribution": name, "run": ran(None), "values": {}}
    if not host.starts(distro):
        return {"distribution": name, "run": failed(host.start_fault()), "values": {}}
    return {"distribution": name, "run": ran(0), "values": distro.inside.values(str(asked["InsideScript"]))}


def _member(host: Windows) -> bool | None:
    """Return what ADSI says: it gives the SID of a member whose account is gone too, unless it can't be read at all.

    https://github.com/PowerShell/PowerShell/issues/2996: Get-LocalGroupMember throws for the whole group.
    """
    if host.account in host.docker_users:
        return True
    return None if host.faults.get("member_unreadable") else False


def _docker(host: Windows) -> dict[str, Any]:
    from tests.simulator.installed import SETTINGS

    docker = host.docker
    running = docker is not None and docker.running
    names = ["Docker Desktop", "com.docker.backend"] if running else []
    return {
        "version": docker.version if docker else None,
        "processes": [{"name": name, "pid": 7000 + at, "session": 1} for at, name in enumerate(names)],
        "engine": ran(0, f"{docker.engine}\n") if docker and running else None,
        "user_uninstall_key": UNINSTALL in host.registry,
        "group_member": None if docker is None else _member(host),
        "settings_path": SETTINGS,
        "settings": _file(host, SETTINGS),
    }


def _clients(host: Windows) -> list[dict[str, Any]]:
    """Return the wsl.exe that run: those of tasks, and windows at the desktop."""
    found = [(task.session, task.since) for task in host.tasks.values() if task.holding]
    found += [(1, since) for since in host.windows]
    return [
        {"pid": 9000 + at, "session": session, "started": moment(since)} for at, (session, since) in enumerate(found)
    ]


def _docker_users_fault(host: Windows) -> list[dict[str, str]]:
    lost = host.docker is not None and _member(host) is None
    message = "1 of its members have no SID that can be read"
    return [{"part": "docker_users", "message": message}] if lost else []


def _listeners(host: Windows, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    ports = {int(port) for port in asked.get("Ports", [])}
    return [item for item in host.listeners if item["port"] in ports]


def _excluded(said: str) -> list[dict[str, Any]]:
    found = [re.fullmatch(r"\s*(\d+)\s+(\d+)\s*(\*?)\s*", line) for line in said.splitlines()]
    return [{"first": int(row[1]), "last": int(row[2]), "administered": row[3] == "*"} for row in found if row]


def _ours(rules: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [read_rule(rule) for name, rule in rules.items() if name.startswith(f"{RULE_PREFIX} ")]


def _network(host: Windows, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part `network`: listeners, rules, and the networks with the firewall's profiles on them."""
    return {
        "listeners": _listeners(host, asked),
        "excluded": _excluded(host.excluded),
        "portproxy": [{"listen": listen, "connect": connect} for listen, connect in host.portproxy.items()],
        "rules": [
            rule | {"enforcement": enforcement(host.networks, host.firewall, rule)} for rule in _ours(host.rules)
        ],
        "hyperv_rules": _ours(host.hyperv_rules) if host.build >= BUILD_GUARDED else None,
        "interfaces": [
            {
                "alias": network.alias,
                "index": network.index,
                "category": network.category,
                "prefixes": list(network.prefixes),
                "gateway": network.gateway,
                "medium": network.medium,
            }
            for network in host.networks
        ],
        "firewall": [{"name": name, **settings} for name, settings in host.firewall.items()],
    }


def _automatic_logon(host: Windows) -> dict[str, Any]:
    given = host.automatic_logon
    return {
        "enabled": bool(given and given.enabled),
        "user": given.user if given else "",
        "domain": given.domain if given else "",
        "logons_left": given.logons_left if given else None,
        "notice": bool(given and given.notice),
    }


def windows_state(host: Windows, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state. Looking into the distro may start it, as on Windows."""
    from tests.simulator.installed import PROFILE

    if error := host.faults.get("state_error"):
        raise RuntimeError(error)
    now = time.time() + host.clock_skew
    clients = _clients(host)
    if host.wsl_version is not None:
        host.first_use(0)  # by `wsl.exe --status`
    inside = _inside(host, asked)
    location = str(asked.get("Location", "C:\\"))
    below = location.lower() + "\\"
    unread = host.faults.get("unreadable", [])
    wanted = {str(item) for item in asked.get("CaThumbprints", [])}
    running = "".join(f"{item.name}\r\n" for item in host.registered if item.running and item.owner_sid == host.sid)
    state: dict[str, Any] = {
        "schema": "windows_state/1",
        "account": {
            "name": host.account,
            "sid": host.sid,
            "elevated": host.elevated,
            "profile": PROFILE,
            "session": 0,
            "desktops": host.desktops,
            "automatic_logon": None if host.faults.get("winlogon_unreadable") else _automatic_logon(host),
        },
        "os": {
            "caption": host.caption,
            "build": host.build,
            "revision": host.revision,
            "product_type": host.product_type,
            "edition": "Professional" if host.product_type == 1 else "ServerStandard",
            "architecture": "AMD64",
            "boot_time": moment(host.boot),
            "time": moment(now),
            "memory": 16 * 2**30,
            "powershell": "5.1.22621.4249",
        },
        "virtualization": {
            # https://learn.microsoft.com/windows/win32/cimwin32prov/win32-computersystem: present, wherever it runs.
            "hypervisor_present": (host.virtualization and not host.nested) or host.guest,
            "firmware_enabled": host.nested and host.features.get("VirtualMachinePlatform") != "Enabled",
            "manufacturer": SIMULATOR,
            "model": "Virtual Machine" if host.guest else "1",
        },
        "features": dict(host.features),
        "pending_reboot": list(host.pending_reboot),
        "wsl": {
            "install_location": "C:\\Program Files\\WSL" if host.wsl_version else None,
            "version": host.wsl_version,
            "stub": host.stub,
            "default_version": host.registry.get(LXSS, {}).get("DefaultVersion"),
            "wslconfig": _file(host, f"{PROFILE}\\.wslconfig"),
            "vm_service": "Running" if host.features.get("VirtualMachinePlatform") == "Enabled" else None,
            "clients": clients,
            "probe": None if host.wsl_version is None else ran(None) if host.faults.get("wsl_hangs") else _status(host),
        },
        "running": None if host.wsl_version is None else ran(0, running)["stdout"],
        "distros": [_distro(host, item) for item in host.registered],
        "inside": inside,
        "docker_desktop": _docker(host),
        "network": _network(host, asked),
        "surroundings": {
            "proxy_enabled": bool(host.proxy),
            "proxy_server": host.proxy,
            "proxy_bypass": host.proxy_bypass,
            "proxy_script": host.proxy_script,
            "proxy_machine": host.proxy_machine,
            "proxy_winhttp": base64.b64encode(host.proxy_winhttp).decode(),
            "proxy_others": host.proxy_others,
            "certificates": [item for item in host.certificates if item["thumbprint"] in wanted],
        },
        "tasks": [
            {
                "name": task.name,
                "state": task.state,
                "last_result": task.last_result,
                "user": task.user,
                "execute": task.execute,
                "arguments": task.arguments,
                "time_limit": task.time_limit,
            }
            for task in host.tasks.values()
        ],
        "files": [
            {"name": ntpath.basename(path), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in host.files.items()
            if ntpath.dirname(path) == FOLDER
        ],
        "disk": {
            "path": location[:3],
            "free": host.disk_free,
            "location_used": any(path.lower().startswith(below) for path in host.files),
        },
        "finished": moment(time.time() + host.clock_skew),
        "faults": [{"part": part, "message": "Access is denied."} for part in unread] + _docker_users_fault(host),
    }
    host.note("script", "windows_state", {key: value for key, value in asked.items() if key != "InsideScript"})
    return state | dict.fromkeys(unread)


def _status(host: Windows) -> dict[str, Any]:
    if host.sid == "S-1-5-18":
        return failed("Wsl/WSL_E_LOCAL_SYSTEM_NOT_SUPPORTED")
    code = host.faults.get("status_code")
    return failed(str(code)) if code else ran(0, "Standardversion: 2\r\n", wide=bool(host.faults.get("old_wsl")))
