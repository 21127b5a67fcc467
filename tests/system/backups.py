"""What the tests of backups share: known data, runs as timers make them, sets with something wrong in them."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import docker
from ready.backups import helper_containers, timer
from ready.backups.drill import read_manifest
from ready.backups.manifest import describe_files, new_id
from ready.backups.restic.repository import newest
from ready.backups.restore.data_swap import ASIDE
from ready.backups.run import prove_set
from ready.backups.settings import directory_of, runner_of
from ready.backups.workspace import PURPOSES, WORK, Workspace
from ready.common.clock import parse_timestamp, timestamp

from tests.stack import Stack
from tests.system.conftest import DEAD_PROXY, Ready, own_stack

#: It has what the environment of the probes has; the verbs use that one.
PYTHON = sys.executable
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]
ROWS, NODES, VECTORS, KEYS = 2000, 1000, 2000, 1000


def seed(stack: Stack) -> None:
    """Put known data into all four; more vectors than ChromaDB keeps in its log, so that old ones are in the index."""
    with stack.postgresql() as connection:
        connection.execute("CREATE TABLE item (id serial PRIMARY KEY, name text, price numeric, at timestamptz)")
        connection.execute(
            "INSERT INTO item (name, price, at) SELECT md5(n::text), n / 7.0, now() FROM generate_series(1, %s) n",
            [ROWS],
        )
        connection.execute("CREATE INDEX ON item (name)")
        connection.execute("SELECT lo_from_bytea(0, 'a large object')")
    with stack.postgresql("admin") as connection:
        connection.execute("CREATE DATABASE other")
        connection.execute("CREATE ROLE reader NOLOGIN")
    with stack.neo4j() as driver:
        driver.execute_query("UNWIND range(1, $n) AS i CREATE (:Item {i: i, name: 'item ' + i})", n=NODES)
        driver.execute_query("MATCH (a:Item), (b:Item {i: a.i + 1}) CREATE (a)-[:NEXT {weight: a.i * 0.5}]->(b)")
        driver.execute_query("CREATE INDEX item_i FOR (n:Item) ON (n.i)")
    numbers = random.Random(7)  # the same vectors each time
    collection = stack.chromadb().create_collection("items", embedding_function=None)
    for start in range(0, VECTORS, 500):
        ids = [f"item-{number}" for number in range(start, start + 500)]
        collection.add(
            ids=ids,
            embeddings=[[numbers.random() for _ in range(16)] for _ in ids],
            documents=[f"text of {name}" for name in ids],
            metadatas=[{"start": start} for _ in ids],
        )
    with stack.redis().pipeline() as pipe:
        for number in range(KEYS):
            pipe.set(f"item:{number}", f"value {number}", ex=3600 if number % 10 == 0 else None)
        pipe.hset("hash", mapping={str(number): number for number in range(100)})
        pipe.sadd("set", *range(100))
        pipe.set("gone", "soon", px=1500)
        pipe.execute()


def contents(stack: Stack) -> dict[str, Any]:
    """Return every row, node, relationship, vector and key, with the keys' expiry to the second."""
    found: dict[str, Any] = {}
    with stack.postgresql() as connection:
        found["rows"] = connection.execute("SELECT * FROM item ORDER BY id").fetchall()
        found["objects"] = connection.execute(
            "SELECT convert_from(lo_get(oid), 'utf8') FROM pg_largeobject_metadata"
        ).fetchall()
    with stack.postgresql("admin") as connection:
        found["databases"] = connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()
        found["roles"] = connection.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall()
    with stack.neo4j() as driver:
        query = "MATCH (a:Item) OPTIONAL MATCH (a)-[r]->(b) RETURN a.i, a.name, type(r), r.weight, b.i ORDER BY a.i"
        found["graph"] = [record.values() for record in driver.execute_query(query).records]
    collection = stack.chromadb().get_collection("items", embedding_function=None)
    page = collection.get(include=["embeddings", "documents", "metadatas"])
    rows = zip(page["ids"], page["embeddings"].tolist(), page["documents"], page["metadatas"], strict=True)
    found["vectors"] = sorted(rows, key=lambda row: str(row[0]))
    near = collection.query(query_embeddings=[found["vectors"][0][1]], n_results=5)
    found["nearest"] = near["ids"]
    found["redis"] = redis_contents(stack)
    return found


def redis_contents(stack: Stack) -> dict[str, Any]:
    """Return every key that does not expire within the test."""
    client = stack.redis("admin")
    found = {}
    for key in sorted(client.scan_iter()):
        kind, expires = client.type(key), client.expiretime(key)
        if kind == "string":
            found[key] = (client.get(key), expires)
        else:
            values = client.hgetall(key) if kind == "hash" else sorted(client.smembers(key))
            found[key] = (str(values), expires)
    found.pop("gone", None)
    return found


def evidence(ready: Ready, name: str) -> dict[str, Any]:
    """Return the evidence of that name."""
    path = ready.directory / "evidence" / ready.stack.name / "localhost" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


#: What is done to one part of a set: to the directory with its files, and to what the manifest says of it.
Change = Callable[[Path, dict[str, Any]], None]


def runner(name: str, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the file on the host that a timer runs, with a proxy as cron takes one from /etc/environment."""
    return subprocess.run(
        [PYTHON, runner_of(name), verb, name, *words],
        env=os.environ | DEAD_PROXY,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def scheduled(name: str, verb: str, *words: str) -> tuple[int, str]:
    """Do in this process what a timer runs; return the exit code and what it said on standard error."""
    said = io.StringIO()
    with redirect_stderr(said):
        code = timer.main([verb, name, *words])
    return code, said.getvalue()


def succeeds(name: str, verb: str) -> None:
    """Do what a timer runs, which must be well."""
    code, said = scheduled(name, verb)
    assert code == 0, said


def leftovers(name: str) -> list[str]:
    """Return everything that runs should not have left: scratch things, staging, a journal."""
    client = docker.from_env()
    left = []
    for purpose in (*PURPOSES, ASIDE):
        wanted: dict[str, Any] = {"label": f"io.ready.stack={name}.{purpose}"}
        left += [str(item.name) for item in client.containers.list(all=True, filters=wanted)]
        left += [str(item.name) for item in client.volumes.list(filters=wanted)]
        left += [str(item.name) for item in client.networks.list(filters=wanted)]
    return left + [item.name for item in (WORK / name).iterdir() if item.name in {"staging", "fetched", "journal.json"}]


def data_volume(stack: Stack, service: str) -> str:
    """Return the name of a service's data volume."""
    return str(stack.resolved["services"][service]["volumes"][0]["name"])


@contextmanager
def with_backups(directory: Path, name: str, services: list[str], **variables: Any) -> Iterator[Ready]:
    """Give a stack that is up, whose repository is below its directory; the host keeps nothing of it afterwards."""
    forget_host(name)
    with own_stack(directory, name, services) as ready:
        try:
            ready.set(backup_repository=str(directory / "repository"), backup_retention={"last": 50}, **variables)
            ready.run("up")
            yield ready
        finally:
            forget_host(name)


@contextmanager
def described(name: str, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Have the host describe a stack otherwise, within the block."""
    path = Path(json.loads((directory_of(name) / "settings.json").read_text())["description"])
    kept = path.read_text()
    changed = json.loads(kept)
    change(changed)
    path.write_text(json.dumps(changed))
    try:
        yield
    finally:
        path.write_text(kept)


def forget_host(name: str) -> None:
    """Remove what the host keeps for a stack's backups, and what runs that were killed have left."""
    for purpose in (*PURPOSES, ASIDE):
        helper_containers.remove_all(docker.from_env(), f"{name}.{purpose}")
    shutil.rmtree(directory_of(name), ignore_errors=True)
    shutil.rmtree(WORK / name, ignore_errors=True)
    runner_of(name).unlink(missing_ok=True)


def tamper(name: str, changes: Mapping[str, Change], honest: bool = True) -> str:
    """Put a set into the repository that has these services' parts, changed, with the checksums of the changed files.

    So it is the engines and the data that must see the fault. Without `honest` the checksums stay those of before.
    """
    work = Workspace.of(name)
    repository = work.repository()
    snapshot = newest(repository.snapshots(name))
    made = read_manifest(repository, snapshot)
    target = work.directory / "tampered"
    shutil.rmtree(target, ignore_errors=True)
    source = repository.fetch(snapshot, target / "fetched", list(changes))
    parts = {service: made["parts"][service] for service in changes}
    for service, change in changes.items():
        change(source / service, parts[service])
        if honest:
            files = [item.name for item in (source / service).iterdir()]
            parts[service]["files"] = describe_files(source / service, files)
    made |= {"parts": parts, "include": {}, "id": new_id(parse_timestamp(timestamp())), "safety": True}
    (source / "manifest.json").write_text(json.dumps(made))
    repository.save(source, made, "localhost")
    shutil.rmtree(target)
    return str(made["id"])


def drilled(name: str, wanted: str) -> dict[str, str]:
    """Return what the drill of a set said against each service; empty words when nothing."""
    return {service: "; ".join(its["faults"]) for service, its in prove_set(name, wanted)["services"].items()}


def truncate(file: str) -> Change:
    """Return a change that cuts a file in half."""

    def change(directory: Path, _: dict[str, Any]) -> None:
        path = directory / file
        os.truncate(path, path.stat().st_size // 2)

    return change


def empty(file: str) -> Change:
    """Return a change that leaves nothing in a file."""
    return lambda directory, _: os.truncate(directory / file, 0)
