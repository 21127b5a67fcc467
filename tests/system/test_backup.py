"""Backup, drill and restore of a whole stack with known data, and sets that are not what they should be."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ready.backups.run import restore_set
from ready.backups.settings import place_of, runner_of
from ready.backups.work import WORK

from tests.names import own
from tests.system.backups import (
    KEYS,
    NODES,
    PYTHON,
    ROWS,
    SERVICES,
    VECTORS,
    contents,
    drilled,
    empty,
    evidence,
    leftovers,
    redis_contents,
    scheduled,
    seed,
    tamper,
    truncate,
    with_backups,
)
from tests.system.conftest import Ready, own_stack

NAME = own("sys-backup")


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


def test_restore_of_one_service(whole: tuple[Ready, dict[str, Any]]) -> None:
    """Its data are the set's again; the others keep theirs, and are not even restarted."""
    stack, before = whole[0].stack, whole[1]
    stack.redis().set("newer", "than the set")
    with stack.postgresql() as connection:
        connection.execute("CREATE TABLE newer (n int)")
    identities = stack.identities()
    found = restore_set(NAME, None, ["redis"], "localhost", safety=False)
    assert list(found["services"]) == ["redis"]
    assert redis_contents(stack) == before["redis"]
    with stack.postgresql() as connection:
        connection.execute("DROP TABLE newer")
    changed = {name for name, its in stack.identities().items() if its != identities[name]}
    assert changed == {f"{NAME}-redis"}
    assert leftovers(NAME) == []


def drop_system(directory: Path, _: dict[str, Any]) -> None:
    """Remove the dump of the database that has the users."""
    (directory / "system.dump.raw").unlink()


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
        ("neo4j", truncate("neo4j.dump.raw"), "neo4j-admin database load"),
        ("chromadb", drop_segments, "not in the index, though its entry is"),
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
    name = own("sys-elsewhere")
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
