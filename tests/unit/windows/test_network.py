"""What role windows_network decides, and what may be removed again, from the state of simulated hosts."""

from __future__ import annotations

import copy
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from ready.windows import network, portproxy_task, removal
from ready.windows.network_options import Options
from ready.windows.ownership import FOLDER

from tests.simulator.conditions import host_in
from tests.simulator.inventory import DISTRO
from tests.simulator.model import Windows
from tests.simulator.task import Task
from tests.unit.windows.test_plans import NETWORK, failures, plans, state_of

ROOT = Path(__file__).resolve().parents[3]
USUAL: dict[str, Any] = {"profiles": ["Domain", "Private"]}
ALLOW = [{"name": "postgresql", "port": 5432, "remote": ["192.168.1.7", "10.0.0.0/8"]}]


def test_rules_come_and_go() -> None:
    """What is asked for is made once; what nobody asks for any more goes; others' rules stay."""
    host = host_in("ready")
    found = plans(state_of(host), allow=ALLOW)["network"]
    assert found["rules"] == [
        {
            "name": "Ready ready postgresql 5432",
            "port": 5432,
            "remote": "192.168.1.7,10.0.0.0/8",
            "profiles": ["domain", "private"],
        }
    ]
    rule = {"enabled": True, "direction": "Inbound", "action": "Allow", "protocol": "TCP", "ports": ["5432"], **USUAL}
    mask = ["192.168.1.7", "10.0.0.0/255.0.0.0"]  # as Windows gives it back
    host.rules["Ready ready postgresql 5432"] = rule | {"name": "Ready ready postgresql 5432", "remote": mask}
    host.rules["Ready second x 1"] = rule | {"name": "Ready second x 1", "remote": ["1.2.3.4"]}
    assert plans(state_of(host), allow=ALLOW)["network"]["steps"] == []
    assert plans(state_of(host))["network"]["stale_rules"] == ["Ready ready postgresql 5432"]
    changed = copy.deepcopy(ALLOW)
    changed[0]["remote"] = ["192.168.1.7"]
    assert len(plans(state_of(host), allow=changed)["network"]["rules"]) == 1


def test_proxy_follows_the_distro() -> None:
    """Its address changes with every start; what is not marked as ours is refused, not replaced."""
    host = host_in("ready")
    allow = [{"name": "ssh", "port": 2222, "remote": ["10.0.0.0/8"], "native": True}]
    first = plans(state_of(host), allow=allow)["network"]
    assert first["proxies"] == [{"port": 2222, "address": "172.28.96.5"}]
    assert first["rules"][0]["name"] == "Ready ready ssh 2222 proxy"
    host.portproxy["0.0.0.0/2222"] = "172.28.111.9/2222"
    assert "not ours" in failures(host, allow=allow)
    rule = {"enabled": True, "direction": "Inbound", "action": "Allow", "protocol": "TCP", "ports": ["2222"], **USUAL}
    name = "Ready ready ssh 2222 proxy"
    host.rules[name] = rule | {"name": name, "remote": ["10.0.0.0/8"]}
    stale = plans(state_of(host), allow=allow)["network"]
    assert (stale["proxies"], stale["rules"]) == ([{"port": 2222, "address": "172.28.96.5"}], [])
    host.portproxy["0.0.0.0/2222"] = "172.28.96.5/2222"
    assert plans(state_of(host), allow=allow, follow=False)["network"]["steps"] == []
    gone = plans(state_of(host))["network"]
    assert (gone["proxies"], gone["stale_rules"]) == ([{"port": 2222, "address": ""}], [name])


def test_ports_that_an_administrator_kept_fit() -> None:
    """A star in netsh's list is the cure of a reserved port, and no fault; the script reads what netsh prints."""
    ports = [{"port": 8000, "service": "chromadb", "variable": "chromadb_port"}]
    host = host_in("port-administered")
    assert failures(host, ports=ports) == ""
    found = {row["id"]: row["found"] for row in plans(state_of(host), ports=ports)["network"]["checks"]}
    assert found["port_8000"] == "free, and kept from Hyper-V"
    script = (ROOT / "scripts" / "windows" / "functions" / "network.ps1").read_text()
    pattern = script.partition("excludedportrange")[2].partition("-match '")[2].partition("'")[0]
    rows = [re.search(pattern, line) for line in host.excluded.splitlines()]
    assert [(int(row[1]), int(row[2]), row[3]) for row in rows if row][-2:] == [(8000, 8000, "*"), (50000, 50059, "*")]


@pytest.mark.parametrize("address", ["172.28.96.5/20", "172.17.9.78/20", "172.18.100.7/20", "192.168.76.46/24"])
def test_proxy_leads_to_the_address_on_the_default_route(address: str) -> None:
    """WSL's NAT may lie in the network of a Docker bridge, as microsoft/WSL#9552 shows; the script finds the same."""
    host = host_in("ready")
    inside: Any = host.registered[0].inside
    inside.address = address
    expected = address.partition("/")[0]
    allow = [{"name": "ssh", "port": 2222, "remote": ["10.0.0.0/8"], "native": True}]
    assert plans(state_of(host), allow=allow)["network"]["proxies"] == [{"port": 2222, "address": expected}]
    values = inside.values("")
    script = (ROOT / "scripts" / "windows" / portproxy_task.FOLLOW_SCRIPT).read_text()
    route, interface = re.findall(r"\$line -match '([^']+)'", script)
    said = (values["routes"] + values["interfaces"]).splitlines()
    (device,) = [found[1] for line in said if (found := re.search(route, line))]
    held = [found.groups() for line in said if (found := re.search(interface, line))]
    assert [each for name, each in held if name == device] == [expected]


def test_address_is_unknown_without_a_default_route() -> None:
    """Nothing is guessed."""
    state = state_of(host_in("ready"))
    state["inside"]["values"]["routes"] = ""
    assert network.distro_address(state) == ""
    state["inside"] = None
    assert network.distro_address(state) == ""


TASK = {"execute": "", "user": "", "state": "Running", "time_limit": "PT0S"}


def follow_of(host: Windows, **other: Any) -> dict[str, Any]:
    """Return what becomes of the task that renews port proxies; what is made is there afterwards."""
    state = state_of(host)
    state["tasks"] = [TASK | task for task in other.pop("tasks", [])]
    state["files"] = [{"name": portproxy_task.FOLLOW_SCRIPT, "sha256": sha} for sha in other.pop("files", [])]
    found: dict[str, Any] = plans(state, **other)["network"]
    todo = {key: found["portproxy_task"][key] for key in ("write_script", "hold", "make", "start")}
    todo |= {key: found[key] for key in ("remove_portproxy_task", "remove_portproxy_script")}
    return {key: value for key, value in todo.items() if value} | {"steps": found["steps"]}


def test_task_follows_the_distro_where_there_are_proxies() -> None:
    """It is made once, made again when it or its script differs, and goes with the last proxy."""
    host = host_in("ready")
    ssh = [{"name": "ssh", "port": 2222, "remote": ["10.0.0.0/8"], "native": True}]
    assert follow_of(host, allow=ALLOW)["steps"] == [
        "rule Ready ready postgresql 5432: let 192.168.1.7,10.0.0.0/8 in on 5432"
    ]
    made = follow_of(host, allow=ssh)
    assert (made["write_script"], made["make"]) == (True, True)
    assert made["steps"][-1].startswith("make the task Ready\\forward ready")
    right = {"name": "forward ready", "arguments": portproxy_task.task_arguments(Options(**NETWORK))}
    assert (
        '-File "C:\\Program Files\\Ready\\portproxy_follow.ps1" -Distribution Ubuntu-22.04 -Stack ready'
        in right["arguments"]
    )
    kept = {"tasks": [right], "files": ["f" * 64]}
    assert set(follow_of(host, allow=ssh, **kept)) == {"steps"}
    assert set(follow_of(host, allow=ssh, follow=False)) == {"steps"}
    assert follow_of(host, allow=ssh, tasks=[right], files=["0" * 64])["write_script"]
    assert follow_of(host, allow=ssh, tasks=[right | {"time_limit": "PT72H"}], files=["f" * 64])["make"]
    gone = follow_of(host, **kept)
    assert (gone["remove_portproxy_task"], gone["remove_portproxy_script"]) == (True, True)
    other = {"name": "forward second", "arguments": ""}
    shared = follow_of(host, tasks=[right, other], files=["f" * 64])
    assert shared["remove_portproxy_task"]
    assert "remove_portproxy_script" not in shared


def test_services_of_an_engine_are_in_the_distro() -> None:
    """They get a proxy without being called native; what a program of Windows listens on does not."""
    host = host_in("mirrored")
    allow = [*ALLOW, {"name": "api", "port": 9000, "remote": ["10.0.0.0/8"]}]
    inside: Any = host.registered[0].inside
    inside.mode = "nat\n"
    found = plans(state_of(host), allow=allow, backend="engine")["network"]
    assert [rule["name"] for rule in found["rules"]] == ["Ready ready postgresql 5432 proxy", "Ready ready api 9000"]
    assert [item["port"] for item in found["proxies"]] == [5432]
    assert plans(state_of(host), allow=ALLOW)["network"]["proxies"] == []


def test_mirrored_mode_gets_rules_of_the_hyperv_firewall() -> None:
    """Made once, made again when they differ, removed when stale; Windows' own of the same name goes."""
    host = host_in("mirrored")
    asked = {"allow": ALLOW, "mode": "mirrored", "backend": "engine"}
    name = "Ready ready postgresql 5432"
    rule = {"name": name, "enabled": True, "direction": "Inbound", "action": "Allow", "protocol": "TCP", **USUAL}
    host.rules[name] = rule | {"ports": ["5432"], "remote": ["192.168.1.7", "10.0.0.0/8"]}
    found = plans(state_of(host), **asked)["network"]
    assert found["hyperv_rules"] == [f"{name}|5432|192.168.1.7,10.0.0.0/8|Domain,Private"]
    assert (found["rules"], found["proxies"], found["stale_rules"]) == ([], [], [name])
    assert "network_hyperv" not in [check["id"] for check in found["checks"]]
    host.hyperv_rules[name] = host.rules.pop(name)
    assert plans(state_of(host), **asked)["network"]["steps"] == []
    host.hyperv_rules[name]["protocol"] = "6"  # a Windows that gives the number back
    assert plans(state_of(host), **asked)["network"]["steps"] == []
    host.hyperv_rules[name]["remote"] = ["10.0.0.0/8"]
    assert len(plans(state_of(host), **asked)["network"]["hyperv_rules"]) == 1
    host.hyperv_rules["Ready second x 1"] = rule | {"name": "Ready second x 1", "ports": ["1"], "remote": ["::1"]}
    assert plans(state_of(host), **(asked | {"allow": []}))["network"]["hyperv_stale"] == [name]
    removed = removal.plan(state_of(host), stack="ready", distribution=DISTRO, distro=False)
    assert removed["hyperv_rules"] == [name]
    assert f"rule {name} of the Hyper-V firewall" in removed["lines"]


def test_mirrored_mode_without_its_firewall_is_refused() -> None:
    """A Windows that is too old; with Docker Desktop, which listens on Windows itself, none is needed."""
    host = host_in("mirrored")
    host.build = 19045
    message = failures(host, allow=ALLOW, mode="mirrored", backend="engine")
    assert "Hyper-V firewall: found this Windows has none" in message
    assert "Hyper-V firewall" not in failures(host, allow=ALLOW, mode="mirrored")


def test_mode_that_the_run_brings_is_no_misfit() -> None:
    """Until .wslconfig asks for it; then it is in effect, or Windows can't."""
    host = host_in("ready")
    asked: dict[str, Any] = {"mode": "mirrored", "config": {"wsl2": {"networkingMode": "mirrored"}}}
    (found,) = (row for row in plans(state_of(host), **asked)["network"]["checks"] if row["id"] == "network_mode")
    assert found["verdict"] == "insufficient_data"
    assert "does not ask for mirrored yet" in found["found"]
    assert "nat is in effect" in failures(host, **(asked | {"config": {"wsl2": {"memory": "8GB"}}}))
    host.files["C:\\Users\\ready\\.wslconfig"] = b"[wsl2]\nnetworkingMode=Mirrored\n"
    assert "nat is in effect" in failures(host, **asked)
    assert failures(host_in("mirrored"), mode="mirrored", backend="engine") == ""


def test_own_relays_are_no_conflict() -> None:
    """Docker Desktop and WSL publish the stack's ports on Windows."""
    host = host_in("port-taken")
    host.listeners[0]["process"] = "com.docker.backend"
    assert failures(host) == ""


def test_removal_takes_only_what_is_marked() -> None:
    """Rules and proxies of the stack; the distro when asked, and only when Ready made it."""
    host = host_in("ready")
    rule = {
        "enabled": True,
        "direction": "Inbound",
        "action": "Allow",
        "protocol": "TCP",
        "ports": ["1"],
        "remote": ["::1"],
        **USUAL,
    }
    for name in ("Ready ready ssh 2222 proxy", "Ready second x 1"):
        host.rules[name] = rule | {"name": name}
    host.portproxy = {"0.0.0.0/2222": "172.28.96.5/2222", "0.0.0.0/80": "10.0.0.9/80"}
    follow = Task("forward ready", "", "", "", "PT0S", "", ())
    script = f"{FOLDER}\\{portproxy_task.FOLLOW_SCRIPT}"
    host.tasks["forward ready"], host.files[script] = follow, b"x"
    found = removal.plan(state_of(host), stack="ready", distribution=DISTRO, distro=False)
    assert (found["rules"], found["proxies"], found["tasks"], found["distro"]) == (
        ["Ready ready ssh 2222 proxy"], [2222], ["forward ready"], "",
    )  # fmt: skip
    assert found["files"] == [script]
    host.tasks["forward second"] = dataclasses.replace(follow, name="forward second")
    assert removal.plan(state_of(host), stack="ready", distribution=DISTRO, distro=False)["files"] == []
    del host.tasks["forward second"], host.tasks["forward ready"], host.files[script]
    found = removal.plan(state_of(host), stack="ready", distribution=DISTRO, distro=True)
    assert (found["tasks"], found["distro"]) == ([f"keep {DISTRO}"], DISTRO)
    foreign = removal.plan(state_of(host_in("foreign-distro")), stack="ready", distribution=DISTRO, distro=True)
    assert (foreign["lines"], len(foreign["kept"])) == ([], 1)
