"""The upgrade of ChromaDB with data: its new container dies, then the run is killed, then it is carried through."""

from __future__ import annotations

from pathlib import Path

from ready.backups.restic.listing import sets_in
from ready.backups.workspace import Workspace

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
    kill_when,
    leftovers,
    was_moved,
    was_rolled_back,
)

NAME = own("sys-upgrade-chromadb")


def test_upgrade_with_data(tmp_path: Path) -> None:
    """Every datum is the same afterwards, the old data are kept, and a backup set from before is in the repository.

    First it is rolled back: its container dies once it has the migrated data. Then the run is killed when all is moved,
    maybe before the container starts: the next run carries it through.
    """
    forget(NAME)
    with with_backups(tmp_path, NAME, ["chromadb"], chromadb_version="1.0.21", **PATIENT) as ready:
        SEED_IT["chromadb"](ready.stack)
        before, version = READ["chromadb"](ready.stack), engine(ready.stack, "chromadb")
        ready.set(chromadb_version="1.5.9")
        was_rolled_back(ready, "chromadb", fails(ready, "chromadb", dying=True), before, version)
        assert kept(ready.stack) == leftovers(ready.stack) == []
        kill_when(ready, "ready", "upgrade", "--service", "chromadb")
        ready.run("upgrade")
        assert leftovers(ready.stack) == []
        assert evidence(ready)["verdict"] == "pass"
        sets = {item["id"]: item for item in sets_in(Workspace.of(NAME).repository(), NAME)}
        was_moved(ready, "chromadb", "1.5.9", "migrate_forward", before, sets)
        assert len(sets) == 1
    forget(NAME)
