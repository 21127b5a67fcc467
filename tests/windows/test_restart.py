"""What must be up when: the stack without its distro, as after a reboot, and the distro for its backups."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from tests.cleanup import remove
from tests.names import own
from tests.simulator.conditions import host_in
from tests.simulator.fleet import Fleet
from tests.simulator.inside import container_inside
from tests.simulator.inventory import DISTRO, INVENTORY
from tests.simulator.model import Windows
from tests.stack import Stack
from tools.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NAME = own("win-restart")


@dataclass
class Pc:
    """A simulated PC that is ready, the stack in its distro, and an inventory of both."""

    host: Windows
    stack: Stack
    inventory: Path

    def run(self, playbook: str, *arguments: str, code: int = 0) -> str:
        """Run a playbook and return what it printed."""
        done = subprocess.run(
            [BIN / "ansible-playbook", "-i", self.inventory, playbook, *arguments],
            cwd=ROOT,
            env=os.environ | {"ANSIBLE_WSL_STATE_DIR": str(self.inventory.parent / "wsl"), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == code, (done.stdout + done.stderr)[-8000:]
        return done.stdout

    def containers(self) -> list[Any]:
        """The stack's containers, freshly read."""
        return docker.from_env().containers.list(all=True, filters={"label": f"io.ready.stack={NAME}"})


@pytest.fixture
def pc(tmp_path: Path) -> Iterator[Pc]:
    """PostgreSQL, with certificates, and Redis: data, secrets, configuration and keys are what there is to mount."""
    remove(NAME)
    host = host_in("ready", "pc1", make_inside=container_inside(f"restart-{os.getpid()}"))
    fleet = Fleet(tmp_path / "fleet", [host])
    content = yaml.safe_load(fleet.inventory().read_text())
    first, second = free_ports(2)
    variables: dict[str, Any] = {
        "stack_name": NAME,
        "ready_services": ["postgresql", "redis"],
        "postgresql_port": first,
        "postgresql_tls": {"enabled": True},
        "redis_port": second,
    }
    content["all"]["vars"] = (
        INVENTORY
        | variables
        | {
            "ready_evidence_dir": str(tmp_path / "evidence"),
            "ready_vault_key_file": str(tmp_path / "vault-key"),
            "ready_secrets_file": str(tmp_path / "ready_secrets.vault"),
            "preflight_disk_free": "1g",
        }
    )
    twin = {
        "ansible_connection": "wsl_psrp",
        "ansible_wsl_distribution": DISTRO,
        "ansible_wsl_windows_host": "pc1",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    content["all"]["children"]["wsl"] = {"hosts": {"pc1-wsl": twin}}
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump(content))
    stack = Stack(NAME, tmp_path / "ready_secrets.vault", tmp_path / "vault-key", variables)
    try:
        yield Pc(host, stack, inventory)
    finally:
        fleet.stop()
        host.close()
        remove(NAME)


def test_stack_comes_back_without_the_distro(pc: Pc) -> None:
    """Its containers start in any order, healthy and with their data; then the distro's next run changes nothing."""
    keep = f"keep {DISTRO}"
    del pc.host.tasks[keep]
    refused = pc.run("playbooks/windows.yml", "-e", '{"wsl2_keepalive": false, "backup_schedule": "daily"}', code=2)
    assert "wsl2_keepalive is false, and pc1-wsl has backup_schedule daily" in " ".join(refused.split())
    assert pc.host.changes() == []
    pc.run("site.yml")
    assert "boot" in pc.host.tasks[keep].triggers
    pc.stack.write()
    mounts = [(item.name, mount) for item in pc.containers() for mount in item.attrs["Mounts"]]
    assert {name for name, _ in mounts} == {f"{NAME}-postgresql", f"{NAME}-redis"}
    assert {mount["Type"] for _, mount in mounts} == {"volume"}
    assert all(mount["Name"].startswith(f"{NAME}_") for _, mount in mounts)
    # What Docker Desktop's engine starts by itself when it comes back. The daemon here is shared, so it does not end.
    assert {item.attrs["HostConfig"]["RestartPolicy"]["Name"] for item in pc.containers()} == {"unless-stopped"}

    distro = pc.host.mine(DISTRO)
    assert distro
    inside: Any = distro.inside
    distro.running = False
    inside.integrate(on=False, known=True)
    inside.terminate()
    for container in pc.containers():
        container.kill()
    for container in reversed(pc.containers()):
        container.start()
    pc.stack.await_docker_health()
    pc.stack.check()
    assert not inside.distro.running, "the distro was started: what came back may have needed it"

    identities = pc.stack.identities()
    pc.host.integrate()
    printed = pc.run("site.yml")
    assert inside.distro.running
    changed = dict(re.findall(r"^(\S+)\s*: ok=.*changed=(\d+)", printed, re.MULTILINE))
    assert changed == {"pc1": "0", "pc1-wsl": "0"}, printed[-8000:]
    assert pc.stack.identities() == identities
