"""Simulated Windows hosts by hand: `python -m tests.simulator DIRECTORY pc1=fresh pc2=server-2022 [--containers]`.

Writes DIRECTORY/hosts.yml, an inventory of them, and after each thing that was asked for DIRECTORY/<host>.json: what
the host is now and what changed it. Runs until it is to end (SIGTERM, Ctrl-C).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import yaml

from tests.simulator.conditions import CONDITIONS, host_in
from tests.simulator.fleet import Fleet
from tests.simulator.inside import MemoryInside, container_inside
from tests.simulator.installed import SETTINGS
from tests.simulator.inventory import INVENTORY
from tests.simulator.model import Windows


def summary(host: Windows) -> dict[str, Any]:
    """Return what a host is now, as far as a test asks."""
    return {
        "asked": [{"name": action.name, "check": action.check} for action in host.record],
        "changes": host.changes(),
        "features": host.features,
        "wsl": host.wsl_version,
        "distros": [
            {
                "name": item.name,
                "running": item.running,
                "location": item.base_path,
                "conf": item.inside.conf if isinstance(item.inside, MemoryInside) else None,  # as its start has read it
            }
            for item in host.registered
        ],
        "docker": host.docker and {"version": host.docker.version, "running": host.docker.running},
        "docker_users": sorted(host.docker_users),
        "settings": host.files[SETTINGS].decode() if SETTINGS in host.files else None,
        "tasks": {name: task.time_limit for name, task in sorted(host.tasks.items())},
        "rules": sorted(host.rules),
        "hyperv_rules": sorted(host.hyperv_rules),
        "portproxy": host.portproxy,
        "files": sorted(host.files),
    }


def main() -> None:
    """Serve until it is to end."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description="Serve simulated Windows hosts.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("hosts", nargs="+", metavar="NAME=CONDITION", help=f"conditions: {', '.join(CONDITIONS)}")
    parser.add_argument("--containers", action="store_true", help="distros are real containers, not models")
    asked = parser.parse_args()
    made = {}
    for word in asked.hosts:
        name, _, condition = word.partition("=")
        inside = {"make_inside": container_inside(f"{os.getpid()}-{name}")} if asked.containers else {}
        made[name] = host_in(condition, name, **inside)
    fleet = Fleet(asked.directory, list(made.values()))
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        inventory = yaml.safe_load(fleet.inventory("starting.yml").read_text())
        inventory["all"]["vars"] = INVENTORY
        (asked.directory / "starting.yml").write_text(yaml.safe_dump(inventory))
        (asked.directory / "starting.yml").rename(asked.directory / "hosts.yml")  # whoever waits sees it whole
        seen: dict[str, int] = {}
        while not ended.wait(0.2):
            for name, host in made.items():
                if seen.get(name) != len(host.record):
                    seen[name] = len(host.record)
                    new = asked.directory / f"{name}.json.new"
                    new.write_text(json.dumps(summary(host), indent=2))
                    new.rename(asked.directory / f"{name}.json")
    finally:
        fleet.stop()
        for host in made.values():
            host.close()


if __name__ == "__main__":
    main()
