"""Windows' networks and its firewall, as far as Ready's rules depend on them: which profile is in force where."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: NdisPhysicalMedium: https://learn.microsoft.com/windows-hardware/drivers/network/oid-gen-physical-medium-ex
WIRED, WIFI, UNSPECIFIED = 14, 9, 0
#: What Set-Item below WSMan:\\localhost\\Service says while any network is Public, also one that Windows shows no
#: profile of, such as vEthernet (WSL): recorded in https://github.com/PowerShell/PowerShell/issues/13654 and
#: https://github.com/Wintus/Ansible-WSL/issues/14 (the same in Japanese).
PUBLIC_REFUSED = (
    "WinRM firewall exception will not work since one of the network connection types on this machine is set to "
    "Public. Change the network connection type to either Domain or Private and try again."
)
#: Profiles of the firewall by the category of a network.
PROFILES = {"DomainAuthenticated": "Domain", "Private": "Private", "Public": "Public"}


@dataclass
class Network:
    """An interface that is up, its addresses, and the category of its network.

    None: Windows has no profile for it, as for the switches that it makes itself, and its firewall then takes Public:
    https://github.com/microsoft/Windows-Dev-Performance/issues/31, https://github.com/microsoft/WSL/issues/4139.
    """

    alias: str
    index: int
    category: str | None
    prefixes: tuple[str, ...]
    gateway: bool = False
    medium: int = WIRED
    name: str = "Network"

    @property
    def profile(self) -> str:
        """Return the firewall's profile in force on it."""
        return PROFILES[self.category or "Public"]


def office() -> Network:
    """Return a wired network that somebody made Private."""
    return Network("Ethernet", 7, "Private", ("192.168.1.20/24",), gateway=True)


def wsl_switch() -> Network:
    """Return the switch that WSL makes under NAT."""
    return Network("vEthernet (WSL (Hyper-V firewall))", 42, None, ("172.28.96.1/20",), medium=UNSPECIFIED)


def new_profiles() -> dict[str, dict[str, bool]]:
    """Return the firewall's profiles as Windows comes: on, and local rules count in each."""
    return {name: {"enabled": True, "inbound_rules": True, "local_rules": True} for name in PROFILES.values()}


def towards(networks: Sequence[Network], address: str) -> Network | None:
    """Return the network that an address is reached by: its own, else one with a gateway (Find-NetRoute)."""
    wanted = ipaddress.ip_address(address)
    for network in networks:
        if any(wanted in ipaddress.ip_interface(prefix).network for prefix in network.prefixes):
            return network
    return next((network for network in networks if network.gateway), None)


def matches(remotes: Iterable[str], address: str) -> bool:
    """Return whether a rule's remote addresses hold one."""
    wanted = ipaddress.ip_address(address)
    return any(item == "Any" or wanted in ipaddress.ip_network(item, strict=False) for item in remotes)


def profiles_of(rule: Mapping[str, Any]) -> set[str]:
    """Return a rule's profiles; Any is every one of them."""
    found = set(rule["profiles"])
    return set(PROFILES.values()) if "Any" in found else found


def enforcement(
    networks: Sequence[Network], profiles: Mapping[str, Mapping[str, bool]], rule: Mapping[str, Any]
) -> list[int]:
    """Return EnforcementStatus of a rule in the ActiveStore.

    https://learn.microsoft.com/windows/win32/fwp/wmi/wfascimprov/msft-netfirewallrule: Full 1, FirewallOffInProfile 2,
    DisabledObject 4, InactiveProfile 5, LocalFirewallRulesDisallowed 16.
    """
    if not rule["enabled"]:
        return [4]
    active = {network.profile for network in networks} & profiles_of(rule)
    if not active:
        return [5]
    found = {2 if not profiles[name]["enabled"] else 1 if profiles[name]["local_rules"] else 16 for name in active}
    return sorted(found)


def read_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule as windows_state.ps1 reads it: its profiles by name, in Windows' order."""
    return {**rule, "profiles": [name for name in PROFILES.values() if name in profiles_of(rule)]}


def admits(
    networks: Sequence[Network],
    profiles: Mapping[str, Mapping[str, bool]],
    rules: Iterable[Mapping[str, Any]],
    address: str,
    port: int,
) -> bool:
    """Return whether the firewall lets an address in on a port, by the profile of the network that it comes over."""
    network = towards(networks, address)
    if network is None:
        return False
    settings = profiles[network.profile]
    if not settings["enabled"]:
        return True
    if not (settings["inbound_rules"] and settings["local_rules"]):
        return False
    return any(
        rule["enabled"]
        and str(port) in rule["ports"]
        and network.profile in profiles_of(rule)
        and matches(rule["remote"], address)
        for rule in rules
    )


@dataclass
class Remoting:
    """WinRM of a PC as it comes: nothing. `notes` is what enable_remoting.ps1 keeps in the registry."""

    running: bool = False
    names: tuple[str, ...] = ()
    rule: dict[str, Any] | None = None
    filter_policy: int | None = None
    notes: dict[str, Any] = field(default_factory=dict)


def set_wsman(networks: Sequence[Network]) -> None:
    """Change a setting of the service WinRM. Raises RuntimeError as Windows does while any network is Public."""
    if any(network.profile == "Public" for network in networks):
        raise RuntimeError(PUBLIC_REFUSED)
