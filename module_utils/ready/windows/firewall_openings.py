# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which networks lead to those that the inventory lets in, and whether Windows' firewall lets them in on those.

A rule counts only where one of its profiles is in force, and each network has one: Domain, Private or Public.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS, UNKNOWN

#: The profiles that a rule of ours has always, and all of them.
USUAL = ("Domain", "Private")
PROFILES = (*USUAL, "Public")
#: Firewall profiles by the category of a network, where the two words differ.
_CATEGORIES = {"DomainAuthenticated": "Domain"}
#: NdisPhysicalMedium of 802.3; Wi-Fi, mobile and adapters that say nothing of themselves have another number.
WIRED = 14
#: The name of each switch that Hyper-V makes, in every language.
_SWITCH = "vEthernet ("
#: EnforcementStatus of a rule in the ActiveStore. In force: Full, or a firewall that is off; the rest is why not.
#: https://learn.microsoft.com/windows/win32/fwp/wmi/wfascimprov/msft-netfirewallrule
_IN_FORCE = {1, 2}
_NOT_IN_FORCE = {
    3: "this kind of rule is switched off",
    4: "the rule is disabled",
    5: "none of its profiles is in force",
    15: "a policy ignores local rules for programs",
    16: "a policy ignores local rules",
}
#: What a message adds about a Public network that is not asked for.
_NOBODY = ", where a rule for Domain and Private lets nobody in"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Opening:
    """What the inventory lets in from beyond this PC, and what stands in the way.

    `windows`: a program of Windows listens, Docker Desktop for one; `proxy`: one in the distro, whose address only this
    PC reaches; `hyperv`: one in the distro in mirrored mode, behind the firewall for virtual machines.
    """

    name: str
    port: int
    remote: tuple[str, ...]
    via: Literal["windows", "proxy", "hyperv"]


@dataclass(frozen=True)
class Interface:
    """An interface of the PC, and the firewall profile in force on it.

    `known`: Windows keeps a category for its network, which can be changed. Where it keeps none, Public is in force.
    """

    alias: str
    index: int
    profile: str
    known: bool
    networks: tuple[Network, ...]
    gateway: bool
    wired: bool

    @property
    def internal(self) -> bool:
        """Return whether it is a switch that leads to virtual machines of this PC alone, such as vEthernet (WSL)."""
        return self.alias.startswith(_SWITCH) and not self.gateway


def interfaces_of(network: Mapping[str, Any]) -> list[Interface]:
    """Return the interfaces that windows_state.ps1 found."""
    return [
        Interface(
            item["alias"],
            item["index"],
            _CATEGORIES.get(item["category"], item["category"] or "Public"),
            item["category"] is not None,
            tuple(ipaddress.ip_network(prefix, strict=False) for prefix in item["prefixes"]),
            item["gateway"],
            item["medium"] == WIRED,
        )
        for item in network["interfaces"]
    ]


def _networks(address: str) -> list[Network]:
    """Return the networks of one entry of `remote`: an address, a network, a range; none for a word of Windows."""
    try:
        if "-" in address:
            first, last = (ipaddress.ip_address(end.strip()) for end in address.split("-", 1))
            return list(ipaddress.summarize_address_range(first, last))
        return [ipaddress.ip_network(address, strict=False)]
    except (ValueError, TypeError):
        return []


def interfaces_towards(interfaces: Sequence[Interface], address: str) -> list[Interface]:
    """Return the interfaces that those of one entry of `remote` come in over.

    Those whose own network holds some of them, and else those with a gateway. A switch for virtual machines counts
    where no other interface does: its profile is Public, and a wide network would open the port on every Public one.
    """
    wanted = _networks(address)
    near = [
        item
        for item in interfaces
        if any(one.version == other.version and one.overlaps(other) for one in wanted for other in item.networks)
    ]
    beyond = [item for item in near if not item.internal]
    return beyond or near or [item for item in interfaces if item.gateway]


def profiles(opening: Opening, interfaces: Sequence[Interface], public: bool) -> tuple[str, ...]:
    """Return the profiles of an opening's rule: Public where it is in force, and asked for or of an internal switch."""
    found = [item for address in opening.remote for item in interfaces_towards(interfaces, address)]
    wanted = any(item.profile == "Public" and (public or item.internal) for item in found)
    return PROFILES if wanted else USUAL


def normalized_address(address: str) -> str:
    """Return an address as Windows stores it in a rule: a range with its mask, one address bare."""
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return address.lower()
    if network.num_addresses == 1:
        return str(network.network_address)
    return f"{network.network_address}/{network.netmask}" if network.version == 4 else str(network)


def same_rule(found: Mapping[str, Any], opening: Opening, wanted: Sequence[str]) -> bool:
    """Return whether a rule lets in what is asked for on these profiles, no more and no less.

    A rule of the Hyper-V firewall has no profiles where Windows does not know them there yet.
    """
    remote = {normalized_address(item) for item in found["remote"]}
    return bool(
        found["enabled"]
        and found["direction"] == "Inbound"
        and found["action"] == "Allow"
        and found["protocol"].upper() in {"TCP", "6"}
        and found["ports"] == [str(opening.port)]
        and remote == {normalized_address(item) for item in opening.remote}
        and (set(found["profiles"]) == set(wanted) or (opening.via == "hyperv" and not found["profiles"]))
    )


def _closed(
    opening: Opening, address: str, interface: Interface, firewall: Mapping[str, Any], public: bool
) -> tuple[str, str, str] | None:
    """Return what is found, expected and next where an interface lets nobody in, None where it does."""
    settings = firewall.get(interface.profile, {})
    if settings and not settings["enabled"]:
        return None
    lead = f"{interface.alias}, which leads to {address}, is {interface.profile}"
    if interface.profile == "Public" and not interface.internal and not public:
        step = f"{_public(interface)}; else take {opening.name} out of windows_network_allow"
        return f"{lead}{_NOBODY}", "Private or Domain", step
    if settings and not settings["inbound_rules"]:
        step = f"Set-NetFirewallProfile -Name {interface.profile} -AllowInboundRules True, or the policy that sets it"
        return f"{lead}, and that profile blocks every incoming connection", "rules that count there", step
    if settings and not settings["local_rules"] and opening.via != "hyperv":
        step = f"have the policy let {', '.join(opening.remote)} in on TCP port {opening.port}, or merge local rules"
        return f"{lead}, and a policy ignores local rules there", "local rules that count there", step
    return None


def _public(interface: Interface) -> str:
    """Return what to do about a Public network: Wi-Fi is made Private by nobody who was not warned."""
    option = "set windows_network_public to true, which lets the named addresses in on Public networks"
    command = f"Set-NetConnectionProfile -InterfaceIndex {interface.index} -NetworkCategory Private"
    if not interface.known:
        return option
    if interface.wired:
        return f"if you trust everybody in that network: {command}; else {option}"
    warning = "only if no stranger can join that network, which is not known to be wired and may be Wi-Fi"
    return f"{option}; {warning}: {command}"


def public_withdrawn(rule: Mapping[str, Any] | None, wanted: Sequence[str]) -> bool:
    """Return whether a rule of ours lets somebody in on Public networks, where nobody asks for that any more."""
    return bool(rule and rule["enabled"] and "Public" in rule["profiles"] and "Public" not in wanted)


def _ignored(rule: Mapping[str, Any] | None) -> str:
    """Return why Windows does not apply a rule that is there, by its own word; "" where it does, or says nothing."""
    status = set(rule["enforcement"]) if rule and "enforcement" in rule else set()
    if status & _IN_FORCE:
        return ""
    return "; ".join(_NOT_IN_FORCE.get(code, f"EnforcementStatus {code}") for code in sorted(status - {0}))


def check(
    opening: Opening,
    rule: Mapping[str, Any] | None,
    network: Mapping[str, Any],
    public: bool,
    before: Mapping[str, Any] | None = None,
) -> Finding:
    """Return whether an opening lets in those that it names.

    `rule` is that of ours which is as asked for already, `before` that of its name, whatever it is like.
    """
    interfaces = interfaces_of(network)
    firewall = {item["name"]: item for item in network["firewall"]}
    title = f"Opening of port {opening.port} ({opening.name})"
    withdrawn = public_withdrawn(before, profiles(opening, interfaces, public))
    over, shut, unknown, closing = [], [], [], ""
    for address in opening.remote:
        found = {
            item: _closed(opening, address, item, firewall, public) for item in interfaces_towards(interfaces, address)
        }
        over += [item for item, fault in found.items() if fault is None]
        faults = [fault for fault in found.values() if fault is not None]
        unknown += [] if found else [address]
        if found and len(faults) == len(found):
            if not withdrawn or _NOBODY not in faults[0][0]:
                return Finding("network_open", title, FAIL, *faults[0])
            closing = closing or faults[0][0].removesuffix(_NOBODY)
        shut += [item for item, fault in found.items() if fault is not None]
    if closing:
        found_open = f"{closing}, and the rule of before lets {', '.join(before['remote']) if before else ''} in there"
        step = "the run closes it there"
        return Finding("network_open", title, UNKNOWN, found_open, "no rule for Public networks", step)
    if unknown:
        found_none = f"no network leads to {', '.join(unknown)} now: whether it is open there is not known"
        return Finding("network_open", title, UNKNOWN, found_none, "a network that leads there")
    if ignored := _ignored(rule):
        step = "Get-NetFirewallRule -PolicyStore ActiveStore -DisplayName 'Ready *', and ./ready diagnose"
        return Finding("network_open", title, FAIL, f"its rule is there and not in force: {ignored}", "in force", step)
    names = ", ".join(_names(over)) + (f"; closed over {', '.join(_names(shut))}" if shut else "")
    return Finding("network_open", title, PASS, f"over {names}", "open where those come in")


def _names(interfaces: Sequence[Interface]) -> Iterator[str]:
    """Yield each interface once, with the profile in force on it."""
    yield from dict.fromkeys(f"{item.alias} ({item.profile})" for item in interfaces)
