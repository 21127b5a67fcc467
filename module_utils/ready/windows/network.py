# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What role windows_network has to do: conflicts, rules of both firewalls and port proxies of ours, nothing beyond."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ..checkrow import Check
from ..part import FAIL, PASS, UNKNOWN
from .config import Sections, decode, ini_values, merge_ini
from .names import RULE_PREFIX

#: Programs that hold a published port for Docker Desktop, for WSL's localhost relay, and for a port proxy.
RELAYS = {"com.docker.backend", "wslrelay", "vpnkit", "wslhost"}
PROXY_PROGRAM = "svchost"
#: The end of a rule's name that says that a port proxy of ours goes with it: proxies carry no mark themselves.
PROXY_MARK = "proxy"
DOCKER_NETWORKS = ipaddress.ip_network("172.17.0.0/16")
#: Where role windows_network puts the script that its task runs: nobody but administrators may write there.
FOLDER = f"C:\\Program Files\\{RULE_PREFIX}"
FOLLOWER = "portproxy_follow.ps1"
POWERSHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"


@dataclass(frozen=True)
class Opening:
    """What the inventory lets in from beyond this PC, and what stands in the way.

    `windows`: a program of Windows listens, Docker Desktop for one; `proxy`: one in the distro, whose address only this
    PC reaches; `hyperv`: one in the distro in mirrored mode, behind the firewall for virtual machines.
    """

    name: str
    port: int
    remote: tuple[str, ...]
    way: Literal["windows", "proxy", "hyperv"]


@dataclass(frozen=True)
class Options:
    """What the inventory asks for.

    `follower` is the SHA-256 of the script that renews port proxies, `config` what role wsl2 merges into .wslconfig.
    """

    stack: str
    distribution: str
    ports: Sequence[Mapping[str, Any]]
    allow: Sequence[Mapping[str, Any]]
    mode: str = "nat"
    backend: str = "desktop"
    follow: bool = True
    password_given: bool = False
    follower: str = ""
    config: Sections = field(default_factory=dict)


def openings(options: Options) -> list[Opening]:
    """Return windows_network_allow, typed. What an engine in the distro publishes is in the distro."""
    inside = {int(port["port"]) for port in options.ports} if options.backend == "engine" else set()
    found = []
    for item in options.allow:
        native = bool(item.get("native")) or int(item["port"]) in inside
        way: Literal["windows", "proxy", "hyperv"] = "windows"
        if native:
            way = "hyperv" if options.mode == "mirrored" else "proxy"
        found.append(Opening(str(item["name"]), int(item["port"]), tuple(map(str, item["remote"])), way))
    return found


def rule_name(stack: str, opening: Opening) -> str:
    """Return the display name of a firewall rule of ours."""
    return f"{RULE_PREFIX} {stack} {opening.name} {opening.port}{' ' + PROXY_MARK if opening.way == 'proxy' else ''}"


def task_of(stack: str) -> str:
    """Return the name of the task that renews a stack's port proxies."""
    return f"forward {stack}"


def task_arguments(options: Options) -> str:
    """Return what that task gives to PowerShell."""
    return (
        f'-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{FOLDER}\\{FOLLOWER}"'
        f" -Distribution {options.distribution} -Stack {options.stack}"
    )


def rules_of(rules: Sequence[Mapping[str, Any]], stack: str) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Return rules by name, and the names of those of a stack."""
    held = {rule["name"]: rule for rule in rules}
    return held, [name for name in held if name.startswith(f"{RULE_PREFIX} {stack} ")]


def proxied_port(rule: str) -> int | None:
    """Return the port of the proxy that a rule is the mark of, None for another rule."""
    words = rule.split()
    return int(words[-2]) if words[-1] == PROXY_MARK and words[-2].isdigit() else None


def _normal(address: str) -> str:
    """Return an address as Windows stores it in a rule: a range with its mask, one address bare."""
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return address.lower()
    if network.num_addresses == 1:
        return str(network.network_address)
    return f"{network.network_address}/{network.netmask}" if network.version == 4 else str(network)


def same_rule(found: Mapping[str, Any], opening: Opening) -> bool:
    """Return whether a rule lets in what is asked for, no more and no less."""
    remote = {_normal(item) for item in found["remote"]}
    return bool(
        found["enabled"]
        and found["direction"] == "Inbound"
        and found["action"] == "Allow"
        and found["protocol"].upper() in {"TCP", "6"}
        and found["ports"] == [str(opening.port)]
        and remote == {_normal(item) for item in opening.remote}
    )


def distro_address(state: Mapping[str, Any]) -> str:
    """Return the distro's own IPv4 address, "" when it is not known; those of Docker's bridges are passed over."""
    words = (state["inside"] or {}).get("values", {}).get("addresses", "").split()
    for word in words:
        try:
            address = ipaddress.ip_address(word)
        except ValueError:
            continue
        if address.version == 4 and address not in DOCKER_NETWORKS and not address.is_loopback:
            return str(address)
    return ""


def _openings(allow: Sequence[Opening]) -> Iterator[Check]:
    for opening in allow:
        wide = [item for item in opening.remote if item.lower() in {"any", "*", "0.0.0.0/0", "::/0"}]
        if wide or not opening.remote:
            yield Check(
                "network_allow",
                f"Opening of port {opening.port} ({opening.name})",
                FAIL,
                f"remote {', '.join(wide) or 'not set'}",
                "named addresses or networks",
                "name in windows_network_allow who may come in, such as 192.168.1.0/24",
            )


def _ports(state: Mapping[str, Any], ports: Sequence[Mapping[str, Any]], proxies: set[int]) -> Iterator[Check]:
    listeners, excluded = state["network"]["listeners"], state["network"]["excluded"]
    for port in ports:
        number, title = port["port"], f"Port {port['port']} ({port['service']}) on Windows"
        holders = [
            item
            for item in listeners
            if item["port"] == number
            and item["process"].lower() not in RELAYS
            and not (item["process"].lower() == PROXY_PROGRAM and number in proxies)
        ]
        ranges = [f"{first}-{last}" for first, last in excluded if first <= number <= last]
        step = f"set {port['variable']} to another port"
        if holders:
            holder = holders[0]
            yield Check(
                f"port_{number}",
                title,
                FAIL,
                f"held by {holder['process'] or 'a process'} (pid {holder['pid']})",
                "free",
                f"stop it, or {step}",
            )
        elif ranges:
            yield Check(
                f"port_{number}",
                title,
                FAIL,
                f"in the range {ranges[0]} that Windows keeps for Hyper-V",
                "a free port",
                f"{step}, or keep it: netsh int ipv4 add excludedportrange tcp {number} 1",
            )
        else:
            held = [item["process"] for item in listeners if item["port"] == number]
            yield Check(
                f"port_{number}", title, PASS, f"published by {held[0]}" if held else "free", "free, or published"
            )


def _asked_mode(wslconfig: str) -> str:
    """Return the network mode that a .wslconfig asks for."""
    return ini_values(wslconfig).get("wsl2", {}).get("networkingmode", "nat").lower()


def _mode(state: Mapping[str, Any], options: Options, guarded: bool) -> Iterator[Check]:
    wanted, held = options.mode, decode(state["wsl"]["wslconfig"]) or ""
    yet_to_come = _asked_mode(held) != wanted == _asked_mode(merge_ini(held, options.config))
    values = (state["inside"] or {}).get("values", {})
    found = values.get("networking_mode", "").strip().lower()
    title = "Network mode of WSL"
    if not found:
        yield Check("network_mode", title, UNKNOWN, "not known: the distro does not run, or has no wslinfo", wanted)
    elif found != wanted and yet_to_come:
        step = "the run writes .wslconfig, which counts from the next start of WSL on"
        yield Check(
            "network_mode",
            title,
            UNKNOWN,
            f"{found} is in effect, and .wslconfig does not ask for {wanted} yet",
            wanted,
            step,
        )
    elif found != wanted:
        yield Check(
            "network_mode",
            title,
            FAIL,
            f"{found} is in effect",
            wanted,
            "mirrored needs Windows 11 22H2 (build 22621) and IPv6 not switched off; "
            f"set windows_network_mode to {found}, or update and wsl --shutdown"
            if wanted == "mirrored"
            else "see networkingMode in .wslconfig, then wsl --shutdown",
        )
    else:
        yield Check("network_mode", title, PASS, found, wanted)
    if guarded and state["network"]["hyperv_rules"] is None:
        yield Check(
            "network_hyperv",
            "Hyper-V firewall",
            FAIL,
            "this Windows has none, or no cmdlets for it",
            "Windows 11 22H2 (build 22621) or newer, where mirrored mode is",
            "update Windows, or set windows_network_mode to nat",
        )


def _proxies(
    state: Mapping[str, Any], asked: Sequence[Opening], marked: set[int]
) -> tuple[list[dict[str, Any]], list[Check]]:
    """Return the port proxies to make (with an address) and to remove (without), and what is to be said of them."""
    address = distro_address(state)
    there = {entry["listen"]: entry["connect"] for entry in state["network"]["portproxy"]}
    ports = [item.port for item in asked if item.way == "proxy"]
    checks = []
    for port in ports:
        title = f"Port proxy on {port}"
        if f"0.0.0.0/{port}" in there and port not in marked:
            found = f"one to {there[f'0.0.0.0/{port}']} that is not ours"
            step = f"netsh interface portproxy delete v4tov4 listenaddress=0.0.0.0 listenport={port}"
            checks.append(Check("network_proxy", title, FAIL, found, "none, or ours", step))
        elif not address:
            checks.append(Check("network_proxy", title, UNKNOWN, "the distro's address is not known"))
    make = [
        {"port": port, "address": address}
        for port in ports
        if address and there.get(f"0.0.0.0/{port}") != f"{address}/{port}"
    ]
    drop = [
        {"port": port, "address": ""} for port in sorted(marked) if f"0.0.0.0/{port}" in there and port not in ports
    ]
    return make + drop, checks


def _follower(state: Mapping[str, Any], options: Options, wanted: bool) -> tuple[dict[str, Any], list[Check]]:
    """Return what becomes of the task that renews port proxies, and of the script that it runs."""
    name = task_of(options.stack)
    tasks = {task["name"]: task for task in state["tasks"]}
    sums = {file["name"]: file["sha256"] for file in state["files"]}
    others = [task for task in tasks if task.startswith("forward ") and task != name]
    right = (
        name in tasks
        and tasks[name]["arguments"] == task_arguments(options)
        and tasks[name]["time_limit"] == "PT0S"  # else Windows ends it after three days
    )
    needed = wanted and options.follow
    found: dict[str, Any] = {
        "script": needed and sums.get(FOLLOWER) != options.follower,
        "make": needed and not right,
        "drop": not needed and name in tasks,
        "drop_script": not needed and not others and FOLLOWER in sums,
    }
    checks = []
    if found["make"] and not options.password_given:
        checks.append(
            Check(
                "network_follow",
                "Task that renews port proxies",
                FAIL,
                "no password of the owner to store with the task",
                "a task that starts at boot with nobody logged on",
                "set windows_network_owner_password (in a vault), or windows_network_follow to false",
            )
        )
    return found, checks


def plan(state: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """Return what role windows_network has to do.

    Args:
        state: what windows_state.ps1 returned.
        given: the fields of Options.
    """
    options = Options(**given)
    asked = openings(options)
    wanted = {rule_name(options.stack, item): item for item in asked}
    guarded = [name for name, item in wanted.items() if item.way == "hyperv"]
    held, ours = rules_of(state["network"]["rules"], options.stack)
    hyperv, hyperv_ours = rules_of(state["network"]["hyperv_rules"] or [], options.stack)
    marked = {port for name in ours if (port := proxied_port(name)) is not None}
    proxies, proxy_checks = _proxies(state, asked, marked)
    natives = {item.port for item in asked if item.way == "proxy"}
    follower, follower_checks = _follower(state, options, bool(natives))

    def missing(names: Iterable[str], there: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"name": name, "port": wanted[name].port, "remote": ",".join(wanted[name].remote)}
            for name in names
            if name not in there or not same_rule(there[name], wanted[name])
        ]

    add = missing([name for name in wanted if name not in guarded], held)
    stale = [name for name in ours if name not in wanted or name in guarded]
    hyperv_add = missing(guarded, hyperv)
    hyperv_stale = [name for name in hyperv_ours if name not in guarded]
    steps = [f"rule {rule['name']}: let {rule['remote']} in on {rule['port']}" for rule in add]
    steps += [f"rule {rule['name']} of the Hyper-V firewall: let {rule['remote']} in" for rule in hyperv_add]
    steps += [f"remove the rule {name}" for name in stale]
    steps += [f"remove the rule {name} of the Hyper-V firewall" for name in hyperv_stale]
    steps += [
        f"forward port {item['port']} to {item['address']}"
        if item["address"]
        else f"remove the port proxy on {item['port']}"
        for item in proxies
    ]
    task = f"task {RULE_PREFIX}\\{task_of(options.stack)}, which renews port proxies when WSL starts"
    steps += [f"make the {task}"] if follower["make"] or follower["script"] else []
    steps += [f"remove the {task}"] if follower["drop"] or follower["drop_script"] else []
    return {
        "checks": [
            asdict(check)
            for check in (
                *_openings(asked),
                *_ports(state, options.ports, marked | natives),
                *_mode(state, options, bool(guarded)),
                *proxy_checks,
                *follower_checks,
            )
        ],
        "steps": steps,
        "rules": add,
        "stale_rules": stale,
        "hyperv_rules": [f"{rule['name']}|{rule['port']}|{rule['remote']}" for rule in hyperv_add],
        "hyperv_stale": hyperv_stale,
        "proxies": proxies,
        "follower": follower,
        "task": task_of(options.stack),
        "task_program": POWERSHELL,
        "task_arguments": task_arguments(options),
        "folder": FOLDER,
    }
