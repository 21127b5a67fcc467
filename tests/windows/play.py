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
class Case:
    """What one host is asked in a run of many: its tasks, and variables of the distro and of its Windows host.

    The tasks are for the distro, or for Windows. A task that fails ends nothing: neither its case nor
    those that follow.
    """

    tasks: list[dict[str, Any]]
    distro: dict[str, Any] = field(default_factory=dict)
    windows: dict[str, Any] = field(default_factory=dict)
    on_windows: bool = False


@dataclass
class Answers:
    """What a run of cases printed, and case -> what each of its tasks returned."""

    text: str
    cases: dict[str, list[dict[str, Any]]]

    def of(self, case: str) -> list[dict[str, Any]]:
        """Return what the tasks of a case returned, which all went well."""
        bad = [item for item in self.cases[case] if item.get("failed") or item.get("unreachable")]
        assert not bad, json.dumps(bad, indent=2)[-6000:]
        return self.cases[case]

    def last(self, case: str) -> dict[str, Any]:
        """Return what the last task of a case returned."""
        return self.of(case)[-1]

    def fault(self, case: str, *, unreachable: bool = False) -> str:
        """Return the message of the one task of a case that failed, or found the host not reachable."""
        bad = [item for item in self.cases[case] if item.get("failed") or item.get("unreachable")]
        assert [bool(item.get("unreachable")) for item in bad] == [unreachable], json.dumps(self.cases[case])[-6000:]
        return " ".join(str(bad[0]["msg"]).split())


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

    def run_cases(self, directory: Path, cases: dict[str, Case]) -> Answers:
        """Run a play for each case in one run of Ansible, each on a Windows host of its own; pc1's distro is behind it.

        A start of Ansible costs more than most of the tasks here.
        """
        for name in cases:
            self.hosts[name] = PlainHost(name, self.hosts["pc1"].accounts, self.hosts["pc1"].distros)
            self.fleet.add(self.hosts[name])
        inventory = self.inventory(directory / "cases.yml")
        content = yaml.safe_load(inventory.read_text())
        for name, case in cases.items():
            content["all"]["children"]["windows"]["hosts"][name] |= case.windows
            content["all"]["children"]["wsl"]["hosts"][f"{name}-wsl"] |= case.distro
        inventory.write_text(yaml.safe_dump(content))
        plays = [
            {
                "name": name,
                "hosts": name if case.on_windows else f"{name}-wsl",
                "gather_facts": False,
                "ignore_errors": True,
                "ignore_unreachable": True,
                "tasks": case.tasks,
            }
            for name, case in cases.items()
        ]
        _, text, found = self.wait(self.start(inventory, plays))
        return Answers(
            text,
            {
                play["play"]["name"]: [result for task in play["tasks"] for result in task["hosts"].values()]
                for play in found
            },
        )

    def popen(self, inventory: Path, hosts: str, tasks: list[dict[str, Any]], **play: Any) -> subprocess.Popen[str]:
        """Start a play of these tasks."""
        return self.start(inventory, [{"hosts": hosts, "gather_facts": False, "tasks": tasks, **play}])

    def start(self, inventory: Path, plays: list[dict[str, Any]]) -> subprocess.Popen[str]:
        """Start these plays."""
        playbook = inventory.with_suffix(f".{uuid.uuid4().hex[:6]}.play.yml")
        playbook.write_text(yaml.safe_dump(plays))
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
        code, text, plays = self.wait(process)
        return Result(code, text, [task for play in plays for task in play["tasks"]])

    def wait(self, process: subprocess.Popen[str]) -> tuple[int, str, list[dict[str, Any]]]:
        """Wait for the end of Ansible and return its exit code, what it printed, and the plays."""
        out, err = process.communicate(timeout=900)
        start = out.find("{\n")
        assert start >= 0, out + err
        found, _ = json.JSONDecoder().raw_decode(out[start:])
        return process.returncode, " ".join((out + err).split()), found["plays"]

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
