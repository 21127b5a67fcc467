# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the connection wsl_psrp costs: `PYTHONPATH=. .venv/bin/python bench/wsl_psrp.py`.

The same tasks in the same container, by wsl_psrp over the simulator's wire and by community.docker.docker, in turns;
medians, and ratios of one run. Both end in `docker exec`, so the difference is the wire. Seconds are what Ansible says
that a task took. On Windows the start of a runspace (wsmprovhost.exe) and of wsl.exe comes on top, which nothing here
can measure.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tests.windows.play import Result, Site, two_hosts

ROUNDS = int(os.environ.get("ROUNDS", "5"))
LARGE = 100 * 1024 * 1024


def tasks(directory: Path) -> list[dict[str, Any]]:
    """Return the tasks that are compared."""
    (directory / "t.j2").write_text("{{ inventory_hostname }} {{ 6 * 7 }}\n")
    return [
        {"name": "ping", "ansible.builtin.ping": None},
        {"name": "command", "ansible.builtin.command": "true"},
        {"name": "stat", "ansible.builtin.stat": {"path": "/etc/passwd"}},
        {"name": "setup", "ansible.builtin.setup": None},
        {
            "name": "copy 1 KB",
            "ansible.builtin.copy": {"content": "{{ 1000 | random }}" + "x" * 1000, "dest": "/root/c"},
        },
        {"name": "template", "ansible.builtin.template": {"src": str(directory / "t.j2"), "dest": "/root/t"}},
        {"name": "file", "ansible.builtin.file": {"path": "/root/d", "state": "directory"}},
        {"name": "lineinfile", "ansible.builtin.lineinfile": {"path": "/root/l", "line": "a", "create": True}},
        {"name": "ping again", "ansible.builtin.ping": None},
    ]


def seconds(result: Result) -> dict[str, float]:
    """Return what each task took."""

    def when(task: dict[str, Any], key: str) -> datetime:
        return datetime.fromisoformat(task["task"]["duration"][key].replace("Z", "+00:00"))

    return {task["task"]["name"]: (when(task, "end") - when(task, "start")).total_seconds() for task in result.tasks}


def compare(site: Site, inventory: Path, work: list[dict[str, Any]], rounds: int) -> list[tuple[str, float, float]]:
    """Run the work by both connections in turns; return name and both medians."""
    taken: dict[str, list[dict[str, float]]] = {"docker": [], "pc1-wsl": []}
    for _ in range(rounds):
        for host, found in taken.items():
            found.append(seconds(site.run(inventory, host, *work)))

    def median(host: str, name: str) -> float:
        return statistics.median(one[name] for one in taken[host])

    return [(name, median("docker", name), median("pc1-wsl", name)) for name in taken["docker"][0]]


def main() -> int:
    """Measure and print tables in Markdown."""
    with tempfile.TemporaryDirectory(prefix="ready-bench-") as name, two_hosts(Path(name) / "fleet") as site:
        directory = Path(name)
        inventory = site.inventory(directory / "hosts.yml")
        content = yaml.safe_load(inventory.read_text())
        content["all"]["hosts"] = {
            "docker": {
                "ansible_connection": "community.docker.docker",
                "ansible_host": site.distro().container,
                "ansible_python_interpreter": "/usr/bin/python3",
            }
        }
        inventory.write_text(yaml.safe_dump(content))
        work = tasks(directory)
        site.run(inventory, "docker:pc1-wsl", *work)  # once, so that nothing is new
        print("| task | docker, s | wsl_psrp, s | ratio |\n|---|---|---|---|")
        rows = compare(site, inventory, work, ROUNDS)
        rows.append(("all of them", sum(row[1] for row in rows), sum(row[2] for row in rows)))
        for title, docker, ours in rows:
            print(f"| {title} | {docker:.2f} | {ours:.2f} | {ours / docker:.2f} |", flush=True)
        (directory / "large").write_bytes(os.urandom(LARGE))
        clear = {"name": "clear", "ansible.builtin.file": {"path": "/root/large", "state": "absent"}}
        put = {"name": "put 100 MB", "ansible.builtin.copy": {"src": str(directory / "large"), "dest": "/root/large"}}
        for title, docker, ours in compare(site, inventory, [clear, put], 3)[1:]:
            print(f"| {title} | {docker:.2f} | {ours:.2f} | {ours / docker:.2f} |")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"\nLargest process of the controller: {peak:.0f} MB.\n\n| module | round trips |\n|---|---|")
        server = site.fleet.servers["pc1"]
        for one in work:
            server.trips.clear()
            site.run(inventory, "pc1-wsl", one)
            print(f"| {one['name']} | {sum(server.trips.values())}: {dict(server.trips)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
