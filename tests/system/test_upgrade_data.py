"""Upgrades of PostgreSQL and Neo4j with data: rolled back first, and then moved for good."""

from __future__ import annotations

from pathlib import Path

from ready.backups.run import list_sets

from tests.names import own
from tests.system.backups import with_backups
from tests.system.conftest import PATIENT
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
        sets = {item["id"]: item for item in list_sets(NAME)["sets"]}
        for service, (line, how) in MOVES.items():
            was_moved(ready, service, line, how, before[service], sets)
        assert len(sets) == 1
    forget(NAME)
