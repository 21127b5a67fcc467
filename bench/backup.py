# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of backups, on a dedicated stack: `.venv/bin/python bench/backup.py [--mib 20]`.

Seeds the four stores with that much data together, and prints a table: how long a set takes, outages against a plain
restart of the same service in the same run, what a second unchanged set adds to the repository, a drill, a restore.
Needs the images. Nothing else should run meanwhile: ratios are of one run, absolute times are of one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "module_utils")]

import docker  # noqa: E402
from ready.backups import helper_containers  # noqa: E402
from ready.backups.settings import directory_of, runner_of  # noqa: E402
from ready.backups.workspace import WORK, Workspace  # noqa: E402
from ready.docker.wait import wait_for_all  # noqa: E402

from tests.stack import Stack  # noqa: E402
from tests.system.conftest import own_stack  # noqa: E402

NAME = "bench-backup"
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]
#: Things of one MiB in a store, about: rows of 1 KiB, nodes of 256 bytes, vectors of 384 dimensions, values of 1 KiB.
ROWS, NODES, VECTORS, KEYS = 1000, 4000, 700, 1000
BATCH = 1000
#: What Redis may hold, in MiB: its memory is limited.
REDIS_MIB = 100
#: A number for each byte, short in JSON.
NUMBERS = [round(byte / 255, 3) for byte in range(256)]


def seed_postgresql(stack: Stack, mib: int) -> None:
    """Make rows."""
    with stack.postgresql() as connection:
        connection.execute("CREATE TABLE bench (id serial PRIMARY KEY, data bytea)")
        connection.execute(
            "INSERT INTO bench (data) SELECT string_agg(sha512((n * 64 + i)::text::bytea), '') "
            "FROM generate_series(1, %s) n, generate_series(1, 15) i GROUP BY n",
            [mib * ROWS],
        )


def seed_neo4j(stack: Stack, mib: int) -> None:
    """Make nodes."""
    with stack.neo4j() as driver:
        for start in range(0, mib * NODES, BATCH * 5):
            rows = [{"i": number, "data": os.urandom(64).hex()} for number in range(start, start + BATCH * 5)]
            driver.execute_query("UNWIND $rows AS row CREATE (n:Bench) SET n = row", rows=rows)


def seed_chromadb(stack: Stack, mib: int) -> None:
    """Make vectors."""
    collection = stack.chromadb().create_collection("bench", embedding_function=None)
    for start in range(0, mib * VECTORS, BATCH):
        values = [[NUMBERS[byte] for byte in os.urandom(384)] for _ in range(BATCH)]
        collection.add(ids=[f"v{number}" for number in range(start, start + BATCH)], embeddings=values)


def seed_redis(stack: Stack, mib: int) -> None:
    """Make keys."""
    client = stack.redis()
    for start in range(0, mib * KEYS, BATCH):
        client.mset({f"bench:{number}": os.urandom(512).hex() for number in range(start, start + BATCH)})


def seed(stack: Stack, mib: int) -> None:
    """Put `mib` MiB into the four stores, of bytes that do not compress; say how long each took.

    Half of it or more are rows, a quarter nodes, an eighth vectors: their index takes longest to be made.
    """
    shares = {"redis": min(mib // 8, REDIS_MIB), "chromadb": mib // 8, "neo4j": mib // 4}
    shares["postgresql"] = mib - sum(shares.values())

    def one(name: str) -> None:
        started = time.monotonic()
        SEEDS[name](stack, shares[name])
        say(f"{name}: {shares[name]} MiB in {time.monotonic() - started:.0f} s")

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, SEEDS))


SEEDS = {
    "chromadb": seed_chromadb,
    "neo4j": seed_neo4j,
    "postgresql": seed_postgresql,
    "redis": seed_redis,
}


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def restart(stack: Stack, service: str) -> float:
    """Return the seconds of a plain restart: stop, start, until the health test is green."""
    its = stack.resolved["services"][service]
    container = stack.container(service)
    started = time.monotonic()
    container.stop(timeout=its["stop_timeout"])
    container.start()
    wait_for_all({service: its})
    return time.monotonic() - started


def run(verb: str) -> dict[str, Any]:
    """Run what a timer runs and return its results."""
    say(verb)
    subprocess.run([sys.executable, runner_of(NAME), verb, NAME], check=True)  # noqa: S603
    results: dict[str, Any] = json.loads((WORK / NAME / f"last_{verb}.json").read_text())["results"]
    return results


def measure(directory: Path, mib: int) -> list[tuple[str, str, str]]:
    """Return figure, value, goal."""
    with own_stack(directory, NAME, SERVICES, more={}) as ready:
        repository = directory / "repository"
        ready.set(backup_repository=str(repository), backup_retention={"last": 9})  # or one of an hour is kept
        ready.run("up")
        seed(ready.stack, mib)
        say("the first backup")
        ready.run("backup")  # the first one makes repository, key and runner
        first = sum(path.stat().st_size for path in repository.rglob("*") if path.is_file())
        restarts = {
            name: statistics.median(restart(ready.stack, name) for _ in range(3)) for name in ("neo4j", "chromadb")
        }
        made = run("backup")
        second = sum(path.stat().st_size for path in repository.rglob("*") if path.is_file())
        stored = Workspace.of(NAME).repository()
        say(stored.run("diff", *(str(item["id"]) for item in stored.snapshots(NAME))))
        parts = made["manifest"]["parts"]
        say(
            json.dumps(
                {name: [its["outage_seconds"], its["started_at"], its["finished_at"]] for name, its in parts.items()}
            )
        )
        size = sum(item["size"] for part in parts.values() for item in part["files"].values())
        rows = [("a set", f"{size / 2**20:.0f} MiB in {made['seconds']:.1f} s, {made['manifest']['level']}", "")]
        rows += [
            (
                f"{name}: outage / plain restart",
                f"{parts[name]['outage_seconds']:.1f} s / {plain:.1f} s = {parts[name]['outage_seconds'] / plain:.2f}",
                "≤ 2",
            )
            for name, plain in restarts.items()
        ]
        rows.append(
            ("a second, unchanged set adds", f"{(second - first) / first:.1%} of {first / 2**20:.0f} MiB", "≤ 2 %")
        )
        say(str(rows))
        drill = run("drill")
        rows.append(("drill", f"{drill['rto_seconds']:.1f} s", ""))
        say("restore")
        ready.run("destroy", "--volumes", "--yes")
        started = time.monotonic()
        ready.run("restore", "--yes")
        rows.append(
            ("restore on an empty stack, images present (RTO)", f"{time.monotonic() - started:.0f} s", "≤ 180 s")
        )
    return rows


def main() -> int:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=20, help="data in the four stores together (20)")
    mib = parser.parse_args().mib
    with tempfile.TemporaryDirectory(prefix="ready-bench-") as name:
        try:
            rows = measure(Path(name), mib)
        finally:
            for purpose in ("backup", "drill", "restore"):
                helper_containers.remove_all(docker.from_env(), f"{NAME}.{purpose}")
            for path in (directory_of(NAME), WORK / NAME):
                shutil.rmtree(path, ignore_errors=True)
            runner_of(NAME).unlink(missing_ok=True)
    print("| figure | value | goal |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
