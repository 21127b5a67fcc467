"""Ansible as a user runs it, on two simulated Windows hosts and their distros."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.simulator.distro import Distro, make_image
from tests.simulator.fleet import Fleet
from tests.simulator.plain import PlainHost

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NAME = "Ubuntu-22.04"


@dataclass
class Result:
    """How a run of Ansible ended: what each host's tasks returned, and everything that was printed."""

    code: int
    text: str
    tasks: list[dict[str, Any]]

    def of(self, host: str) -> dict[str, Any]:
        """Return the last task's result of a host."""
        return dict([task["hosts"][host] for task in self.tasks if host in task["hosts"]][-1])

    def message(self, host: str) -> str:
        """Return its message."""
        return str(self.of(host)["msg"])


@dataclass
class Site:
    """The fleet, its inventory, and Ansible."""

    fleet: Fleet
    hosts: dict[str, PlainHost]
    state: Path
    environment: dict[str, str] = field(default_factory=dict)

    def inventory(self, path: Path, **variables: Any) -> Path:
        """Write an inventory with a distro `<host>-wsl` for each host; variables go to all of them."""
        content = yaml.safe_load(self.fleet.inventory().read_text())
        content["all"]["children"]["wsl"] = {
            "vars": {
                "ansible_connection": "wsl_psrp",
                "ansible_wsl_distribution": NAME,
                "ansible_python_interpreter": "/usr/bin/python3",
                **variables,
            },
            "hosts": {f"{name}-wsl": {"ansible_wsl_windows_host": name} for name in self.hosts},
        }
        path.write_text(yaml.safe_dump(content))
        return path

    def popen(self, inventory: Path, hosts: str, tasks: list[dict[str, Any]], **play: Any) -> subprocess.Popen[str]:
        """Start a play of these tasks."""
        playbook = inventory.with_suffix(f".{uuid.uuid4().hex[:6]}.play.yml")
        playbook.write_text(yaml.safe_dump([{"hosts": hosts, "gather_facts": False, "tasks": tasks, **play}]))
        return subprocess.Popen(
            [BIN / "ansible-playbook", "-i", inventory, playbook],
            cwd=ROOT,
            env=os.environ
            | {
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
                "ANSIBLE_WSL_STATE_DIR": str(self.state),
            }
            | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Result:
        """Wait for a play's end."""
        out, err = process.communicate(timeout=180)
        start = out.find("{\n")
        assert start >= 0, out + err
        plays, _ = json.JSONDecoder().raw_decode(out[start:])
        tasks = [task for play in plays["plays"] for task in play["tasks"]]
        return Result(process.returncode, " ".join((out + err).split()), tasks)

    def run(self, inventory: Path, hosts: str, *tasks: dict[str, Any], code: int | None = 0, **play: Any) -> Result:
        """Run a play of these tasks to its end."""
        result = self.finish(self.popen(inventory, hosts, list(tasks), **play))
        assert code is None or result.code == code, result.text[-6000:]
        return result

    def distro(self, name: str = "pc1") -> Distro:
        """Return a host's distro."""
        return self.hosts[name].distros[NAME]

    def processes(self, marker: str, name: str = "pc1") -> list[str]:
        """Return the command lines in a distro that hold a marker and are not zombies."""
        _, out = self.distro(name).sh("ps -eo stat=,args=")
        return [line for line in out.splitlines() if marker in line and not line.startswith("Z")]


@contextmanager
def two_hosts(directory: Path) -> Iterator[Site]:
    """Two hosts, up, with Basic logon and NTLM over TLS."""
    make_image()
    label = f"tests-{uuid.uuid4().hex[:8]}"
    distros = {name: Distro(NAME, f"{label}-{name}", label) for name in ("pc1", "pc2")}
    try:
        hosts = {
            name: PlainHost(name, {"owner": "Sesame 42!"}, {NAME: distro.create()}) for name, distro in distros.items()
        }
        fleet = Fleet(directory, list(hosts.values()))
        yield Site(fleet, hosts, directory / "state")
        fleet.stop()
    finally:
        for distro in distros.values():
            distro.remove()
