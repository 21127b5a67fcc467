"""Which networks an opening is reached over, and whether Windows' firewall lets anybody in there."""

from __future__ import annotations

from typing import Any

import pytest
from ready.preflight import checks
from ready.windows import firewall_openings, network

from tests.simulator.conditions import host_in
from tests.simulator.firewall import UNSPECIFIED, WIFI, Network, admits
from tests.simulator.handlers.modules import win_firewall_rule
from tests.simulator.handlers.scripts import hyperv_rules
from tests.simulator.host import ModuleCall
from tests.simulator.model import Windows
from tests.unit.windows.test_plans import NETWORK, PORTS, state_of

ALLOW = [{"name": "postgresql", "port": 5432, "remote": ["192.168.1.0/24"]}]
CLIENT = "192.168.1.30"


def planned(host: Windows, allow: list[dict[str, Any]] = ALLOW, **other: Any) -> dict[str, Any]:
    """Return the plan of role windows_network."""
    return network.plan(state_of(host, Inside="never"), **(NETWORK | {"allow": allow, "follow": False} | other))


def make(host: Windows, name: str, port: int, remote: str, profiles: list[str]) -> None:
    """Make a rule as tasks/apply.yml does."""
    given = {"name": name, "localport": port, "remoteip": remote, "profiles": profiles}
    win_firewall_rule(host, ModuleCall("win_firewall_rule", given, False, False, None, {}))


def message(host: Windows, allow: list[dict[str, Any]] = ALLOW, **other: Any) -> str:
    """Return what is refused."""
    return checks.failure_text(host.name, planned(host, allow, **other)["checks"])


def opened(host: Windows, allow: list[dict[str, Any]] = ALLOW, **other: Any) -> dict[str, Any]:
    """Make the rules as tasks/apply.yml does, and return the plan afterwards."""
    made = planned(host, allow, **other)
    for rule in made["rules"]:
        make(host, **rule)
    hyperv_rules(host, {"Make": made["hyperv_rules"]})
    return planned(host, allow, **other)


def lets_in(host: Windows, address: str = CLIENT) -> bool:
    """Return whether the simulated firewall lets an address in."""
    return admits(host.networks, host.firewall, host.rules.values(), address, 5432)


def of(category: str | None, **other: Any) -> Windows:
    """Return a PC that is ready, whose wired network has this category."""
    host = host_in("ready")
    host.networks[0].category = category
    for name, value in other.items():
        setattr(host.networks[0], name, value)
    return host


@pytest.mark.parametrize("category", ["Private", "DomainAuthenticated"])
def test_what_is_opened_is_open(category: str) -> None:
    """On a network that is Private or a domain's, and nothing is left to do then."""
    host = of(category)
    assert opened(host)["steps"] == []
    assert lets_in(host)
    assert not lets_in(host, "10.9.9.9")
    assert host.rules["Ready ready postgresql 5432"]["profiles"] == ["Domain", "Private"]
    (row,) = (item for item in planned(host)["checks"] if item["id"] == "network_open")
    assert (row["verdict"], row["found"]) == (
        "pass",
        f"over Ethernet ({firewall_openings.interfaces_of(state(host))[0].profile})",
    )


def state(host: Windows) -> dict[str, Any]:
    """Return the part `network` of its state."""
    return dict(state_of(host, Inside="never")["network"])


def test_public_network_is_refused_and_the_port_would_be_closed() -> None:
    """A rule for domain and private profiles lets nobody in there, so the run must not pass."""
    host = of("Public")
    make(host, "Ready ready postgresql 5432", 5432, "192.168.1.0/24", ["domain", "private"])
    assert not lets_in(host)
    said = message(host)
    assert "found Ethernet, which leads to 192.168.1.0/24, is Public" in said
    assert "Set-NetConnectionProfile -InterfaceIndex 7 -NetworkCategory Private" in said
    assert "stranger" not in said
    assert "windows_network_public" in said


def test_public_network_is_opened_where_that_was_asked_for() -> None:
    """For the named addresses alone; the rule loses the profile again when nobody asks for it any more."""
    host = of("Public")
    assert "on Public networks too" in planned(host, public=True)["steps"][0]
    assert opened(host, public=True)["steps"] == []
    assert (lets_in(host), lets_in(host, "192.168.2.1")) == (True, False)
    host.networks[0].category = "Private"
    assert planned(host)["rules"][0]["profiles"] == ["domain", "private"]
    assert opened(host)["steps"] == []
    assert lets_in(host)


@pytest.mark.parametrize("medium", [WIFI, UNSPECIFIED])
def test_wifi_is_made_private_by_nobody_unwarned(medium: int) -> None:
    """Nor is anything that does not say that it is wired; the option comes first."""
    said = message(of("Public", medium=medium))
    assert said.index("windows_network_public") < said.index("only if no stranger can join")
    assert said.index("only if no stranger can join") < said.index("Set-NetConnectionProfile")


def test_network_without_a_category_is_public() -> None:
    """Windows keeps none, so its category can't be changed: Set-NetConnectionProfile would find nothing."""
    said = message(of(None))
    assert "is Public" in said
    assert "Set-NetConnectionProfile" not in said


def test_remote_beyond_the_own_network_comes_over_the_gateway() -> None:
    """As does a range, and a word of Windows; where no network leads there nothing is known."""
    for remote in ("10.0.0.0/8", "203.0.113.7", "203.0.113.7-203.0.113.9", "LocalSubnet"):
        allow = [ALLOW[0] | {"remote": [remote]}]
        assert message(of("Private"), allow) == ""
        assert f"leads to {remote}, is Public" in message(of("Public"), allow)
    found = planned(of("Public", gateway=False), [ALLOW[0] | {"remote": ["10.0.0.0/8"]}])
    (row,) = (item for item in found["checks"] if item["id"] == "network_open")
    assert (row["verdict"], row["found"][:33]) == ("insufficient_data", "no network leads to 10.0.0.0/8 no")


def test_second_network_that_is_public_closes_nothing() -> None:
    """A docked notebook: its cable is Private, its Wi-Fi beside that is not. The row says what is closed."""
    host = of("Private")
    host.networks.insert(0, Network("Wi-Fi", 12, "Public", ("192.168.1.77/24",), gateway=True, medium=WIFI))
    (row,) = (item for item in planned(host)["checks"] if item["id"] == "network_open")
    assert (row["verdict"], row["found"]) == ("pass", "over Ethernet (Private); closed over Wi-Fi (Public)")
    host.networks[1].category = "Public"
    assert "Wi-Fi, which leads to 192.168.1.0/24, is Public" in message(host)


def test_programs_of_windows_are_reached_from_the_distro() -> None:
    """WSL's switch has no category: Public is in force there, and needs no option. A wide network opens no other."""
    host = of("Private")
    allow = [{"name": "api", "port": 5432, "remote": ["172.16.0.0/12"]}]
    assert opened(host, allow)["steps"] == []
    assert message(host, allow) == ""
    assert lets_in(host, "172.28.96.5")
    host.networks[0].prefixes = ("172.20.1.20/16",)
    assert planned(host, allow)["rules"][0]["profiles"] == ["domain", "private"]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("inbound_rules", ["blocks every incoming connection", "Set-NetFirewallProfile -Name Private"]),
        ("local_rules", ["a policy ignores local rules", "let 192.168.1.0/24 in on TCP port 5432"]),
    ],
)
def test_profile_that_ignores_the_rule_is_refused(setting: str, words: list[str]) -> None:
    """Whatever the rule says nobody comes in; a firewall that is off lets everybody in."""
    host = of("Private")
    host.firewall["Private"][setting] = False
    opened(host)
    assert not lets_in(host)
    assert [word for word in words if word not in message(host)] == []
    host.firewall["Private"]["enabled"] = False
    assert message(host) == ""
    assert lets_in(host)


@pytest.mark.parametrize(
    ("status", "words"),
    [([1], ""), ([1, 5], ""), ([2], ""), ([], ""), ([0], ""), ([5], "none of its profiles"), ([16], "a policy ignores"),
     ([9], "EnforcementStatus 9")],
)  # fmt: skip
def test_windows_own_word_about_a_rule_counts(status: list[int], words: str) -> None:
    """Where it says nothing the profiles decide."""
    host = of("Private")
    opened(host)
    found = state_of(host, Inside="never")
    found["network"]["rules"][0]["enforcement"] = status
    made = network.plan(found, **(NETWORK | {"allow": ALLOW}))
    said = checks.failure_text("pc1", made["checks"])
    assert (words in said) if words else (said == "")
    assert [row["title"] for row in network.closed(found, made)] == (
        ["Opening of port 5432 (postgresql)"] if words else []
    )


def test_rule_that_is_not_there_afterwards_is_named() -> None:
    """Missing, disabled, or without the profile that it was made with; other words for the same are no fault."""
    host = of("Public")
    opened(host, public=True)
    rule = host.rules["Ready ready postgresql 5432"]

    def fault(**other: Any) -> str:
        host.rules = {str(rule["name"]): rule | other} if other else {}
        rows = network.closed(state_of(host, Inside="never"), planned(host, public=True))
        return checks.failure_text("pc1", rows)

    assert "Rule Ready ready postgresql 5432: found none" in fault()
    assert "found disabled, Allow" in fault(enabled=False)
    assert "found enabled, Block" in fault(action="Block")
    assert "on domain, private; expected" in fault(profiles=["Domain", "Private"])
    assert fault(remote=["192.168.1.0-192.168.1.255"]) == ""


def test_state_that_is_not_read_afterwards_is_no_success() -> None:
    """Nobody knows then whether anything is open."""
    host = of("Private")
    host.faults["unreadable"] = ["network"]
    rows = network.closed(state_of(host, Inside="never"), {"checks": [], "steps": []})
    assert "not read (network: Access is denied.)" in checks.failure_text("pc1", rows)


def test_hyperv_rules_have_the_same_profiles() -> None:
    """And where Windows knows none for them, the rule is right as it is."""
    host = host_in("mirrored")
    asked: dict[str, Any] = {"mode": "mirrored", "backend": "engine", "ports": PORTS}
    assert planned(host, **asked)["hyperv_rules"] == ["Ready ready postgresql 5432|5432|192.168.1.0/24|Domain,Private"]
    assert opened(host, **asked)["steps"] == []
    found = state_of(host, Inside="never")
    found["network"]["hyperv_rules"][0]["profiles"] = []
    made = network.plan(found, **(NETWORK | {"allow": ALLOW, **asked}))
    assert (made["hyperv_rules"], network.closed(found, made)) == ([], [])
    host.networks[0].category = "Public"
    assert "is Public" in message(host, **asked)
    assert planned(host, public=True, **asked)["hyperv_rules"][0].endswith("|Domain,Private,Public")
    host.hyperv_rules.clear()
    rows = network.closed(state_of(host, Inside="never"), planned(host, public=True, **asked))
    assert "found none" in checks.failure_text("pc1", rows)


def withdrawn(host: Windows, **other: Any) -> tuple[dict[str, Any], list[str]]:
    """Take windows_network_public back, after ports were opened by it; return the plan before, and the steps after."""
    opened(host, public=True, **other)
    before = planned(host, **other)
    assert message(host, **other) == "", "the run is not refused"
    after = opened(host, **other)
    return before, after["steps"]


def test_what_was_opened_on_public_networks_is_closed_when_that_is_withdrawn() -> None:
    """The rule of ours loses the profile, once; others' rules stay. Then nobody gets in, and that is refused."""
    host = of("Public")
    for name in ("Backup agent", "Ready second postgresql 5432"):
        make(host, name, 5432, "10.0.0.0/8", ["public"])
    others = dict(host.rules)
    before, after = withdrawn(host)
    assert before["rules"][0]["profiles"] == ["domain", "private"]
    (step,) = before["steps"]
    assert step == "rule Ready ready postgresql 5432: let 192.168.1.0/24 in on 5432, no longer on Public networks"
    (row,) = (item for item in before["checks"] if item["id"] == "network_open")
    assert (row["verdict"], row["next"]) == ("insufficient_data", "the run closes it there")
    assert "is Public, and the rule of before lets 192.168.1.0/24 in there" in row["found"]
    assert after == []
    assert not lets_in(host)
    ours = host.rules["Ready ready postgresql 5432"]
    assert ours["profiles"] == ["Domain", "Private"]
    assert host.rules == others | {"Ready ready postgresql 5432": ours}
    rows = network.closed(state_of(host, Inside="never"), planned(host))
    assert checks.failure_text("pc1", rows) == message(host).replace(host.name, "pc1")
    assert "lets nobody in" in message(host)
    assert "else take postgresql out of windows_network_allow" in message(host)


def test_hyperv_rules_are_closed_on_public_networks_as_well() -> None:
    """In mirrored mode, by the same step."""
    host = host_in("mirrored")
    host.networks[0].category = "Public"
    asked: dict[str, Any] = {"mode": "mirrored", "backend": "engine", "ports": PORTS}
    before, after = withdrawn(host, **asked)
    assert before["hyperv_rules"] == ["Ready ready postgresql 5432|5432|192.168.1.0/24|Domain,Private"]
    assert before["steps"][0].endswith("let 192.168.1.0/24 in, no longer on Public networks")
    assert after == []
    assert host.hyperv_rules["Ready ready postgresql 5432"]["profiles"] == ["Domain", "Private"]


def test_another_fault_of_a_withdrawn_opening_is_refused() -> None:
    """An address that nobody gets in from for another reason: what the inventory asks for can't be had."""
    host = of("Public")
    host.networks.append(Network("Ethernet 2", 9, "Private", ("10.1.0.5/16",)))
    both = [{**ALLOW[0], "remote": ["192.168.1.0/24", "10.1.0.0/16"]}]
    opened(host, both, public=True)
    host.firewall["Private"]["inbound_rules"] = False
    assert "that profile blocks every incoming connection" in message(host, both)


def test_rule_of_before_that_is_disabled_lets_nobody_in() -> None:
    """Then the words are the usual ones."""
    host = of("Public")
    opened(host, public=True)
    host.rules["Ready ready postgresql 5432"]["enabled"] = False
    assert "lets nobody in" in message(host)
