"""Simulated PCs, an inventory of them, and the playbooks for Windows as a user runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.simulator.conditions import host_in
from tests.simulator.fleet import Fleet
from tests.simulator.inventory import DISTRO, INVENTORY
from tests.simulator.model import Windows

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Run:
    """How a run ended."""

    code: int
    text: str

    def count(self, host: str, word: str) -> int:
        """Return a number of the recap, such as changed."""
        found = re.search(rf"^{host}\s*:.*\b{word}=(\d+)", self.text, re.MULTILINE)
        assert found, self.text[-3000:]
        return int(found[1])

    def message(self, host: str) -> str:
        """Return the messages that a host failed with, in one line."""
        blocks = re.split(r"^(?=fatal: \[|TASK \[|PLAY |changed: \[|ok: \[)", self.text, flags=re.MULTILINE)
        own = (f"fatal: [{host}]", f"fatal: [{host} ")
        return " ".join(" ".join(block for block in blocks if block.startswith(own)).split())

    def why(self) -> str:
        """Return what every host failed with, unreachable ones too, and the recap: what an assertion says."""
        return "\n".join([*re.findall(r"^fatal: .*(?:\n[ \t].*)*", self.text, re.MULTILINE), self.text[-3000:]])


@dataclass
class Site:
    """Simulated hosts, an inventory of them, and playbooks as a user runs them."""

    fleet: Fleet
    hosts: dict[str, Windows]
    directory: Path

    def run(self, playbook: str, *arguments: str, timeout: int = 900, **variables: Any) -> Run:
        """Run a playbook; variables go to every host, `of` to single ones.

        `twins` makes distros hosts as well: name of the Windows host -> variables.
        """
        of, twins = variables.pop("of", {}), variables.pop("twins", {})
        inventory = self.directory / "inventory.yml"
        content = yaml.safe_load(self.fleet.inventory().read_text())
        content["all"]["vars"] = INVENTORY | {"ready_evidence_dir": str(self.directory / "evidence")} | variables
        for name, own in of.items():
            content["all"]["children"]["windows"]["hosts"][name] |= own
        if twins:
            content["all"]["children"]["wsl"] = {
                "vars": {"ansible_connection": "wsl_psrp", "ansible_wsl_distribution": DISTRO},
                "hosts": {f"{name}-wsl": {"ansible_wsl_windows_host": name} | own for name, own in twins.items()},
            }
        folder = ROOT if playbook == "site" else ROOT / "playbooks"
        inventory.write_text(yaml.safe_dump(content))
        done = subprocess.run(
            [BIN / "ansible-playbook", "-i", inventory, folder / f"{playbook}.yml", *arguments],
            cwd=ROOT,
            env=os.environ
            | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "COLUMNS": "400", "ANSIBLE_NOCOLOR": "1"}
            | {"ANSIBLE_FORKS": "6"},  # more would only keep other tests from their processor
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout + done.stderr)

    def evidence(self, host: str, name: str = "preflight", stack: str = "ready") -> dict[str, Any]:
        """Return what preflight, or another verb, left about a host."""
        return dict(json.loads((self.directory / "evidence" / stack / host / f"{name}.json").read_text()))

    def evidence_of(self, host: str, check: str) -> dict[str, str]:
        """Return what preflight's evidence says of one thing that was looked at."""
        checks = self.evidence(host)["results"]["checks"]
        return next(dict(row) for row in checks if row["id"] == check)

    def come_back(self) -> None:
        """Let every host whose connection was lost answer again."""
        for name, host in self.hosts.items():
            host.come_back()
            self.fleet.servers[name].wait()

    def forget(self) -> None:
        """Begin the records again."""
        for name, host in self.hosts.items():
            host.record.clear()
            self.fleet.servers[name].trips.clear()


@contextmanager
def site_of(directory: Path, conditions: dict[str, str], **made: Any) -> Iterator[Site]:
    """Give hosts by their names, each in a condition and `made` so."""
    hosts = {name: host_in(condition, name, **made) for name, condition in conditions.items()}
    fleet = Fleet(directory / "fleet", list(hosts.values()))
    try:
        yield Site(fleet, hosts, directory)
    finally:
        fleet.stop()
        for host in hosts.values():
            host.close()
