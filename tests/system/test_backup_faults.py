"""What can go wrong around a set, on the quickest stack: each fault is named, and a plain run afterwards is well.

They go through the runner that timers start: it is what a host does by itself, and one process that can be killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from docker.models.containers import Container
from ready.backups import restore
from ready.backups.manifest import BackupError
from ready.backups.redis import RedisDump
from ready.backups.run import make_set, restore_set
from ready.backups.settings import place_of, runner_of
from ready.backups.work import WORK, Work

from tests.system.backups import (
    KEYS,
    PYTHON,
    drilled,
    evidence,
    leftovers,
    redis_contents,
    scheduled,
    tamper,
    truncate,
    with_backups,
)
from tests.system.conftest import Ready


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
    assert {"secrets.vault", "evidence_backup.json"} <= set(last["results"]["manifest"]["include"])
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


@pytest.mark.parametrize("step", ["start", "put_back"])
def test_old_data_outlive_a_failed_way_back(small: Ready, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails while the old data are put back, they are kept until the next run has done it."""
    name, container = small.stack.name, small.stack.container("redis").name
    small.stack.redis().set("newer", step)
    before = redis_contents(small.stack)
    start = Container.start

    def broken(*_: Any) -> None:
        raise DockerException("the daemon is gone")

    def restarts(self: Container, **options: Any) -> None:
        (broken if self.name == container else start)(self, **options)

    def wanting(*_: Any) -> dict[str, list[str]]:
        if step == "start":
            monkeypatch.setattr(Container, "start", restarts)
        else:
            monkeypatch.setattr(Work, "put_back", broken)
        return {"redis": ["it does not answer"]}

    monkeypatch.setattr(restore, "_verify", wanting)
    with pytest.raises(BackupError, match="the daemon is gone"):
        restore_set(name, None, [], "localhost", safety=False)
    monkeypatch.undo()
    done = scheduled(name, "drill")
    assert done.returncode == 0, done.stderr
    assert leftovers(name) == []
    small.stack.await_docker_health()
    assert redis_contents(small.stack) == before


def test_old_data_that_are_gone(small: Ready) -> None:
    """Without the volume that keeps the old data nothing is put back, and nothing is emptied."""
    name = small.stack.name
    before = redis_contents(small.stack)
    Work.of(name).journal.note(swapping=["redis"], stopped=["redis"])
    try:
        assert f"found no volume {name}.restore_redis_aside" in refused(small)
    finally:
        Work.of(name).journal.clear()
    assert redis_contents(small.stack) == before
    assert leftovers(name) == []


def test_service_that_the_timers_do_not_know(small: Ready) -> None:
    """A service that was added since would be missing in each set: refused, by name."""
    name, client = small.stack.name, docker.from_env()
    labels = {"io.ready.stack": name, "io.ready.service": "neo4j"}
    image = small.stack.container("redis").attrs["Image"]
    added = client.containers.run(image, entrypoint=["sleep", "600"], labels=labels, detach=True, network_mode="none")
    try:
        for verb in ("backup", "drill"):
            assert "found neo4j running" in refused(small, verb)
    finally:
        added.remove(force=True)


def test_snapshot_of_its_own(small: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis may begin one by itself just before a set wants its own: that one is waited for."""
    admin = small.stack.redis("admin")
    prepare = RedisDump.prepare

    def busy(self: RedisDump) -> None:
        prepare(self)
        admin.config_set("rdb-key-save-delay", 1000)
        admin.bgsave()

    monkeypatch.setattr(RedisDump, "prepare", busy)
    try:
        assert make_set(small.stack.name, "", "localhost", "")["manifest"]["parts"]["redis"]["things"] >= KEYS
    finally:
        admin.config_set("rdb-key-save-delay", 0)


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
