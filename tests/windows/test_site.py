"""site.yml from an empty simulated PC to a real, healthy service: the distro is a container, Docker the real daemon."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from tests.simulator.conditions import DISTRO, INVENTORY, host_in
from tests.simulator.fleet import Fleet
from tests.simulator.model import Windows, container_inside
from tests.system.conftest import free_ports, remove

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
STACK = "win-site"


@dataclass
class Pc:
    """A simulated PC, and an inventory of it and its distro."""

    host: Windows
    fleet: Fleet
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


@pytest.fixture
def pc(tmp_path: Path) -> Iterator[Pc]:
    """An empty PC, with nothing of the stack on this machine before and after."""
    remove(STACK)
    host = host_in("fresh", "pc1", make_inside=container_inside(f"site-{os.getpid()}"))
    fleet = Fleet(tmp_path / "fleet", [host])
    content = yaml.safe_load(fleet.inventory().read_text())
    content["all"]["vars"] = INVENTORY | {
        "stack_name": STACK,
        "ready_services": ["redis"],
        "redis_port": free_ports(1)[0],
        "ready_evidence_dir": str(tmp_path / "evidence"),
        "ready_vault_key_file": str(tmp_path / "vault-key"),
        "ready_secrets_file": str(tmp_path / "ready_secrets.vault"),
        "preflight_disk_free": "1g",
    }
    twin: dict[str, Any] = {
        "ansible_connection": "wsl_psrp",
        "ansible_wsl_distribution": DISTRO,
        "ansible_wsl_windows_host": "pc1",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    content["all"]["children"]["wsl"] = {"hosts": {"pc1-wsl": twin}}
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump(content))
    try:
        yield Pc(host, fleet, inventory, tmp_path)
    finally:
        fleet.stop()
        host.close()
        remove(STACK)


def changed(text: str) -> dict[str, int]:
    """Return host -> changed, from the recap."""
    return {host: int(count) for host, count in re.findall(r"^(\S+)\s*: ok=.*changed=(\d+)", text, re.MULTILINE)}


def test_empty_pc_to_healthy_service(pc: Pc) -> None:
    """And a second run changes nothing: neither on Windows, nor in the distro, nor the container."""
    code, text = pc.run("site.yml")
    assert code == 0, text[-8000:]
    container = docker.from_env().containers.get(f"{STACK}-redis")
    deadline = (
        time.monotonic() + 60
    )  # Ready has seen it healthy; Docker's own first test comes an interval after the start
    while container.health != "healthy" and time.monotonic() < deadline:
        time.sleep(0.5)
        container.reload()
    assert container.health == "healthy"
    started = (container.id, container.attrs["State"]["StartedAt"])
    for host in ("pc1", "pc1-wsl"):
        assert (pc.directory / "evidence" / STACK / host / "preflight.json").is_file()
    code, text = pc.run("site.yml")
    assert code == 0, text[-8000:]
    assert changed(text) == {"pc1": 0, "pc1-wsl": 0}
    container.reload()
    assert (container.id, container.attrs["State"]["StartedAt"]) == started
    code, text = pc.run("playbooks/windows_check.yml")
    evidence = json.loads((pc.directory / "evidence" / STACK / "pc1" / "network.json").read_text())
    assert code == 0, text[-4000:]
    assert (evidence["provenance"], evidence["verdict"]) == ("simulated", "pass")
    assert evidence["results"]["targets"]["redis.redis"]["windows"]["samples"] == 50
    container.stop()
    code, text = pc.run("playbooks/windows_check.yml")
    assert code == 2
    assert "expected each service to answer" in " ".join(text.split())
