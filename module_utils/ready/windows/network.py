# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What role windows_network has to do: conflicts, rules of both firewalls and port proxies of ours, nothing beyond."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS, UNKNOWN
from . import portproxy_task
from .config import decode, ini_values, merge_ini
from .firewall_openings import Opening, check, interfaces_of, profiles, public_withdrawn, same_rule
from .network_options import Options, openings
from .ownership import RULE_PREFIX

#: Programs that hold a published port for Docker Desktop, for WSL's localhost relay, and for a port proxy.
RELAYS = {"com.docker.backend", "wslrelay", "vpnkit", "wslhost"}
PROXY_PROGRAM = "svchost"
#: The end of a rule's name that says that a port proxy of ours goes with it: proxies carry no mark themselves.
PROXY_MARK = "proxy"
#: Lines of `ip -4 route show default` and of `ip -4 -o addr show scope global`.
_DEFAULT_ROUTE = re.compile(r"^default\b.*?\bdev (\S+)", re.MULTILINE)
_INTERFACE = re.compile(r"^\d+:\s+(\S+)\s+inet (\d+(?:\.\d+){3})/", re.MULTILINE)


def rule_name(stack: str, opening: Opening) -> str:
    """Return the display name of a firewall rule of ours."""
    return f"{RULE_PREFIX} {stack} {opening.name} {opening.port}{' ' + PROXY_MARK if opening.via == 'proxy' else ''}"


def rules_of(rules: Sequence[Mapping[str, Any]], stack: str) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Return rules by name, and the names of those of a stack."""
    held = {rule["name"]: rule for rule in rules}
    return held, [name for name in held if name.startswith(f"{RULE_PREFIX} {stack} ")]


def proxied_port(rule: str) -> int | None:
    """Return the port of the proxy that a rule is the mark of, None for another rule."""
    words = rule.split()
    return int(words[-2]) if words[-1] == PROXY_MARK and words[-2].isdigit() else None


def distro_address(state: Mapping[str, Any]) -> str:
    """Return the IPv4 address by which Windows reaches the distro, that on its default route, "" when it has none.

    By no network's number: WSL's NAT lies anywhere in 172.16/12, also within that of Docker's bridge.
    portproxy_follow.ps1 does the same.
    """
    values = (state["inside"] or {}).get("values", {})
    route = _DEFAULT_ROUTE.search(values.get("routes", ""))
    held = _INTERFACE.findall(values.get("interfaces", ""))
    return next((address for name, address in held if route and name == route[1]), "")


def _openings(
    state: Mapping[str, Any],
    options: Options,
    right: Mapping[str, Mapping[str, Any]],
    there: Mapping[str, Mapping[str, Any] | None],
) -> Iterator[Finding]:
    """Yield a finding for each opening; of the rules `there`, those in `right` are as asked for already."""
    for opening in openings(options):
        wide = [item for item in opening.remote if item.lower() in {"any", "*", "0.0.0.0/0", "::/0"}]
        if wide or not opening.remote:
            yield Finding(
                "network_allow",
                f"Opening of port {opening.port} ({opening.name})",
                FAIL,
                f"remote {', '.join(wide) or 'not set'}",
                "named addresses or networks",
                "name in windows_network_allow who may come in, such as 192.168.1.0/24",
            )
        else:
            name = rule_name(options.stack, opening)
            yield check(opening, right.get(name), state["network"], options.public, there[name])


def _ports(state: Mapping[str, Any], ports: Sequence[Mapping[str, Any]], proxies: set[int]) -> Iterator[Finding]:
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
        within = [item for item in excluded if item["first"] <= number <= item["last"]]
        kept = [f"{item['first']}-{item['last']}" for item in within if not item["administered"]]
        step = f"set {port['variable']} to another port"
        if holders:
            holder = holders[0]
            yield Finding(
                f"port_{number}",
                title,
                FAIL,
                f"held by {holder['process'] or 'a process'} (pid {holder['pid']})",
                "free",
                f"stop it, or {step}",
            )
        elif kept:
            yield Finding(
                f"port_{number}",
                title,
                FAIL,
                f"in the range {kept[0]} that Windows keeps for Hyper-V",
                "a free port",
                f"{step}, or keep it from Hyper-V, with WSL shut down: net stop winnat; netsh int ipv4 add"
                f" excludedportrange protocol=tcp startport={number} numberofports=1; net start winnat",
            )
        else:
            held = [item["process"] for item in listeners if item["port"] == number]
            found = f"published by {held[0]}" if held else "free"
            found += ", and kept from Hyper-V" if within else ""
            yield Finding(f"port_{number}", title, PASS, found, "free, or published")


def _asked_mode(wslconfig: str) -> str:
    """Return the network mode that a .wslconfig asks for."""
    return ini_values(wslconfig).get("wsl2", {}).get("networkingmode", "nat").lower()


def _mode(state: Mapping[str, Any], options: Options, guarded: bool) -> Iterator[Finding]:
    wanted, held = options.mode, decode(state["wsl"]["wslconfig"]) or ""
    yet_to_come = _asked_mode(held) != wanted == _asked_mode(merge_ini(held, options.config))
    values = (state["inside"] or {}).get("values", {})
    found = values.get("networking_mode", "").strip().lower()
    title = "Network mode of WSL"
    if not found:
        yield Finding("network_mode", title, UNKNOWN, "not known: the distro does not run, or has no wslinfo", wanted)
    elif found != wanted and yet_to_come:
        step = "the run writes .wslconfig, which counts from the next start of WSL on"
        yield Finding(
            "network_mode",
            title,
            UNKNOWN,
            f"{found} is in effect, and .wslconfig does not ask for {wanted} yet",
            wanted,
            step,
        )
    elif found != wanted:
        yield Finding(
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
        yield Finding("network_mode", title, PASS, found, wanted)
    if guarded and state["network"]["hyperv_rules"] is None:
        yield Finding(
            "network_hyperv",
            "Hyper-V firewall",
            FAIL,
            "this Windows has none, or no cmdlets for it",
            "Windows 11 22H2 (build 22621) or newer, where mirrored mode is",
            "update Windows, or set windows_network_mode to nat",
        )


def _proxies(
    state: Mapping[str, Any], asked: Sequence[Opening], marked: set[int]
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return the port proxies to make (with an address) and to remove (without), and the findings about them."""
    address = distro_address(state)
    there = {entry["listen"]: entry["connect"] for entry in state["network"]["portproxy"]}
    ports = [item.port for item in asked if item.via == "proxy"]
    checks = []
    for port in ports:
        title = f"Port proxy on {port}"
        if f"0.0.0.0/{port}" in there and port not in marked:
            found = f"one to {there[f'0.0.0.0/{port}']} that is not ours"
            step = f"netsh interface portproxy delete v4tov4 listenaddress=0.0.0.0 listenport={port}"
            checks.append(Finding("network_proxy", title, FAIL, found, "none, or ours", step))
        elif not address:
            checks.append(Finding("network_proxy", title, UNKNOWN, "the distro's address is not known"))
    make = [
        {"port": port, "address": address}
        for port in ports
        if address and there.get(f"0.0.0.0/{port}") != f"{address}/{port}"
    ]
    drop = [
        {"port": port, "address": ""} for port in sorted(marked) if f"0.0.0.0/{port}" in there and port not in ports
    ]
    return make + drop, checks


def _on_public(rule: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """Return what a step says of a rule that holds on Public networks too, or did `before`."""
    if "public" in rule["profiles"]:
        return ", on Public networks too"
    return ", no longer on Public networks" if public_withdrawn(before, ()) else ""


def closed(state: Mapping[str, Any], made: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what is closed after the rules were made: a rule that is not there, and the failed checks of openings.

    A rule that Windows gives back in other words than it was made with lets in what it did.

    Args:
        state: what windows_state.ps1 returned afterwards.
        made: the plan by that state.
    """
    if "rules" not in made:
        lost = "; ".join(f"{fault['part']}: {fault['message']}" for fault in state["faults"])
        title = "Openings, after their rules were made"
        return [asdict(Finding("network_open", title, FAIL, f"not read ({lost})", "what is in force", "run it again"))]
    network, wanted = state["network"], {rule["name"]: set(rule["profiles"]) for rule in made["rules"]}
    wanted |= {
        words[0]: set(words[3].lower().split(",")) for rule in made["hyperv_rules"] if (words := rule.split("|"))
    }
    there = {rule["name"]: rule for rule in [*network["rules"], *(network["hyperv_rules"] or [])]}
    step = "see whether a policy or another program changes rules, then ./ready diagnose"
    rows = []
    for name, on in wanted.items():
        rule, found = there.get(name), "none"
        if rule:
            held = {word.lower() for word in rule["profiles"]} or on
            if rule["enabled"] and rule["action"] == "Allow" and on <= held:
                continue
            state_of = "enabled" if rule["enabled"] else "disabled"
            found = f"{state_of}, {rule['action']}, on {', '.join(sorted(held)) or 'no profile'}"
        expected = f"one that was made a moment ago, on {', '.join(sorted(on))}"
        rows.append(asdict(Finding("network_open", f"Rule {name}", FAIL, found, expected, step)))
    return rows + [row for row in made["checks"] if row["id"] == "network_open" and row["verdict"] == FAIL]


def plan(state: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """Return what role windows_network has to do.

    Args:
        state: what windows_state.ps1 returned.
        given: the fields of Options.
    """
    options = Options(**given)
    asked = openings(options)
    wanted = {rule_name(options.stack, item): item for item in asked}
    guarded = [name for name, item in wanted.items() if item.via == "hyperv"]
    held, ours = rules_of(state["network"]["rules"], options.stack)
    hyperv, hyperv_ours = rules_of(state["network"]["hyperv_rules"] or [], options.stack)
    marked = {port for name in ours if (port := proxied_port(name)) is not None}
    proxies, proxy_checks = _proxies(state, asked, marked)
    natives = {item.port for item in asked if item.via == "proxy"}
    renewal, renewal_checks = portproxy_task.plan(state, options, wanted=bool(natives))

    on = {name: profiles(item, interfaces_of(state["network"]), options.public) for name, item in wanted.items()}
    there = {name: (hyperv if name in guarded else held).get(name) for name in wanted}
    right = {name: rule for name, rule in there.items() if rule and same_rule(rule, wanted[name], on[name])}

    def missing(names: Iterable[str]) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "port": wanted[name].port,
                "remote": ",".join(wanted[name].remote),
                "profiles": [word.lower() for word in on[name]],
            }
            for name in names
            if name not in right
        ]

    add = missing([name for name in wanted if name not in guarded])
    stale = [name for name in ours if name not in wanted or name in guarded]
    hyperv_add = missing(guarded)
    hyperv_stale = [name for name in hyperv_ours if name not in guarded]
    steps = [
        f"rule {rule['name']}: let {rule['remote']} in on {rule['port']}{_on_public(rule, there[rule['name']])}"
        for rule in add
    ]
    steps += [
        f"rule {rule['name']} of the Hyper-V firewall: let {rule['remote']} in{_on_public(rule, there[rule['name']])}"
        for rule in hyperv_add
    ]
    steps += [f"remove the rule {name}" for name in stale]
    steps += [f"remove the rule {name} of the Hyper-V firewall" for name in hyperv_stale]
    steps += [
        f"forward port {item['port']} to {item['address']}"
        if item["address"]
        else f"remove the port proxy on {item['port']}"
        for item in proxies
    ]
    steps += renewal.steps()
    return {
        "checks": [
            asdict(check)
            for check in (
                *_openings(state, options, right, there),
                *_ports(state, options.ports, marked | natives),
                *_mode(state, options, bool(guarded)),
                *proxy_checks,
                *renewal_checks,
            )
        ],
        "steps": steps,
        "rules": add,
        "stale_rules": stale,
        "hyperv_rules": [
            f"{rule['name']}|{rule['port']}|{rule['remote']}|{','.join(on[rule['name']])}" for rule in hyperv_add
        ],
        "hyperv_stale": hyperv_stale,
        "proxies": proxies,
        "portproxy_task": renewal.task.variables(),
        "remove_portproxy_task": renewal.remove_task,
        "remove_portproxy_script": renewal.remove_script,
    }
