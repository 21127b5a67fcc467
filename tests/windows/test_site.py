"""site.yml from two empty simulated PCs to real, healthy services: distros are containers, Docker the real daemon."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml
from ready.windows.return_path import evaluate

from tests.cleanup import remove
from tests.names import own
from tests.simulator.conditions import host_in
from tests.simulator.fleet import Fleet
from tests.simulator.inside import container_inside
from tests.simulator.inventory import DISTRO, INVENTORY
from tests.stack import PORTS
from tools.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LATENCY = ROOT / "scripts" / "linux" / "distro_latency.py"
#: PC -> its services. They share one daemon here, so each has a stack name and ports of its own.
SERVICES = {"pc1": ["postgresql", "neo4j", "chromadb", "redis"], "pc2": ["redis"]}
STACKS = {name: own(f"win-site-{name}") for name in SERVICES}


@dataclass
class Site:
    """Simulated PCs, and an inventory of them and their distros."""

    inventory: Path
    directory: Path

    def run(self, playbook: str, *arguments: str) -> tuple[int, str]:
        """Run a playbook and return its exit code and what it printed."""
        done = subprocess.run(
            [BIN / "ansible-playbook", "-i", self.inventory, playbook, *arguments],
            cwd=ROOT,
            env=os.environ | {"ANSIBLE_WSL_STATE_DIR": str(self.directory / "wsl"), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def evidence(self, *path: str) -> dict[str, Any]:
        """Return a file of evidence."""
        return dict(json.loads(self.directory.joinpath("evidence", *path).read_text()))


def group_of(name: str, directory: Path) -> dict[str, Any]:
    """Return what the inventory says about one PC and its distro."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    return {
        "hosts": {name: {}, f"{name}-wsl": {}},
        "vars": ports
        | {
            "stack_name": STACKS[name],
            "ready_services": SERVICES[name],
            "ready_secrets_file": str(directory / f"{name}.vault"),
        },
    }


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Two empty PCs, with nothing of their stacks on this machine before and after."""
    for stack in STACKS.values():
        remove(stack)
    inside = {name: container_inside(f"site-{os.getpid()}-{name}") for name in SERVICES}
    hosts = [host_in("fresh-automatic", name, make_inside=inside[name]) for name in SERVICES]
    fleet = Fleet(tmp_path / "fleet", hosts)
    content = yaml.safe_load(fleet.inventory().read_text())
    content["all"]["vars"] = INVENTORY | {
        "ready_evidence_dir": str(tmp_path / "evidence"),
        "ready_vault_key_file": str(tmp_path / "vault-key"),
        "preflight_disk_free": "1g",
    }
    children = content["all"]["children"]
    children["wsl"] = {
        "vars": {
            "ansible_connection": "wsl_psrp",
            "ansible_wsl_distribution": DISTRO,
            "ansible_python_interpreter": "/usr/bin/python3",
        },
        "hosts": {f"{name}-wsl": {"ansible_wsl_windows_host": name} for name in SERVICES},
    }
    children |= {f"of_{name}": group_of(name, tmp_path) for name in SERVICES}
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump(content))
    try:
        yield Site(inventory, tmp_path)
    finally:
        fleet.stop()
        for host in hosts:
            host.close()
        for stack in STACKS.values():
            remove(stack)


def changed(text: str) -> dict[str, int]:
    """Return host -> changed, from the recap."""
    return {host: int(count) for host, count in re.findall(r"^(\S+)\s*: ok=.*changed=(\d+)", text, re.MULTILINE)}


def healthy() -> dict[str, tuple[str, str]]:
    """Return container -> (Id, StartedAt) of all of them, when Docker calls them healthy.

    Ready has seen it already; Docker's own first test comes an interval after the start.
    """
    client, found = docker.from_env(), {}
    deadline = time.monotonic() + 90
    for name, services in SERVICES.items():
        for service in services:
            container = client.containers.get(f"{STACKS[name]}-{service}")
            while container.health != "healthy":
                assert time.monotonic() < deadline, f"{container.name} is {container.health}"
                time.sleep(0.5)
                container.reload()
            found[str(container.name)] = (str(container.id), str(container.attrs["State"]["StartedAt"]))
    return found


def test_two_empty_pcs_to_healthy_services(site: Site) -> None:
    """And a second run changes nothing: neither on Windows, nor in the distros, nor a container."""
    code, text = site.run("site.yml")
    assert code == 0, text[-8000:]
    before = healthy()
    assert len(before) == 5
    for name, stack in STACKS.items():
        for host in (name, f"{name}-wsl"):
            assert site.evidence(stack, host, "preflight.json")["verdict"] != "fail"
            assert site.evidence(stack, host, "run.json")["results"]["outcome"] == "ok"
    assert "Fleet of 2: insufficient_data; 2 healthy" in text
    machines = {item["name"]: item for item in site.evidence("fleet.json")["results"]["machines"]}
    assert {name: item["services"]["healthy"] for name, item in machines.items()} == {"pc1": 4, "pc2": 1}
    assert {name: item["stack"] for name, item in machines.items()} == STACKS
    code, text = site.run("site.yml")
    assert code == 0, text[-8000:]
    assert changed(text) == dict.fromkeys(("pc1", "pc1-wsl", "pc2", "pc2-wsl"), 0)
    assert healthy() == before
    ways(site)


def ways(site: Site) -> None:
    """Three ways to each service, measured; nothing simulated counts; a service that is down is named.

    Other tests may have the processors: whether the ways are short enough is what the figures say, not this test.
    """
    code, text = site.run("playbooks/windows_check.yml")
    measured = {name: site.evidence(stack, name, "network.json") for name, stack in STACKS.items()}
    for its in measured.values():
        short = [target["overhead_p95_ms"] < target["limit_ms"] for target in its["results"]["targets"].values()]
        assert (its["provenance"], its["verdict"]) == ("simulated", "pass" if all(short) else "fail"), text[-4000:]
    assert code == (0 if all(its["verdict"] == "pass" for its in measured.values()) else 2), text[-4000:]
    assert {its["results"]["back"]["verdict"] for its in measured.values()} == {"not_applicable"}
    targets = measured["pc1"]["results"]["targets"]
    assert set(targets) == {"postgresql.postgresql", "neo4j.bolt", "neo4j.http", "chromadb.http", "redis.redis"}
    for target in targets.values():
        assert target["windows"]["samples"] == target["container"]["figures"]["samples"] == 50
        assert target["container"]["measured_from"] == "distro"
    code, text = site.run("playbooks/report.yml")
    rows = {row["id"]: row for row in site.evidence(STACKS["pc1"], "readiness.json")["results"]["requirements"]}
    assert rows["R2.overhead"]["hosts"][0]["reason"] == "the evidence is simulated: that never counts"
    assert (rows["R2.overhead"]["verdict"], rows["R2.overhead"]["next"]) == (
        "insufficient_data",
        "./ready windows check",
    )
    behind_a_wall()
    docker.from_env().containers.get(f"{STACKS['pc2']}-redis").stop()
    code, text = site.run("playbooks/windows_check.yml", "--limit", "pc2", "-e", '{"ready_windows_ports": [1]}')
    assert code == 2
    assert "expected each service to answer" in " ".join(text.split())
    back = site.evidence(STACKS["pc2"], "pc2", "network.json")["results"]["back"]
    assert [(way["port"], way["to"]) for way in back["ways"]][1:] == [(1, "host.docker.internal")]
    assert "no container has Python" in back["ways"][1]["reason"]


def answer(program: socket.socket) -> None:
    """Accept connections until the socket is closed."""
    with contextlib.suppress(OSError):
        while True:
            program.accept()[0].close()


def behind_a_wall() -> None:
    """Where the containers' network can't be reached, as with Docker Desktop, a container of the stack measures.

    So it does on the way back: this machine stands in for Windows, as the gateway that it is to the containers.
    """
    spec = importlib.util.spec_from_file_location("distro_latency", LATENCY)
    assert spec
    assert spec.loader
    script: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    stack = STACKS["pc1"]
    network = next(iter(docker.from_env().containers.get(f"{stack}-redis").attrs["NetworkSettings"]["Networks"]))
    ports = {"redis": (6379, "redis"), "chromadb": (8000, "http")}
    given: dict[str, Any] = {
        "containers": [
            {
                "name": name,
                "container": f"{stack}-{name}",
                "network": network,
                "port": port,
                "protocol": protocol,
            }
            for name, (port, protocol) in ports.items()
        ],
        "source": b64encode(LATENCY.read_bytes()).decode(),
        "samples": 20,
        "timeout": 2000,
    }
    script.reached = lambda targets: False
    found = {item["name"]: item for item in script.in_network(given)}
    assert {name: (item["error"], item["measured_from"]) for name, item in found.items()} == dict.fromkeys(
        ports, (None, f"{stack}-chromadb")
    )
    assert {len(item["round_trip_ms"]) for item in found.values()} == {20}
    gateway = docker.from_env().networks.get(network).attrs["IPAM"]["Config"][0]["Gateway"]
    with socket.create_server((gateway, 0)) as program:
        script.windows_address = lambda: gateway
        back = {**given, "back": [program.getsockname()[1]], "backend": "engine"}
        listener = threading.Thread(target=answer, args=(program,), daemon=True)
        listener.start()
        both = evaluate(script.to_windows(back))
        assert [way["measured_from"] for way in both["ways"]] == ["distro", f"{stack}-chromadb"]
        assert (both["verdict"], {way["connect"]["samples"] for way in both["ways"]}) == ("pass", {20})
        program.shutdown(socket.SHUT_RDWR)  # a socket that is only closed listens on while accept() waits
    listener.join(10)
    assert [way["verdict"] for way in evaluate(script.to_windows(back))["ways"]] == ["fail", "fail"]
    without = {**given, "containers": given["containers"][:1]}  # Redis' image has no Python
    (lost,) = script.in_network(without)
    assert "no container has Python" in lost["error"]
