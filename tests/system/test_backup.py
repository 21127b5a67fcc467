"""Backup, drill and restore on a whole stack with known data, and what happens when each of them goes wrong.

Faults go through the runner that timers start: it is what a host does by itself, and one process that can be killed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest
from ready.backups import restore, volumes
from ready.backups.drill import read_manifest
from ready.backups.manifest import BackupError, describe, new_id
from ready.backups.restic import newest
from ready.backups.run import restore_set
from ready.backups.settings import place_of, runner_of
from ready.backups.work import WORK, Work
from ready.evidence import moment, timestamp

from tests.stack import Stack
from tests.system.conftest import Ready, own_stack

NAME = "sys-backup"
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]
#: It has what the environment of the probes has; the verbs use that one.
PYTHON = sys.executable
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
    numbers = random.Random(7)  # noqa: S311  # the same vectors each time
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


def scheduled(name: str, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run what a timer runs."""
    return subprocess.run(
        [PYTHON, runner_of(name), verb, name, *words], capture_output=True, text=True, check=False, timeout=600
    )


def leftovers(name: str) -> list[str]:
    """Return everything that runs should not have left: scratch things, staging, a journal."""
    client = docker.from_env()
    left = []
    for purpose in ("backup", "drill", "restore"):
        wanted: dict[str, Any] = {"label": f"io.ready.stack={name}.{purpose}"}
        left += [str(item.name) for item in client.containers.list(all=True, filters=wanted)]
        left += [str(item.name) for item in client.volumes.list(filters=wanted)]
        left += [str(item.name) for item in client.networks.list(filters=wanted)]
    return left + [item.name for item in (WORK / name).iterdir() if item.name in {"staging", "fetched", "journal.json"}]


@contextmanager
def with_backups(directory: Path, name: str, services: list[str]) -> Iterator[Ready]:
    """Give a stack that is up, whose repository is below its directory; the host keeps nothing of it afterwards."""
    with own_stack(directory, name, services) as ready:
        try:
            ready.set(backup_repository=str(directory / "repository"), backup_retention={"last": 50})
            ready.run("up")
            yield ready
        finally:
            for purpose in ("backup", "drill", "restore"):
                volumes.remove_all(docker.from_env(), f"{name}.{purpose}")
            shutil.rmtree(place_of(name), ignore_errors=True)
            shutil.rmtree(WORK / name, ignore_errors=True)
            runner_of(name).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ready, dict[str, Any]]]:
    """Return a whole stack with known data and one quiesced set, and what was in it then."""
    with with_backups(tmp_path_factory.mktemp("backup"), NAME, SERVICES) as ready:
        seed(ready.stack)
        before = contents(ready.stack)
        identities = ready.stack.identities()
        ready.run("backup", "--level", "quiesced")
        after = ready.stack.identities()
        for name in ("postgresql", "redis"):
            assert after[f"{NAME}-{name}"] == identities[f"{NAME}-{name}"], "these are backed up without a restart"
        assert contents(ready.stack) == before
        yield ready, before


def test_set(whole: tuple[Ready, dict[str, Any]]) -> None:
    """It holds everything, is told without user data or secrets, and nothing is left on the host."""
    ready, _ = whole
    found = evidence(ready, "backup")
    parts = found["results"]["manifest"]["parts"]
    assert found["verdict"] == "pass"
    assert found["results"]["manifest"]["skew_seconds"] == 0
    assert parts["postgresql"]["things"] == ROWS
    assert parts["neo4j"]["things"] == NODES
    assert parts["chromadb"]["things"] == VECTORS
    assert parts["redis"]["things"] >= KEYS + 2
    assert parts["neo4j"]["outage_seconds"] > parts["chromadb"]["outage_seconds"] > 0
    told = json.dumps(found)
    assert "item" not in told
    for service in ("postgresql", "neo4j", "redis"):
        assert not any(password in told for password in ready.stack.passwords(service).values())
    assert leftovers(NAME) == []
    assert (place_of(NAME) / "key").stat().st_mode & 0o777 == 0o600


def test_drill(whole: tuple[Ready, dict[str, Any]]) -> None:
    """The set from the repository proves itself, and nothing of the stack is touched."""
    ready, _ = whole
    identities = ready.stack.identities()
    ready.run("drill")
    found = evidence(ready, "drill")
    assert found["verdict"] == "pass"
    services = found["results"]["services"]
    assert {name: its["logins"] for name, its in services.items()} == {
        "postgresql": 4, "neo4j": 4, "chromadb": 0, "redis": 4,
    }  # fmt: skip
    assert "pg_amcheck" in services["postgresql"]["asked"]
    assert found["results"]["rpo_seconds"] > 0
    assert ready.stack.identities() == identities
    assert leftovers(NAME) == []


def tamper(name: str, service: str, change: Callable[[Path, dict[str, Any]], None], honest: bool = True) -> str:
    """Put a set into the repository that has one part, changed; its checksums are those of the changed files.

    So it is the engines and the data that must see the fault. Without `honest` the checksums stay those of before.
    """
    work = Work.of(name)
    repository = work.repository()
    snapshot = newest(repository.snapshots(name))
    made = read_manifest(repository, snapshot)
    target = work.directory / "tampered"
    shutil.rmtree(target, ignore_errors=True)
    source = repository.fetch(snapshot, target / "fetched", [service])
    part = made["parts"][service]
    change(source / service, part)
    files = [item.name for item in (source / service).iterdir()]
    if honest:
        part["files"] = describe(source / service, files)
    made |= {"parts": {service: part}, "id": new_id(moment(timestamp())), "safety": True}
    (source / "manifest.json").write_text(json.dumps(made))
    repository.save(source, made, "localhost")
    shutil.rmtree(target)
    return str(made["id"])


def drilled(name: str, wanted: str, service: str) -> str:
    """Return what the drill of a set said against a service; empty when nothing."""
    code = (
        "import json, sys; from ready.backups.run import prove_set; from ready.backups.manifest import BackupError\n"
        "try: print(json.dumps(prove_set(sys.argv[1], sys.argv[2])['services'][sys.argv[3]]['faults']))\n"
        "except BackupError as error: print(json.dumps([str(error)]))"
    )
    done = subprocess.run(
        [PYTHON, "-c", code, name, wanted, service],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(runner_of(name))},
    )
    return "; ".join(json.loads(done.stdout))


def truncate(file: str) -> Callable[[Path, dict[str, Any]], None]:
    """Return a change that cuts a file in half."""

    def change(directory: Path, _: dict[str, Any]) -> None:
        path = directory / file
        os.truncate(path, path.stat().st_size // 2)

    return change


def empty(file: str) -> Callable[[Path, dict[str, Any]], None]:
    """Return a change that leaves nothing in a file."""
    return lambda directory, _: os.truncate(directory / file, 0)


def drop_system(directory: Path, _: dict[str, Any]) -> None:
    """Remove the dump of the database that has the users."""
    (directory / "system.dump").unlink()


def drop_segments(directory: Path, _: dict[str, Any]) -> None:
    """Remove the index directories: what a copy of the SQLite file alone lacks."""
    source, target = directory / "data.tar", directory / "without.tar"
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            parts = Path(member.name).parts
            if not any(len(part) == 36 and part.count("-") == 4 for part in parts):
                new.addfile(member, old.extractfile(member) if member.isfile() else None)
    target.replace(source)


def lose_a_row(_: Path, part: dict[str, Any]) -> None:
    """Promise a row more than there is."""
    part["content"]["counts"] = {name: count + 1 for name, count in part["content"]["counts"].items()}


@pytest.mark.parametrize(
    ("service", "change", "message"),
    [
        ("postgresql", truncate("database0.dump"), "pg_restore"),
        ("postgresql", empty("database0.dump"), "pg_restore"),
        ("postgresql", lose_a_row, "counts"),
        ("neo4j", drop_system, "no dump of system"),
        ("neo4j", truncate("neo4j.dump"), "neo4j-admin database load"),
        ("chromadb", drop_segments, "chromadb"),
        ("redis", truncate("dump.rdb"), "redis-check-rdb"),
        ("redis", empty("dump.rdb"), "redis-check-rdb"),
    ],
    ids=["pg-cut", "pg-empty", "pg-row-lost", "no-system", "neo4j-cut", "no-segments", "rdb-cut", "rdb-empty"],
)  # fmt: skip
def test_damaged_set(
    whole: tuple[Ready, dict[str, Any]], service: str, change: Callable[[Path, dict[str, Any]], None], message: str
) -> None:
    """Whatever was wrong when the set was made is seen by the drill, though every checksum is right."""
    del whole
    assert message in drilled(NAME, tamper(NAME, service, change), service)
    assert leftovers(NAME) == []


def test_a_sound_part_passes(whole: tuple[Ready, dict[str, Any]]) -> None:
    """The same way of making a set, without a change, is no fault: the tests above see the change."""
    del whole
    for service in ("redis", "chromadb"):
        assert drilled(NAME, tamper(NAME, service, lambda *_: None), service) == ""


def test_killed_backup(whole: tuple[Ready, dict[str, Any]]) -> None:
    """SIGKILL with Neo4j and ChromaDB stopped: a plain run starts them, and makes its set."""
    ready, before = whole
    process = subprocess.Popen([PYTHON, runner_of(NAME), "backup", NAME], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while ready.stack.container("neo4j").status == "running":
        assert time.monotonic() < deadline, "the backup never stopped Neo4j"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert ready.stack.container("neo4j").status != "running"
    done = scheduled(NAME, "backup")
    assert done.returncode == 0, done.stderr
    last = json.loads((WORK / NAME / "last_backup.json").read_text())
    assert any("neo4j" in line and line.startswith("started") for line in last["results"]["healed"])
    assert leftovers(NAME) == []
    assert contents(ready.stack) == before


def test_restore_on_an_empty_stack(whole: tuple[Ready, dict[str, Any]]) -> None:
    """Everything is destroyed, and comes back equal, with the passwords of this inventory."""
    ready, before = whole
    ready.run("destroy", "--volumes", "--yes")
    ready.run("restore", "--yes")
    assert contents(ready.stack) == before
    found = evidence(ready, "restore")
    assert found["verdict"] == "pass"
    assert found["results"]["safety_set"] is None
    assert leftovers(NAME) == []
    assert ready.run("up", "--check").changed == 0


def test_restore_on_a_new_machine(whole: tuple[Ready, dict[str, Any]], tmp_path: Path) -> None:
    """Another inventory, with other passwords and another name: a copy of the repository and the key are enough."""
    ready, before = whole
    sheet = ready.run("backup", "key").out
    key = next(line.split()[-1] for line in sheet.splitlines() if line.startswith("Key:"))
    ready.run("destroy", "--volumes", "--yes")
    shutil.copytree(ready.directory / "repository", tmp_path / "repository")
    name = "sys-elsewhere"
    (tmp_path / "key").write_text(key)
    (tmp_path / "key").chmod(0o600)
    with own_stack(tmp_path / "new", name, SERVICES) as other:
        try:
            other.set(backup_repository=str(tmp_path / "repository"), backup_stack=NAME)
            other.run("restore", "--yes", "--key-file", str(tmp_path / "key"))
            assert contents(other.stack) == before
            assert leftovers(name) == []
        finally:
            shutil.rmtree(place_of(name), ignore_errors=True)
            shutil.rmtree(WORK / name, ignore_errors=True)
            runner_of(name).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack of Redis alone, with data and a set."""
    with with_backups(tmp_path_factory.mktemp("small"), "sys-backup-redis", ["redis"]) as ready:
        ready.stack.redis().mset({f"item:{number}": number for number in range(KEYS)})
        ready.run("backup")
        yield ready


def refused(ready: Ready, verb: str = "backup") -> str:
    """Run what a timer runs, see it fail loudly, and return its words."""
    done = scheduled(ready.stack.name, verb)
    assert done.returncode == 2, done.stderr
    last = json.loads((WORK / ready.stack.name / f"last_{verb}.json").read_text())
    assert last["verdict"] == "fail"
    return done.stderr


def test_timer(small: Ready) -> None:
    """A run that is not due is left out; outcome and metric are left, and the list turns them into evidence."""
    name = small.stack.name
    metrics = small.directory / "metrics"
    metrics.mkdir(exist_ok=True)
    small.set(backup_metrics_directory=str(metrics))
    small.run("backup", "list")
    assert scheduled(name, "backup").returncode == 0
    text = (metrics / f"ready_backup_{name}.prom").read_text()
    assert f'ready_backup_last_run_failed{{stack="{name}"}} 0' in text
    sets = len(Work.of(name).repository().snapshots(name))
    assert scheduled(name, "backup", "--if-due", "daily").returncode == 0
    assert len(Work.of(name).repository().snapshots(name)) == sets
    last = json.loads((WORK / name / "last_backup.json").read_text())
    assert last["results"]["manifest"]["id"] in small.run("backup", "list").text
    assert evidence(small, "backup")["finished_at"] == last["finished_at"]


def test_service_down(small: Ready) -> None:
    """No set without it, and it is named."""
    container = small.stack.container("redis")
    container.stop()
    try:
        assert "redis: found its container exited" in refused(small)
    finally:
        container.start()
    small.stack.await_docker_health()


def test_repository_unreachable(small: Ready) -> None:
    """A repository that was there and is gone is not begun anew: its disk may not be mounted."""
    repository, away = small.directory / "repository", small.directory / "away"
    repository.rename(away)
    try:
        assert "there is no repository" in refused(small)
        assert not repository.exists()
    finally:
        away.rename(repository)


def test_wrong_key(small: Ready) -> None:
    """It is told from everything else."""
    key = place_of(small.stack.name) / "key"
    right = key.read_text()
    key.write_text("another\n")
    try:
        assert "made with another key" in refused(small, "drill")
    finally:
        key.write_text(right)


def test_flipped_byte(small: Ready) -> None:
    """A backup that reads all of the repository back finds it; the drill does, where it hits the newest set."""
    settings = place_of(small.stack.name) / "settings.json"
    kept = settings.read_text()
    packs = sorted((small.directory / "repository" / "data").rglob("*"), key=lambda path: path.stat().st_size)
    path = next(pack for pack in reversed(packs) if pack.is_file())
    good = path.read_bytes()
    settings.write_text(json.dumps(json.loads(kept) | {"check_subset": "100%"}))
    path.chmod(0o600)
    path.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
    try:
        assert "restic check" in refused(small)
    finally:
        path.write_bytes(good)
        settings.write_text(kept)
    assert scheduled(small.stack.name, "backup").returncode == 0


def test_disk_full(small: Ready) -> None:
    """No set, no half of one, and the service goes on."""
    name = small.stack.name
    place = WORK / name / "staging-disk"
    settings = place_of(name) / "settings.json"
    kept = settings.read_text()
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", place], check=True)
    settings.write_text(json.dumps(json.loads(kept) | {"directory": str(place)}))
    sets = len(Work.of(name).repository().snapshots(name))
    try:
        done = scheduled(name, "backup")
        assert done.returncode != 0
        assert "No space left" in done.stderr
    finally:
        settings.write_text(kept)
        subprocess.run(["umount", place], check=True)
        place.rmdir()
    assert len(Work.of(name).repository().snapshots(name)) == sets
    small.stack.redis().ping()


def test_newer_set(small: Ready) -> None:
    """It is refused, with both versions, before anything is loaded."""

    def change(_: Path, part: dict[str, Any]) -> None:
        part["image"]["engine_version"] = "99.1"

    wanted = tamper(small.stack.name, "redis", change)
    with pytest.raises(BackupError, match=r"made by version 99\.1"):
        restore_set(small.stack.name, wanted, [], "localhost", safety=False)
    assert leftovers(small.stack.name) == []


def test_changed_file(small: Ready) -> None:
    """A file that is not what the manifest says is found before it is loaded."""
    wanted = tamper(small.stack.name, "redis", truncate("dump.rdb"), honest=False)
    assert "is damaged: redis: dump.rdb: found" in drilled(small.stack.name, wanted, "redis")


def test_old_data_come_back(small: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore that is not well afterwards puts back what was there, and says so."""
    client = small.stack.redis()
    client.set("newer", "than the set")
    before = redis_contents(small.stack)
    time.sleep(1.1)
    monkeypatch.setattr(restore, "_verify", lambda *_: {"redis": ["it does not answer"]})
    with pytest.raises(BackupError, match="the old data were put back: redis: it does not answer"):
        restore_set(small.stack.name, None, [], "localhost", safety=False)
    assert redis_contents(small.stack) == before
    assert leftovers(small.stack.name) == []


@pytest.mark.parametrize("verb", ["drill", "restore"])
def test_killed(small: Ready, verb: str) -> None:
    """SIGKILL in the middle, then a plain run: nothing is left, the service is up, and its data are whole."""
    name = small.stack.name
    code = {
        "drill": "prove_set(sys.argv[1], None)",
        "restore": "restore_set(sys.argv[1], None, [], 'localhost', False)",
    }[verb]
    command = [PYTHON, "-c", f"import sys; from ready.backups.run import *; {code}", name]
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(runner_of(name))}, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not in_the_middle(name, verb):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert leftovers(name) != []
    done = scheduled(name, "drill")
    assert done.returncode == 0, done.stderr
    assert leftovers(name) == []
    small.stack.await_docker_health()
    assert small.stack.redis().get("item:7") == "7"


def in_the_middle(name: str, verb: str) -> bool:
    """Return whether a run is where it hurts: in scratch for a drill, between old and new data for a restore."""
    if verb == "drill":
        return bool(docker.from_env().containers.list(filters={"label": f"io.ready.stack={name}.drill"}))
    return bool(Work.of(name).journal.read().get("swapping"))
