"""A backup that is killed, and its set: everything comes back over damaged stores, and on a new machine."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from ready.backups.settings import directory_of, runner_of
from ready.backups.workspace import WORK

from tests.cleanup import remove
from tests.names import own
from tests.system.backups import (
    PYTHON,
    SERVICES,
    data_volume,
    evidence,
    forget_host,
    leftovers,
    runner,
    with_backups,
)
from tests.system.conftest import Ready, own_stack
from tests.system.realistic import dumps, seed

NAME, ELSEWHERE = own("sys-restore"), own("sys-elsewhere")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ready, dict[str, Any]]]:
    """Return a whole stack with known data, and what is in it; the tests go on from each other."""
    with with_backups(tmp_path_factory.mktemp("restore"), NAME, SERVICES) as ready:
        listed = ready.run("backup", "list")
        assert "no backup yet: " in listed.text, listed.text
        assert not directory_of(NAME).exists()  # it only reads
        drilled = ready.run("drill", code=2)  # brings the settings of backups; there is no set yet
        assert "there is no repository" in drilled.text, drilled.text
        seed(ready.stack)
        yield ready, dumps(ready.stack)


def test_killed_backup(whole: tuple[Ready, dict[str, Any]]) -> None:
    """SIGKILL with Neo4j and ChromaDB stopped: a plain run starts them, and makes its set."""
    ready, before = whole
    process = subprocess.Popen([PYTHON, runner_of(NAME), "backup", NAME], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while ready.stack.container("neo4j").status == "running":
        assert process.poll() is None, "the backup ended before it could be killed"
        assert time.monotonic() < deadline, "the backup never stopped Neo4j"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert ready.stack.container("neo4j").status != "running"
    done = runner(NAME, "backup")
    assert done.returncode == 0, done.stderr
    last = json.loads((WORK / NAME / "last_backup.json").read_text())
    assert any("neo4j" in line and line.startswith("started") for line in last["results"]["healed"])
    assert leftovers(NAME) == []
    assert dumps(ready.stack) == before


#: A file in each store that it can't do without, below its data volume.
DAMAGED = {
    "postgresql": "global/pg_control",
    "neo4j": "databases/system/neostore",
    "chromadb": "chroma.sqlite3",
    "redis": "appendonlydir/*.base.rdb",
}


def damaged(volume: str, service: str) -> Path:
    """Return the path on the host of that file in a volume."""
    return next(Path(docker.from_env().volumes.get(volume).attrs["Mountpoint"]).glob(DAMAGED[service]))


def damage(ready: Ready) -> dict[str, bytes]:
    """Overwrite the file in each store, start them all, and return what is in it now."""
    written = {}
    for name in DAMAGED:
        ready.stack.container(name).stop()
    for name in DAMAGED:
        path = damaged(data_volume(ready.stack, name), name)
        written[name] = b"damaged " * (path.stat().st_size // 8 + 1)
        path.write_bytes(written[name])
    for name in DAMAGED:
        ready.stack.container(name).start()
    return written


def test_restore_over_damaged_stores(whole: tuple[Ready, dict[str, Any]]) -> None:
    """No safety set can be made: what they held is kept whole, named, comes back as the answer says, and goes so."""
    ready, before = whole
    written, client = damage(ready), docker.from_env()
    answer = ready.run("restore", "--yes").text
    assert dumps(ready.stack) == before
    found = evidence(ready, "restore")["results"]
    assert found["safety_set"] is None
    assert sorted(found["kept"]) == sorted(DAMAGED)
    assert leftovers(NAME) == []
    for name, its in found["kept"].items():
        assert its["volume"] in answer, answer
        assert damaged(its["volume"], name).read_bytes() == written[name]
    redis = found["kept"]["redis"]
    ready.stack.container("redis").stop()
    subprocess.run(redis["back"], shell=True, check=True)  # noqa: S602  # as the answer tells people
    assert damaged(data_volume(ready.stack, "redis"), "redis").read_bytes() == written["redis"]
    pruned = ready.run("prune", "--kept", "--check").text  # without --check it takes other checkouts' images along
    for its in found["kept"].values():
        assert f"volume {its['volume']}: the data from before a restore" in pruned, pruned
        client.volumes.get(its["volume"]).remove()
    # A store that was stopped, and for which there is no room: it is asked for nothing, and nothing of it stays.
    ready.run("restore", "--yes", "--only", "redis", "--without-safety-set")
    assert evidence(ready, "restore")["results"]["kept"]["redis"]["volume"] is None
    assert dumps(ready.stack) == before
    assert not [volume.name for volume in client.volumes.list() if f"{NAME}_redis_data_before" in volume.name]


def test_restore_on_a_new_machine(whole: tuple[Ready, dict[str, Any]], tmp_path: Path) -> None:
    """Another inventory, with other passwords and another name: a copy of the repository and the key are enough.

    The stack is made first, comes back equal, and is as that inventory has it.
    """
    ready, before = whole
    sheet = ready.run("backup", "key").out
    key = next(line.split()[-1] for line in sheet.splitlines() if line.startswith("Key:"))
    remove(NAME)
    shutil.copytree(ready.directory / "repository", tmp_path / "repository")
    (tmp_path / "key").write_text(key)
    (tmp_path / "key").chmod(0o600)
    forget_host(ELSEWHERE)
    with own_stack(tmp_path / "new", ELSEWHERE, SERVICES) as other:
        try:
            other.set(backup_repository=str(tmp_path / "repository"), backup_stack=NAME)
            other.run("restore", "--yes", "--key-file", str(tmp_path / "key"))
            assert dumps(other.stack) == before
            found = evidence(other, "restore")
            assert found["verdict"] == "pass"
            assert found["results"]["safety_set"] is None
            assert leftovers(ELSEWHERE) == []
            assert other.run("up", "--check").changed == 0
        finally:
            forget_host(ELSEWHERE)
