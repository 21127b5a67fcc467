"""What can go wrong around a set, on the quickest stack: each fault is named, and a plain run afterwards is well.

Most do in this process what timers do; the file that timers run on the host is started once, and where it is killed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from docker.models.containers import Container
from ready.backups.drill import read_manifest
from ready.backups.helper_containers import create_helper, run_helper
from ready.backups.manifest import BackupError, utc
from ready.backups.restic.repository import GIVEN, newest, set_id_of, taken_at
from ready.backups.restore import run
from ready.backups.restore.data_swap import DataSwap
from ready.backups.run import exclusive_run, make_set, restore_set
from ready.backups.service_states import STARTING
from ready.backups.settings import directory_of, runner_of
from ready.backups.workspace import WORK, Workspace
from ready.services.redis.backup import RedisDump

from tests.names import own
from tests.system.backups import (
    KEYS,
    PYTHON,
    described,
    drilled,
    evidence,
    leftovers,
    redis_contents,
    runner,
    scheduled,
    succeeds,
    tamper,
    truncate,
    with_backups,
)
from tests.system.conftest import Ready
from tests.system.hostfiles import private


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack of Redis alone, with data and a set that takes more room than they do now."""
    directory = tmp_path_factory.mktemp("small")
    (directory / "metrics").mkdir()
    variables = {"backup_metrics_directory": str(directory / "metrics")}
    with with_backups(directory, own("sys-backup-redis"), ["redis"], **variables) as ready:
        client = ready.stack.redis("admin")
        client.mset({f"item:{number}": number for number in range(KEYS)})
        client.set("large", os.urandom(2**21))
        ready.run("backup")
        client.delete("large")
        client.bgrewriteaof()
        yield ready


def refused(ready: Ready, verb: str = "backup") -> str:
    """Do what a timer does, see it fail loudly, and return its words."""
    code, said = scheduled(ready.stack.name, verb)
    assert code == 2, said
    last = json.loads((WORK / ready.stack.name / f"last_{verb}.json").read_text())
    assert last["verdict"] == "fail", last
    assert failed(ready, verb) == 1
    return said


def failed(ready: Ready, verb: str) -> int:
    """Return the metric that the last run by a timer left."""
    text = (ready.directory / "metrics" / f"ready_{verb}_{ready.stack.name}.prom").read_text()
    found = re.search(r"^ready_\w+_last_run_failed\{.*\} (\d)$", text, re.MULTILINE)
    assert found, text
    return int(found[1])


def sets_of(ready: Ready) -> list[dict[str, Any]]:
    """Return the snapshots of the sets that are in the repository."""
    return Workspace.of(ready.stack.name).repository().snapshots(ready.stack.name)


def test_timer(small: Ready) -> None:
    """A run that is not due is left out; outcome and metric are left."""
    name, before = small.stack.name, len(sets_of(small))
    done = runner(name, "backup")
    assert done.returncode == 0, done.stderr
    assert failed(small, "backup") == 0
    assert len(sets_of(small)) == before + 1
    done = runner(name, "backup", "--if-due", "daily")
    assert done.returncode == 0, done.stderr
    assert len(sets_of(small)) == before + 1


def on_the_host(name: str) -> dict[str, tuple[int, int, int]]:
    """Return what Ready keeps on the host for a stack's backups: path -> inode, size, time of change."""
    shared = [GIVEN, *(path for place in (GIVEN.parent, Path("/etc/cron.d")) for path in place.glob(f"*{name}*"))]
    places = [directory_of(name), WORK / name, *shared]
    paths = [path for place in places for path in (place, *place.rglob("*")) if path.exists()]
    return {str(path): (its.st_ino, its.st_size, its.st_ctime_ns) for path in paths for its in [path.stat()]}


def test_reading_verbs_read(small: Ready) -> None:
    """They turn what the timer has left (test_timer) into evidence, and change nothing on the host."""
    left = json.loads((WORK / small.stack.name / "last_backup.json").read_text())
    assert evidence(small, "backup")["finished_at"] < left["finished_at"]
    small.set(backup_schedule="monthly")  # which only `up` and `backup` set up
    try:
        before = on_the_host(small.stack.name)
        collected = small.run("report", "--collect", code=None)
        assert evidence(small, "backup")["finished_at"] == left["finished_at"]
        listed = small.run("backup", "list")
        assert left["results"]["manifest"]["id"] in listed.text
        assert (collected.changed, listed.changed) == (0, 0)
        assert on_the_host(small.stack.name) == before
    finally:
        small.set(backup_schedule=None)


def test_given_restic(small: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the distribution's is too old, as Ubuntu 22.04's, it is refused, and the one of the inventory is used."""
    given, old = tmp_path / "given", tmp_path / "bin" / "restic"
    shutil.copy(str(shutil.which("restic")), given)
    old.parent.mkdir()
    old.write_text('#!/bin/sh\n[ "$1" = version ] && echo "restic 0.12.1 compiled with go1.17.3"\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=":")
    with private(GIVEN.parent, tmp_path / "opt"):
        GIVEN.unlink(missing_ok=True)
        refusal = small.run("backup", code=2).text
        assert "restic: found 0.12.1, expected 0.14 or newer" in refusal, refusal
        small.set(backup_restic=str(given))
        small.run("backup")
        small.set(backup_restic=None)
        assert GIVEN.read_bytes() == given.read_bytes()
        before = len(sets_of(small))
        done = runner(small.stack.name, "backup")
        assert done.returncode == 0, done.stderr
        made = sets_of(small)
        assert len(made) == before + 1
        # The backup by hand brought along what is new beside the inventory.
        included = set(read_manifest(Workspace.of(small.stack.name).repository(), newest(made))["include"])
        assert {"secrets.vault", "evidence_backup.json"} <= included


def test_service_down(small: Ready) -> None:
    """No set without it, and it is named."""
    container = small.stack.container("redis")
    container.stop()
    try:
        assert "redis: found its container exited" in refused(small)
    finally:
        container.start()


def test_service_that_differs(small: Ready) -> None:
    """One that runs, and can't become healthy as the inventory has it, is named with what differs, without a wait."""

    def change(stack: dict[str, Any]) -> None:
        stack["services"]["redis"]["health"]["test"] = ["CMD", "false"]

    started = time.monotonic()
    with described(small.stack.name, change):
        said = refused(small)
    assert re.search(r"redis: found it unhealthy .* differs from the inventory in .*health", said), said
    assert time.monotonic() - started < STARTING / 4


def test_repository_unreachable(small: Ready) -> None:
    """A repository that was there and is gone is not begun again: its disk may not be mounted."""
    repository, away = small.directory / "repository", small.directory / "away"
    repository.rename(away)
    try:
        assert "there is no repository" in refused(small)
        assert not repository.exists()
    finally:
        away.rename(repository)


def test_wrong_key(small: Ready) -> None:
    """It is told from everything else."""
    key = directory_of(small.stack.name) / "key"
    right = key.read_text()
    key.write_text("another\n")
    try:
        assert "made with another key" in refused(small, "drill")
    finally:
        key.write_text(right)


def test_flipped_byte(small: Ready) -> None:
    """A backup that reads all of the repository back finds it; the drill does, where it hits the newest set."""
    settings = directory_of(small.stack.name) / "settings.json"
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
    succeeds(small.stack.name, "backup")


@contextmanager
def full_disk(small: Ready) -> Iterator[None]:
    """Let runs work on a disk that has next to no room."""
    place = WORK / small.stack.name / "staging-disk"
    settings = directory_of(small.stack.name) / "settings.json"
    kept = settings.read_text()
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", place], check=True)
    settings.write_text(json.dumps(json.loads(kept) | {"directory": str(place)}))
    try:
        yield
    finally:
        settings.write_text(kept)
        subprocess.run(["umount", place], check=True)
        place.rmdir()


def test_disk_full(small: Ready) -> None:
    """No set, no half of one, and the service goes on; nothing is restored either."""
    name, sets = small.stack.name, len(sets_of(small))
    identities, before = small.stack.identities(), redis_contents(small.stack)
    with full_disk(small):
        code, said = scheduled(name, "backup")
        assert code == 2, said
        assert "No space left" in said
        assert "Next: make room" in said
        assert failed(small, "backup") == 1
        with pytest.raises(BackupError, match=r"(?i)no space left.*Next: make room"):
            restore_set(name, None, [], "localhost", safety=False)
    assert len(sets_of(small)) == sets
    assert small.stack.identities() == identities
    assert redis_contents(small.stack) == before
    assert leftovers(name) == []


@contextmanager
def small_volume(small: Ready, size: str) -> Iterator[None]:
    """Put Redis's data on a disk of their own, of that size: its volume is a mount point meanwhile."""
    container = small.stack.container("redis")
    place = Path(docker.from_env().volumes.get(f"{small.stack.name}_redis_data").attrs["Mountpoint"])
    aside = small.directory / "data"
    container.stop()
    try:
        subprocess.run(["cp", "-a", place, aside], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
        subprocess.run(["cp", "-a", f"{aside}/.", place], check=True)
        container.start()
        small.stack.await_docker_health()
        yield
    finally:
        container.stop()
        subprocess.run(["umount", place], check=True)
        container.start()
        small.stack.await_docker_health()


def test_disk_full_while_restoring(small: Ready) -> None:
    """The old data are put back when the new ones do not fit, and the message says what to do."""
    name = small.stack.name
    wanted = set_id_of(min(sets_of(small), key=taken_at))
    small.stack.redis("admin").save()
    before = redis_contents(small.stack)
    with small_volume(small, "1m"):
        with pytest.raises(BackupError, match=r"old data were put back: .*No space left on device.*Next: make room"):
            restore_set(name, wanted, [], "localhost", safety=False)
        assert redis_contents(small.stack) == before
        assert leftovers(name) == []
        small.stack.await_docker_health()


def test_newer_set(small: Ready) -> None:
    """It is refused, with both versions, before anything is loaded."""

    def change(_: Path, part: dict[str, Any]) -> None:
        part["image"]["engine_version"] = "99.1"

    wanted = tamper(small.stack.name, {"redis": change})
    with pytest.raises(BackupError, match=r"made by version 99\.1"):
        restore_set(small.stack.name, wanted, [], "localhost", safety=False)
    assert leftovers(small.stack.name) == []


def test_clock_ran_ahead(small: Ready) -> None:
    """A set of the future would stay the newest one for ever: its drill fails, and says by how much."""

    def change(_: Path, part: dict[str, Any]) -> None:
        part["consistent_at"] = utc(time.time() + 7200)

    wanted = tamper(small.stack.name, {"redis": change})
    with pytest.raises(BackupError, match="s ahead"):
        drilled(small.stack.name, wanted)


def test_changed_file(small: Ready) -> None:
    """A file that is not what the manifest says is found before it is loaded."""
    wanted = tamper(small.stack.name, {"redis": truncate("dump.rdb")}, honest=False)
    with pytest.raises(BackupError, match=r"is damaged: redis: dump\.rdb: found"):
        drilled(small.stack.name, wanted)


def test_old_data_come_back(small: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore that is not well afterwards puts back what was there, and says so."""
    small.stack.redis().set("newer", "than the set")
    before = redis_contents(small.stack)
    monkeypatch.setattr(run, "_verify", lambda *_: {"redis": ["it does not answer"]})
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
            monkeypatch.setattr(DataSwap, "put_back", broken)
        return {"redis": ["it does not answer"]}

    monkeypatch.setattr(run, "_verify", wanting)
    with pytest.raises(BackupError, match="the daemon is gone"):
        restore_set(name, None, [], "localhost", safety=False)
    monkeypatch.undo()
    with exclusive_run(name) as (client, work):  # as every run begins
        work.heal(client)
    assert leftovers(name) == []
    small.stack.await_docker_health()
    assert redis_contents(small.stack) == before


def test_old_data_that_are_gone(small: Ready) -> None:
    """Without the volume that keeps the old data nothing is put back, and nothing is emptied."""
    name = small.stack.name
    before = redis_contents(small.stack)
    Workspace.of(name).journal.note(swapping=["redis"], stopped=["redis"])
    try:
        assert f"found no volume {name}.restore_redis_aside" in refused(small)
    finally:
        Workspace.of(name).journal.clear()
    assert redis_contents(small.stack) == before
    assert leftovers(name) == []


def test_old_data_come_back_without_a_container(small: Ready) -> None:
    """A restore that was killed half way, and a `destroy` after it: an image is enough to put the old data back."""
    name, before = small.stack.name, redis_contents(small.stack)
    with exclusive_run(name) as (client, work):
        container = client.containers.get(str(small.stack.container("redis").name))
        image, real = str(container.attrs["Image"]), work.stack["services"]["redis"]["volumes"][0]["name"]
        work.journal.note(stopped=["redis"])
        container.stop()
        DataSwap(client, work).save_old_data("redis", image)
        wreck = ["sh", "-ec", "find /data -mindepth 1 -delete"]
        run_helper(create_helper(client, image, wreck, {"/data": real}, f"{name}.restore"), "half of a restore")
    small.run("destroy", "--yes")
    said = small.run("restore", "--yes", code=2)
    assert f"Next: ./ready up -i {small.inventory}, then again" in said.out + said.err, said.out + said.err
    small.run("up")
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
        added.remove(force=True, v=True)


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


def test_settings_of_a_running_redis(small: Ready) -> None:
    """A set has neither CONFIG SET nor ACL SETUSER, and says so; of a Redis as it was started it says nothing."""
    admin = small.stack.redis("admin")
    plain = make_set(small.stack.name, "", "localhost", "")["warnings"]
    assert not [line for line in plain if line.startswith("redis")], plain
    policy = str(admin.config_get("maxmemory-policy")["maxmemory-policy"])
    save = str(admin.config_get("save")["save"])
    admin.config_set("maxmemory-policy", "allkeys-lru")
    admin.config_set("save", "")
    admin.acl_setuser("alice", enabled=True, nopass=True, keys="a:*", commands=["+get"])
    try:
        lines = make_set(small.stack.name, "", "localhost", "")["warnings"]
    finally:
        admin.config_set("maxmemory-policy", policy)
        admin.config_set("save", save)
        admin.acl_deluser("alice")
    assert any(line.startswith("redis: CONFIG SET has changed maxmemory-policy, save:") for line in lines), lines
    assert any(line.startswith("redis: ACL SETUSER or DELUSER has changed alice:") for line in lines), lines


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
        assert time.monotonic() < deadline, "it never came to where it is to be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert leftovers(name) != []
    succeeds(name, "drill")
    assert leftovers(name) == []
    small.stack.await_docker_health()
    assert small.stack.redis().get("item:7") == "7"


def in_the_middle(name: str, verb: str) -> bool:
    """Return whether a run is where it hurts: in scratch for a drill, between old and new data for a restore."""
    if verb == "drill":
        return bool(docker.from_env().containers.list(filters={"label": f"io.ready.stack={name}.drill"}))
    return bool(Workspace.of(name).journal.read().get("swapping"))
