# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What role windows_network has to do: conflicts, firewall rules and port proxies of ours, and nothing beyond."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..preflight import FAIL, PASS, UNKNOWN, Check
from .names import RULE_PREFIX

#: Programs that hold a published port for Docker Desktop, for WSL's localhost relay, and for a port proxy.
RELAYS = {"com.docker.backend", "wslrelay", "vpnkit", "wslhost"}
PROXY_PROGRAM = "svchost"
#: The end of a rule's name that says that a port proxy of ours goes with it: proxies carry no mark themselves.
PROXY_MARK = "proxy"
DOCKER_NETWORKS = ipaddress.ip_network("172.17.0.0/16")


@dataclass(frozen=True)
class Opening:
    """What the inventory lets in from beyond this PC."""

    name: str
    port: int
    remote: tuple[str, ...]
    native: bool


def openings(given: Sequence[Mapping[str, Any]]) -> list[Opening]:
    """Return windows_network_allow, typed."""
    return [
        Opening(str(item["name"]), int(item["port"]), tuple(map(str, item["remote"])), bool(item.get("native")))
        for item in given
    ]


def rule_name(stack: str, opening: Opening) -> str:
    """Return the display name of a firewall rule of ours."""
    return f"{RULE_PREFIX} {stack} {opening.name} {opening.port}{' ' + PROXY_MARK if opening.native else ''}"


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
        and found["protocol"].upper() == "TCP"
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


def _mode(state: Mapping[str, Any], wanted: str, native: bool) -> Iterator[Check]:
    values = (state["inside"] or {}).get("values", {})
    found = values.get("networking_mode", "").strip().lower()
    title = "Network mode of WSL"
    if not found:
        yield Check("network_mode", title, UNKNOWN, "not known: the distro does not run, or has no wslinfo", wanted)
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
    if wanted == "mirrored" and native:
        yield Check(
            "network_native",
            "Native services under mirrored mode",
            FAIL,
            "a native service in windows_network_allow",
            "nat: mirrored mode needs rules of the Hyper-V firewall, which Ready does not make",
            "set windows_network_mode to nat",
        )


def plan(
    state: Mapping[str, Any],
    *,
    stack: str,
    ports: Sequence[Mapping[str, Any]],
    allow: Sequence[Mapping[str, Any]],
    mode: str,
) -> dict[str, Any]:
    """Return what role windows_network has to do.

    Args:
        state: what windows_state.ps1 returned.
        stack: name of the stack; rules carry it.
        ports: port, service and variable of everything that the stack publishes.
        allow: what may come in from beyond this PC: name, port, remote (addresses), native.
        mode: nat or mirrored, as it must be in effect.
    """
    asked = openings(allow)
    wanted = {rule_name(stack, item): item for item in asked}
    held = {rule["name"]: rule for rule in state["network"]["rules"]}
    ours = [name for name in held if name.startswith(f"{RULE_PREFIX} {stack} ")]
    address = distro_address(state)
    natives = [item for item in asked if item.native]
    marked = {int(name.split()[-2]) for name in ours if name.endswith(f" {PROXY_MARK}") and name.split()[-2].isdigit()}
    proxied = {entry["listen"]: entry["connect"] for entry in state["network"]["portproxy"]}
    listens = {f"0.0.0.0/{item.port}": f"{address}/{item.port}" for item in natives}
    make = [
        {"port": item.port, "address": address}
        for item in natives
        if address and proxied.get(f"0.0.0.0/{item.port}") != f"{address}/{item.port}"
    ]
    drop = [
        {"port": port, "address": ""}
        for port in sorted(marked)
        if f"0.0.0.0/{port}" in proxied and f"0.0.0.0/{port}" not in listens
    ]
    checks = [
        *_openings(asked),
        *_ports(state, ports, marked | {item.port for item in natives}),
        *_mode(state, mode, bool(natives)),
    ]
    for item in natives:
        foreign = f"0.0.0.0/{item.port}" in proxied and item.port not in marked
        if foreign:
            checks.append(
                Check(
                    "network_proxy",
                    f"Port proxy on {item.port}",
                    FAIL,
                    f"one to {proxied[f'0.0.0.0/{item.port}']} that is not ours",
                    "none, or ours",
                    f"netsh interface portproxy delete v4tov4 listenaddress=0.0.0.0 listenport={item.port}",
                )
            )
        elif not address:
            checks.append(
                Check("network_proxy", f"Port proxy on {item.port}", UNKNOWN, "the distro's address is not known")
            )
    add = [
        {"name": name, "port": item.port, "remote": ",".join(item.remote)}
        for name, item in wanted.items()
        if name not in held or not same_rule(held[name], item)
    ]
    stale = [name for name in ours if name not in wanted]
    steps = [f"rule {rule['name']}: let {rule['remote']} in on {rule['port']}" for rule in add]
    steps += [f"remove the rule {name}" for name in stale]
    steps += [f"forward port {item['port']} to {item['address']}" for item in make]
    steps += [f"remove the port proxy on {item['port']}" for item in drop]
    return {
        "checks": [asdict(check) for check in checks],
        "steps": steps,
        "rules": add,
        "stale_rules": stale,
        "proxies": make + drop,
    }
