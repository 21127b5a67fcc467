"""Backup and drill of a whole stack with known data, and sets that are not what they should be."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ready.backups.manifest import BackupError
from ready.backups.run import restore_set
from ready.backups.settings import directory_of

from tests.names import own
from tests.system.backups import (
    KEYS,
    NODES,
    ROWS,
    SERVICES,
    VECTORS,
    Change,
    contents,
    described,
    drilled,
    empty,
    evidence,
    leftovers,
    redis_contents,
    seed,
    tamper,
    truncate,
    with_backups,
)
from tests.system.conftest import Ready

NAME = own("sys-backup")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ready, dict[str, Any]]]:
    """Return a whole stack with known data and one quiesced set, and what was in it then."""
    with with_backups(tmp_path_factory.mktemp("backup"), NAME, SERVICES) as ready:
        seed(ready.stack)
        with ready.stack.postgresql("admin") as connection:
            connection.execute("ALTER SYSTEM SET log_autovacuum_min_duration = '1h'")
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
    warnings = found["results"]["warnings"]
    assert any("ALTER SYSTEM has set log_autovacuum_min_duration:" in line for line in warnings), warnings
    told = json.dumps(found)
    assert "item" not in told
    for service in ("postgresql", "neo4j", "redis"):
        assert not any(password in told for password in ready.stack.passwords(service).values())
    assert leftovers(NAME) == []
    assert (directory_of(NAME) / "key").stat().st_mode & 0o777 == 0o600


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


def test_other_names(whole: tuple[Ready, dict[str, Any]]) -> None:
    """A database and a login that the set lacks are named, with the set's own, before anything is made."""
    stack = whole[0].stack

    def change(stack: dict[str, Any]) -> None:
        stack["services"]["postgresql"]["database"] = "other_name"
        stack["services"]["neo4j"]["accounts"]["app"]["login"] = "other_login"

    identities = stack.identities()
    with described(NAME, change), pytest.raises(BackupError) as said:
        restore_set(NAME, None, [], "localhost", safety=True)
    assert "the database other_name (postgresql_database); the set has kailash_production" in str(said.value)
    assert "the login other_login of the account app (neo4j_accounts); the set has" in str(said.value)
    assert stack.identities() == identities
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


def nothing(_: Path, __: dict[str, Any]) -> None:
    """Leave the part as it is: what is seen in the others is the change, not the way in which such a set is made."""


@pytest.mark.parametrize(
    "changes",
    [
        {
            "postgresql": (truncate("database0.dump"), "pg_restore"),
            "neo4j": (drop_system, "no dump of system"),
            "chromadb": (drop_segments, "not in the index, though its entry is"),
            "redis": (truncate("dump.rdb"), "redis-check-rdb"),
        },
        {
            "postgresql": (empty("database0.dump"), "pg_restore"),
            "neo4j": (truncate("neo4j.dump.raw"), "neo4j-admin database load"),
            "chromadb": (nothing, ""),
            "redis": (empty("dump.rdb"), "redis-check-rdb"),
        },
        {"postgresql": (lose_a_row, "counts"), "redis": (nothing, "")},
    ],
    ids=["cut", "empty", "row lost"],
)
def test_damaged_parts(whole: tuple[Ready, dict[str, Any]], changes: dict[str, tuple[Change, str]]) -> None:
    """Whatever was wrong when a part was made is seen by the drill, though every checksum is right, and in it alone."""
    del whole
    said = drilled(NAME, tamper(NAME, {service: change for service, (change, _) in changes.items()}))
    for service, (_, message) in changes.items():
        assert message in said[service]
        assert bool(said[service]) == bool(message), said[service]
    assert leftovers(NAME) == []
