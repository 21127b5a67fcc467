"""What the roles for Windows decide, from the state of simulated hosts in named conditions. No Ansible, no wire."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest
from ready.preflight import checks
from ready.stack import schema
from ready.windows import docker_desktop, network, removal, stack_ports, wsl
from ready.windows import preflight as windows_preflight

from tests.simulator.conditions import CONDITIONS, KEEPALIVE_SCRIPT, host_in
from tests.simulator.handlers.state import windows_state
from tests.simulator.inventory import DISTRO, INVENTORY, LOCATION
from tests.simulator.model import Windows

PORTS = [{"port": 5432, "service": "postgresql", "variable": "postgresql_port"}]
ASKED = {"Distribution": DISTRO, "Location": LOCATION, "Inside": "start", "Ports": [5432, 8000], "InsideScript": ""}
WSL = {key.removeprefix("wsl2_"): value for key, value in INVENTORY.items() if key.startswith("wsl2_")}
WSL.pop("retry_delay")
WSL |= {"script_sha256": hashlib.sha256(KEEPALIVE_SCRIPT.read_bytes()).hexdigest()}
WSL |= {"distribution": DISTRO, "location": LOCATION, "user": "ready", "password_given": True}
DOCKER = {key.removeprefix("docker_desktop_"): value for key, value in INVENTORY.items() if key.startswith("docker_")}
DOCKER |= {"distribution": DISTRO, "backend": "desktop"}
NETWORK: dict[str, Any] = {
    "stack": "ready",
    "distribution": DISTRO,
    "ports": PORTS,
    "allow": [],
    "mode": "nat",
    "backend": "desktop",
    "follow": True,
    "public": False,
    "script_sha256": "f" * 64,
    "config": {},
    "password_given": True,
}


def state_of(host: Windows, **other: Any) -> dict[str, Any]:
    """Return what the script says of a host."""
    return json.loads(json.dumps(windows_state(host, ASKED | other)))  # type: ignore[no-any-return]


def plans(state: dict[str, Any], **other: Any) -> dict[str, dict[str, Any]]:
    """Return the plan of each role; `other` overrides options by their names."""
    for_network = {key: other[key] for key in NETWORK if key in other}
    for_wsl = {key: value for key, value in other.items() if key in WSL_ONLY | set(WSL) - DOCKER_ONLY}
    for_docker = {key: value for key, value in other.items() if key in DOCKER_ONLY}
    return {
        "wsl": wsl.plan(state, **(WSL | for_wsl)),
        "docker": docker_desktop.plan(state, **(DOCKER | for_docker)),
        "network": network.plan(state, **(NETWORK | for_network)),
    }


WSL_ONLY = {"adopt", "proxy", "keepalive", "needed_by", "disk_limit"}
DOCKER_ONLY = {
    "version",
    "backend",
    "accept_license",
    "allow_restart",
    "accept_bad_version",
    "source",
    "sha256",
    "start",
}


def checks_of(host: Windows, **other: Any) -> list[dict[str, Any]]:
    """Return every check about a host."""
    before = time.time()
    state = state_of(host)
    backend = other.get("backend", "desktop")
    rows = windows_preflight.evaluate(
        state, before=before, after=time.time(), disk_free=30 * 2**30, clock_skew=5, backend=backend
    )
    if any(state[part] is None for part in windows_preflight.needed(backend)):
        return [dict(row) for row in rows]
    found = plans(state, **other)
    return [dict(row) for row in rows] + [row for plan in found.values() for row in plan["checks"]]


def failures(host: Windows, **other: Any) -> str:
    """Return the message about everything that does not fit."""
    return checks.failure_text(host.name, checks_of(host, **other))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_state_keeps_its_contract(condition: str) -> None:
    """The simulator says nothing that the script does not promise."""
    assert schema.faults(state_of(host_in(condition)), "windows_state.schema.json") == []


@pytest.mark.parametrize(
    "condition", ["fresh", "features-pending", "with-features", "with-wsl", "ready", "no-uninstall-key"]
)
def test_these_fit(condition: str) -> None:
    """Nothing is refused that the roles can mend."""
    assert failures(host_in(condition)) == ""


#: Condition, options, and words that the message must hold. Numbers are those of the failure modes in docs/windows.md.
MODES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("system-account", {}, ["(S-1-5-18)", "WSL cannot run as SYSTEM", "the account that is to own WSL"]),  # 1
    ("store-wsl-only", {"msi_version": ""}, ["System32\\wsl.exe alone", "set wsl2_msi_version"]),  # 2
    ("features-pending", {"allow_reboot": False}, ["finish enabling VirtualMachinePlatform", "wsl2_allow_reboot"]),  # 3
    ("fresh", {"allow_reboot": False}, ["Platform and Microsoft-Windows-Subsystem", "wsl2_allow_reboot"]),  # 3
    ("no-virtualization", {}, ["Virtualization: found off", "ExposeVirtualizationExtensions"]),  # 5
    (
        "guest-without-nesting",
        {},
        ["Virtualization: found this is a virtual machine", "ExposeVirtualizationExtensions", "then what runs decides"],
    ),  # 5
    ("gpo-blocks-logon", {}, ["'Log on as a service'", "S-1-5-83-0", "group policy"]),  # 6
    ("disabled-by-edition", {}, ["VirtualMachinePlatform: unknown", "does not offer the feature"]),  # 7
    ("server-2019", {"backend": "engine"}, ["build 17763", "20348 (2022)", "update Windows"]),  # 8
    ("windows-unpatched", {}, ["Windows is too old for the WSL package", "pending Windows updates"]),
    ("windows-without-updates", {}, ["found 22631.3155; expected 22631.3672 or newer", "install WSL's MSI there"]),
    ("wsl-hangs", {}, ["did not answer in time", "log on as the owner"]),  # 9
    ("location-used", {}, [f"{LOCATION} is not empty", "nothing was deleted"]),  # 12
    ("other-owner", {}, ["belongs to PC\\anna", "distros are per account", "connect as PC\\anna"]),  # 13
    ("foreign-distro", {}, ["Ready did not make it", "wsl2_adopt", "left untouched"]),
    ("with-wsl", {"version": "4.42.1"}, ["4.42.1", "FromRegistry", "docker_desktop_accept_bad_version"]),  # 14
    ("with-wsl", {"accept_license": False}, ["250 employees", "docker_desktop_accept_license"]),  # 15
    ("server-2022", {}, ["no Windows Server", "docker_backend to engine"]),  # 16
    ("nobody-logged-on", {}, ["nobody is logged on as PC1\\ready", "automatic logon", "engine"]),  # 17
    ("settings-broken", {}, ["settings-store.json: no valid JSON", "it was not touched"]),  # 19
    ("integration-lost", {}, ["leads nowhere", "integration with this distro"]),  # 20
    ("ready", {"mode": "mirrored"}, ["nat is in effect", "22621", "set windows_network_mode to nat"]),  # 21
    ("port-taken", {}, ["held by postgres (pid 4712)", "set postgresql_port to another port"]),  # 22
    (
        "port-reserved",
        {"ports": [{"port": 8000, "service": "chromadb", "variable": "chromadb_port"}]},
        [
            "in the range 7913-8012",
            "net stop winnat; netsh int ipv4 add excludedportrange protocol=tcp startport=8000 numberofports=1; "
            "net start winnat",
            "set chromadb_port to another port",
        ],
    ),  # 22
    ("docker-desktop-old", {}, ["4.41.2 runs, 4.56.0 is wanted", "docker_desktop_allow_restart"]),
    ("not-elevated", {}, ["not elevated", "Administrators"]),
    ("disk-full", {}, ["5.0 GiB free", "wsl_location"]),
    ("clock-behind", {}, ["Clock of Windows", "w32tm /resync"]),
    ("fresh", {"password_given": False}, ["no password of the owner", "wsl2_owner_password"]),
    ("fresh", {"keepalive": False, "needed_by": ["pc1-wsl has backup_schedule daily"]},
     ["wsl2_keepalive is false, and pc1-wsl has backup_schedule daily", "wsl2_keepalive to true"]),
    ("fresh", {"proxy": "http://a:it's@proxy:3128"}, ["Proxy of the distro", "a quote", "correct wsl2_proxy"]),
    ("ready", {"disk_limit": 2**30}, ["Virtual disk of the distro: found 3.0 GiB", "at most 1.0 GiB", "Optimize-VHD"]),
    ("fresh", {"rootfs_sha256": ""}, ["no image to make it from", "wsl2_rootfs_sha256"]),
    ("fresh", {"sha256": ""}, ["Docker Desktop: found none", "docker_desktop_sha256"]),
    ("fresh", {"user": "Ready User"}, ["User in the distro: found Ready User", "wsl_user"]),
    ("fresh", {"location": "relative"}, ["Folder of the distro", "wsl_location"]),
    ("fresh", {"distribution": 'x" & calc'}, ["Name of the distro", "wsl_distribution"]),
    ("ready", {"allow": [{"name": "x", "port": 5432, "remote": ["any"]}]}, ["remote any", "windows_network_allow"]),
    ("ready", {"allow": [{"name": "x", "port": 22, "remote": ["10.0.0.0/8"], "native": True}], "password_given": False},
     ["renews port proxies", "windows_network_owner_password", "windows_network_follow"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "options", "words"), MODES, ids=[f"{at}-{mode[0]}" for at, mode in enumerate(MODES)]
)
def test_each_misfit_has_its_words(condition: str, options: dict[str, Any], words: list[str]) -> None:
    """Host, found, expected and the next step; and where the option fits, the message is gone."""
    message = failures(host_in(condition), **options)
    assert [word for word in words if word not in message] == [], message
    assert message.startswith("pc1: ")
    assert all("Next: " in line for line in message.splitlines()), message


def test_clock_of_the_distro() -> None:
    """The PC slept, and the distro did not notice."""
    host = host_in("ready")
    inside: Any = host.registered[0].inside
    inside.clock_skew = -3650.0
    assert "Clock of the distro: found 36" in failures(host)


def test_clock_of_the_containers() -> None:
    """It is that of the distro, unless the engine is in a virtual machine of its own."""
    host = host_in("ready")
    inside: Any = host.registered[0].inside
    assert "clock_container" not in [check["id"] for check in checks_of(host)]
    inside.container_skew = 0
    assert [check["found"] for check in checks_of(host) if check["id"] == "clock_container"] == ["as the distro's"]
    inside.container_skew = -3600
    assert "Clock of the containers: found 3600 s away" in failures(host)


def test_other_architectures() -> None:
    """One is untried, the others cannot."""
    state = state_of(host_in("fresh"))
    for found, verdict in (("ARM64", "insufficient_data"), ("x86", "fail")):
        state["os"]["architecture"] = found
        rows = windows_preflight.evaluate(state, before=0, after=2e9, disk_free=1, clock_skew=5)
        assert [(row["verdict"], bool(row["next"])) for row in rows if row["id"] == "architecture"] == [
            (verdict, verdict == "fail")
        ]


def test_hypervisor_around_a_guest_is_not_its_own() -> None:
    """The firmware's flag decides until Windows' own may run; on a PC a hypervisor is Windows' own."""
    host = host_in("guest-without-nesting")
    host.virtualization = host.nested = True
    assert failures(host) == ""
    host.features["VirtualMachinePlatform"] = "Enabled"
    assert failures(host) == ""
    state = state_of(host_in("fresh"))
    for machine, guest in (
        ("Microsoft Corporation|Virtual Machine", True),
        ("Microsoft Corporation|Surface Laptop 5", False),
        ("VMware, Inc.|VMware20,1", True),
        ("innotek GmbH|VirtualBox", True),
        ("QEMU|Standard PC (Q35 + ICH9, 2009)", True),
        ("Amazon EC2|m5.large", True),
        ("Amazon EC2|m5.metal", False),
        ("LENOVO|20XW", False),
    ):
        state["virtualization"]["manufacturer"], state["virtualization"]["model"] = machine.split("|")
        rows = windows_preflight.evaluate(state, before=0, after=2e9, disk_free=1, clock_skew=5)
        verdict = next(row["verdict"] for row in rows if row["id"] == "virtualization")
        assert verdict == ("fail" if guest else "pass"), machine


def test_what_cannot_be_read_is_no_ground_for_a_plan() -> None:
    """A distro list that could not be read must not look like one without a distro."""
    host = host_in("ready")
    host.faults["unreadable"] = ["os"]
    assert "os: Access is denied." in failures(host)


def test_host_that_is_ready_needs_nothing() -> None:
    """No step of any role."""
    assert [plan["steps"] for plan in plans(state_of(host_in("ready"))).values()] == [[], [], []]


def test_fresh_host_needs_it_all() -> None:
    """In this order."""
    found = plans(state_of(host_in("fresh")))
    assert [step.split()[0] for step in found["wsl"]["steps"]] == [
        "enable", "enable", "reboot", "install", "make", "import", "in", "in", "in", "restart", "make",
    ]  # fmt: skip
    assert found["docker"]["steps"][0] == "install Docker Desktop 4.56.0"
    assert found["docker"]["group"]
    assert found["network"]["steps"] == []


def test_distro_that_does_not_run_is_left_alone() -> None:
    """Nobody looked inside, so nothing is said to differ there, and nothing is changed."""
    host = host_in("ready")
    host.registered[0].running = False
    state = state_of(host, Inside="running")
    plan = wsl.plan(state, **WSL)
    assert state["inside"] is None
    assert (plan["orders"], plan["steps"]) == ("", [])
    assert [check["verdict"] for check in plan["checks"] if check["id"] == "inside"] == ["insufficient_data"]


def test_distro_that_has_not_read_its_configuration_is_restarted() -> None:
    """The connection was lost between writing wsl.conf and the restart."""
    host = host_in("ready")
    inside: Any = host.registered[0].inside
    inside.conf = ""
    plan = wsl.plan(state_of(host), **WSL)
    assert (plan["orders"], plan["restart"]) == ("", True)
    assert plan["steps"] == ["restart the distro, so that wsl.conf counts"]
    inside.started()
    assert wsl.plan(state_of(host), **WSL)["steps"] == []


def test_adopted_distro_is_configured_and_never_ours() -> None:
    """It may be used; it may not be removed."""
    host = host_in("foreign-distro")
    state = state_of(host)
    plan = wsl.plan(state, **(WSL | {"adopt": True}))
    assert not plan["import"]
    assert "user ready" in plan["orders"]
    assert removal.plan(state, stack="ready", distribution=DISTRO, distro=True)["distro"] == ""


def test_foreign_keys_of_wsl_conf_stay() -> None:
    """And what differs is written once."""
    host = host_in("foreign-distro")
    inside: Any = host.registered[0].inside
    inside.files["/etc/wsl.conf"] = ("0644", b"# of anna\n[automount]\nroot=/win\n")
    plan = wsl.plan(state_of(host), **(WSL | {"adopt": True}))
    inside.shell("", plan["orders"].encode())
    assert inside.files["/etc/wsl.conf"][1].decode().startswith("# of anna\n[automount]\nroot=/win\n")
    inside.started()
    again = wsl.plan(state_of(host), **(WSL | {"adopt": True}))
    assert (again["orders"], again["restart"]) == ("", False)


def test_wslconfig_counts_only_where_allowed() -> None:
    """WSL is shut down by leave alone: it ends Docker Desktop's containers as well."""
    host = host_in("ready")
    config = {"wsl2": {"memory": "8GB"}}
    assert wsl.plan(state_of(host), **(WSL | {"config": config}))["shutdown"] is False
    plan = wsl.plan(state_of(host), **(WSL | {"config": config, "allow_shutdown": True}))
    assert (plan["wslconfig"], plan["shutdown"]) == ("[wsl2]\nmemory=8GB\n", True)
    host.files["C:\\Users\\ready\\.wslconfig"] = plan["wslconfig"].encode()
    assert wsl.plan(state_of(host), **(WSL | {"config": config}))["wslconfig"] is None


def test_old_answers_in_utf16_are_read() -> None:
    """And their German is not."""
    host = host_in("ready")
    host.faults["old_wsl"] = True
    assert failures(host) == ""


def test_provenance_of_the_simulator() -> None:
    """What it says never counts in a report."""
    state = state_of(host_in("fresh"))
    assert windows_preflight.provenance(state) == "simulated"
    state["virtualization"]["manufacturer"] = "LENOVO"
    assert windows_preflight.provenance(state) == "real"


def test_ports_name_their_variables(stack: dict[str, Any]) -> None:
    """As the inventory spells them."""
    assert {
        "port": 7687,
        "service": "neo4j",
        "name": "bolt",
        "protocol": "bolt",
        "variable": "neo4j_bolt_port",
    } in stack_ports.published_ports(stack)
