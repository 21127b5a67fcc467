"""Upgrades of PostgreSQL and Neo4j with data: rolled back first, and then moved for good."""

from __future__ import annotations

from pathlib import Path

from ready.backups.restic.listing import sets_in
from ready.backups.workspace import Workspace

from tests.names import own
from tests.system.backups import with_backups
from tests.system.conftest import PATIENT, Ready
from tests.system.upgrades import (
    READ,
    SEED_IT,
    engine,
    evidence,
    fails,
    forget,
    kept,
    leftovers,
    was_moved,
    was_rolled_back,
)

NAME = own("sys-upgrade-data")
#: Service -> the wanted line, and how its data get there.
MOVES = {"postgresql": ("17", "dump_restore"), "neo4j": ("5.26", "migrate_forward")}


def refuses_what_would_be_lost(ready: Ready) -> None:
    """Before anything is begun: an invalid database unless it is named, and an index that no restore can make."""
    with ready.stack.postgresql("admin") as connection:
        connection.execute("CREATE DATABASE gone")
        connection.execute("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'gone'")
    assert "--lose-database gone" in fails(ready, "postgresql")
    with ready.stack.postgresql("admin", dbname="reports") as connection:
        connection.execute("CREATE TABLE rate (n int)")
        connection.execute("CREATE TABLE sale AS SELECT 1 AS n")
        body = "BEGIN RETURN n * (SELECT count(*) FROM rate); END"
        connection.execute(f"CREATE FUNCTION rated(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS '{body}'")
        connection.execute("CREATE INDEX sale_rated ON sale (rated(n))")
    assert "reports: index public.sale_rated" in fails(ready, "postgresql", lose="gone")
    with ready.stack.postgresql("admin", dbname="reports") as connection:
        connection.execute("DROP TABLE sale, rate")
        connection.execute("DROP FUNCTION rated")
        connection.execute("DROP DATABASE gone")


def test_upgrades_with_data(tmp_path: Path) -> None:
    """Every datum is the same afterwards, the old data are kept, and a backup set from before is in the repository.

    First each is rolled back with its data moved already, since no engine is well within a moment.
    """
    forget(NAME)
    with with_backups(tmp_path, NAME, list(MOVES), **PATIENT) as ready:
        for service in MOVES:
            SEED_IT[service](ready.stack)
        before = {service: READ[service](ready.stack) for service in MOVES}
        ready.set(**{f"{service}_version": line for service, (line, _) in MOVES.items()})
        engines = {service: engine(ready.stack, service) for service in MOVES}
        containers = ready.stack.identities()
        refuses_what_would_be_lost(ready)
        assert ready.stack.identities() == containers
        ready.set(upgrade_deadline=0.01)
        failed = {"postgresql": fails(ready, "postgresql", "neo4j")}
        assert ready.stack.identities()[f"{NAME}-neo4j"] == containers[f"{NAME}-neo4j"], "the first that fails ends it"
        failed["neo4j"] = fails(ready, "neo4j")
        ready.set(upgrade_deadline=None)
        for service in MOVES:
            was_rolled_back(ready, service, failed[service], before[service], engines[service])
        assert kept(ready.stack) == leftovers(ready.stack) == []
        ready.run("upgrade")
        assert leftovers(ready.stack) == []
        assert evidence(ready)["verdict"] == "pass"
        sets = {item["id"]: item for item in sets_in(Workspace.of(NAME).repository(), NAME)}
        for service, (line, how) in MOVES.items():
            was_moved(ready, service, line, how, before[service], sets)
        assert len(sets) == 1
    forget(NAME)
