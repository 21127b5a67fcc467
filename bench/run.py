# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of bench/README.md, measured on a dedicated stack: `.venv/bin/python bench/run.py`.

Takes some minutes; needs the images (./ready up, or ./ready test --only images). Nothing else should run meanwhile:
ratios are of one run, absolute times are of one machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import docker
import yaml

ROOT = Path(__file__).resolve().parents[1]
NAME = "bench"
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]
PORTS = ("postgresql_port", "neo4j_bolt_port", "neo4j_http_port", "chromadb_port", "redis_port")
ROUNDS = 5
JVM = "server.jvm.additional"
#: The archive of classes that Java itself comes with, in place of the one that the image has of Neo4j's.
JAVAS_OWN = "-XX:SharedArchiveFile=/usr/lib/jvm/java-17-openjdk-amd64/lib/server/classes.jsa"


def ready(directory: Path, *words: str) -> tuple[float, str]:
    """Run a verb; return seconds and what it printed."""
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603
        [ROOT / "ready", *words, "-i", directory / "inventory"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"READY_VAULT_KEY_FILE": str(directory / "vault-key")},
    )
    return time.monotonic() - started, done.stdout


def variables(directory: Path, services: list[str], **more: Any) -> None:
    """Choose the services of the stack, and set other variables of it."""
    values: dict[str, Any] = {name: 45000 + number for number, name in enumerate(PORTS)}
    values |= {"stack_name": NAME, "ready_services": services, **more}
    (directory / "inventory" / "group_vars" / "all" / "bench.yml").write_text(yaml.safe_dump(values))


def to_healthy(output_directory: Path) -> float:
    """Return the seconds from the last container's start, when the wait begins, to the last true health test."""
    health = json.loads((output_directory / "evidence" / NAME / "localhost" / "health.json").read_text())
    return max(float(item["seconds"] or 0) for item in health["results"]["services"].values())


def main() -> int:
    """Measure and print a table in Markdown."""
    client = docker.from_env()
    with tempfile.TemporaryDirectory(prefix="ready-bench-") as name:
        directory = Path(name)
        subprocess.run([ROOT / "ready", "init", directory], check=True, capture_output=True)  # noqa: S603
        options = yaml.safe_load((ROOT / "services" / "neo4j.yml").read_text())["settings"][JVM]
        try:
            alone: list[float] = []
            without: list[float] = []
            together: list[float] = []
            for _ in range(2):
                for times, settings in ((alone, {}), (without, {JVM: f"{options} {JAVAS_OWN}"})):
                    variables(directory, ["neo4j"], neo4j_settings=settings)
                    ready(directory, "up")
                    times.append(to_healthy(directory))
                    ready(directory, "destroy", "--volumes", "--yes")
                variables(directory, SERVICES)
                ready(directory, "up")
                together.append(to_healthy(directory))
                if len(together) < 2:
                    ready(directory, "destroy", "--volumes", "--yes")
            runs = [ready(directory, "up") for _ in range(ROUNDS)]
            seconds = sorted(item[0] for item in runs)[ROUNDS // 2]
            recap = re.search(r"ok=(\d+).*?skipped=(\d+)", runs[-1][1])
            tasks = int(recap[1]) + int(recap[2]) if recap else -1
            time.sleep(30)
            print("| figure | value |\n|---|---|")
            print(f"| no-op `./ready up`, median of {ROUNDS} | {seconds:.1f} s, {tasks} tasks |")
            best_alone, best = min(alone), min(together)
            ratio = f"{best:.1f} s / {best_alone:.1f} s = {best / best_alone:.2f}"
            print(f"| all four healthy on empty volumes / Neo4j alone | {ratio} |")
            ratio = f"{best_alone:.1f} s / {min(without):.1f} s = {best_alone / min(without):.2f}"
            print(f"| Neo4j healthy: with the archive of its classes / without | {ratio} |")
            for service in SERVICES:
                container = client.containers.get(f"{NAME}-{service}")
                stats = client.api.stats(str(container.id), stream=False, one_shot=True)["memory_stats"]
                used = (stats["usage"] - stats["stats"].get("total_inactive_file", 0)) / 2**20
                size = container.image.attrs["Size"] / 1e6 if container.image else 0
                print(f"| {service}: idle memory, image | {used:.0f} MiB, {size:.0f} MB |")
        finally:
            ready(directory, "destroy", "--volumes", "--yes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
