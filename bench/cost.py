# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `up` and `destroy` cost: `PYTHONPATH=. .venv/bin/python bench/cost.py`.

A dedicated stack, which is removed again; needs the images, or makes them in a first run that is not counted. CPU is
of the launcher and of what it starts, Ansible and its modules; the daemon's own is not in it.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import docker
import yaml

from tools.ports import free_ports

ROOT = Path(__file__).resolve().parents[1]
NAME = "bench-cost"
PORTS = ("postgresql_port", "neo4j_bolt_port", "neo4j_http_port", "chromadb_port", "redis_port")
ROUNDS = 3
STACKS = {"redis": ["redis"], "four services": ["postgresql", "neo4j", "chromadb", "redis"]}


class Cost(NamedTuple):
    """Of one run of a verb."""

    tasks: int
    sent: int  #: programs that were run on the host
    cpu: float
    seconds: float


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cost(directory: Path, *words: str) -> Cost:
    """Run a verb, and count; -vvv names each program that is run on the host."""
    cpu, started = _cpu(), time.monotonic()
    done = subprocess.run(  # noqa: S603
        [ROOT / "ready", *words, "-i", directory / "inventory", "-vvv"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"READY_VAULT_KEY_FILE": str(directory / "vault-key")},
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    recap = re.search(r"ok=(\d+).*?skipped=(\d+)", done.stdout)
    return Cost(
        tasks=int(recap[1]) + int(recap[2]) if recap else -1,
        sent=len(re.findall(r"(?m)^<\S+> EXEC ", done.stdout)),
        cpu=_cpu() - cpu,
        seconds=time.monotonic() - started,
    )


def await_docker_health(services: Sequence[str]) -> None:
    """Wait until Docker calls all healthy, an interval after the start; before, a run has more to do."""
    client = docker.from_env()
    ends = time.monotonic() + 120
    while not all(client.containers.get(f"{NAME}-{name}").health == "healthy" for name in services):
        if time.monotonic() > ends:
            sys.exit("Docker's own health tests did not become green within 120 s")
        time.sleep(0.5)


def median(costs: Sequence[Cost]) -> str:
    """Return a row's columns."""
    middle = [sorted(values)[len(costs) // 2] for values in zip(*costs, strict=True)]
    return "| {:d} | {:d} | {:.1f} s | {:.1f} s |".format(*middle)


def main() -> int:
    """Measure and print a table in Markdown."""
    rows = []
    # The environment of the probes is made by the first run, which is not counted, and not where the host has its own.
    with tempfile.TemporaryDirectory(prefix="ready-bench-") as name:
        directory = Path(name)
        subprocess.run([ROOT / "ready", "init", directory], check=True, capture_output=True)  # noqa: S603
        for title, services in STACKS.items():
            values = dict(zip(PORTS, free_ports(len(PORTS)), strict=True)) | {
                "stack_name": NAME,
                "ready_services": services,
                "probes_directory": str(directory / "probes"),
            }
            (directory / "inventory" / "group_vars" / "all" / "bench.yml").write_text(yaml.safe_dump(values))
            costs: dict[str, list[Cost]] = {"fresh `up`": [], "no-op `up`": [], "`destroy --volumes`": []}
            try:
                cost(directory, "up")
                cost(directory, "destroy", "--volumes", "--yes")
                for _ in range(ROUNDS):
                    costs["fresh `up`"].append(cost(directory, "up"))
                    await_docker_health(services)
                    costs["no-op `up`"].append(cost(directory, "up"))
                    costs["`destroy --volumes`"].append(cost(directory, "destroy", "--volumes", "--yes"))
            finally:
                cost(directory, "destroy", "--volumes", "--yes")
            rows += [f"| {verb}, {title} {median(of_verb)}" for verb, of_verb in costs.items()]
    print("| what | tasks | programs run on the host | CPU | time |\n|---|---|---|---|---|")
    print("\n".join(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
