# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redis: a snapshot file that Redis itself says it has written, counted by a second Redis that was started on it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import redis

from ...backups.base import Content, Dump, Load
from ...backups.container_files import get_file, put_file
from ...backups.helper_containers import create_helper, run_helper
from ...backups.manifest import BackupError
from ...backups.scratch_containers import TRANSFER, ScratchService
from . import unsaved_settings
from .probe import RedisProbe

FILE = "dump.rdb"
#: Milliseconds after which Redis lets writers go on by itself, should this run die.
PAUSE_MS = 60_000
SAMPLES = 20
PAGE = 1000
#: Seconds that a snapshot or rewrite may take.
WRITING = 1800
#: On a snapshot alone, and as a replica of nobody: a master would drop keys that have expired since, and the count with
#: them. DEBUG DIGEST needs its switch.
ON_SNAPSHOT = [
    "--appendonly", "no", "--save", "", "--replicaof", "127.0.0.1", "1", "--enable-debug-command", "yes",
]  # fmt: skip
#: What CONFIG GET calls those, and their old name.
DIFFERENT = ("appendonly", "save", "replicaof", "slaveof", "enable-debug-command")


def keys(info: Mapping[str, Any]) -> dict[str, int]:
    """Return what INFO keyspace counts, by database: keys, and those of them that expire."""
    return {f"{db}.{kind}": int(values[kind]) for db, values in info.items() for kind in ("keys", "expires")}


def fingerprint(probe: RedisProbe, wanted: Sequence[Mapping[str, Any]] | None) -> Content:
    """Return counts, Redis's own digest of all data, and keys with their type and expiry.

    Args:
        probe: the driver's side of a Redis that was started on a snapshot alone.
        wanted: the samples to look for again; None chooses some by their hash, the same ones for the same keys.
    """
    samples: dict[str, dict[str, Any]] = {}
    with probe.connect("admin") as client:
        counts = keys(client.info("keyspace"))
        digest = str(client.execute_command("DEBUG DIGEST"))
        for db in sorted({int(name[2:].partition(".")[0]) for name in counts}):
            with _raw(client, db) as raw:
                hashes = {
                    hashlib.sha256(f"{db}:".encode() + bytes(key)).hexdigest()[:16]: key
                    for key in raw.scan_iter(count=PAGE)
                }
                chosen = sorted(hashes)[:SAMPLES] if wanted is None else [item["key"] for item in wanted]
                for name in (name for name in chosen if name in hashes):
                    expiry = int(raw.execute_command("PEXPIRETIME", hashes[name]))
                    kind = bytes(raw.type(hashes[name])).decode()
                    samples[name] = {"key": name, "type": kind, "expires_at_ms": expiry}
    return {
        "counts": counts,
        "checksums": {"digest": digest},
        "names": {},
        "samples": [samples[name] for name in sorted(samples)],
    }


def _raw(client: redis.Redis, db: int) -> redis.Redis:
    """Return a client like this one for a numbered database; keys are bytes, whatever they are."""
    pool = client.connection_pool
    options = {**pool.connection_kwargs, "db": db, "decode_responses": False}
    return redis.Redis(connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options))


def still_there(expected: Content, now_ms: float) -> Content:
    """Return what a set promises now: samples whose time has passed are no longer asked for."""
    samples = [item for item in expected["samples"] if item["expires_at_ms"] < 0 or item["expires_at_ms"] > now_ms]
    return {**expected, "samples": samples}


def scratch_probe(scratch: ScratchService) -> RedisProbe:
    """Return the driver's side of a scratch Redis."""
    probe = scratch.probe()
    if not isinstance(probe, RedisProbe):
        raise TypeError(type(probe))
    return probe


def start_on_snapshot(scratch: ScratchService, path: Path) -> None:
    """Check a snapshot file with Redis's own tool, and start on it."""
    user = scratch.service["image"]["user"]
    checker = create_helper(
        scratch.client,
        scratch.image,
        ["redis-check-rdb", f"{TRANSFER}/{FILE}"],
        {TRANSFER: scratch.transfer},
        scratch.scratch.label,
    )
    put_file(checker, TRANSFER, path, FILE, user)
    run_helper(checker, "redis: redis-check-rdb")
    scratch.configure()
    container = scratch.create(ON_SNAPSHOT)
    put_file(container, scratch.service["volumes"][0]["path"], path, FILE, user)
    scratch.start(reconcile=False)


class RedisDump(Dump):
    """BGSAVE forks at once: the state is that of this moment, and the file follows."""

    probe: RedisProbe

    def prepare(self) -> None:
        """Let a snapshot that is being written end; count."""
        with self.probe.connect("backup") as client:
            self._await(client)
            self.live = sum(value for name, value in keys(client.info("keyspace")).items() if name.endswith(".keys"))
        self.paused = False

    def _await(self, client: redis.Redis) -> dict[str, Any]:
        deadline = time.monotonic() + WRITING
        while (info := client.info("persistence"))["rdb_bgsave_in_progress"] or info["aof_rewrite_in_progress"]:
            if time.monotonic() > deadline:
                raise BackupError(f"redis: a snapshot has been written for {WRITING} s, expected it to end")
            time.sleep(0.1)
        return dict(info)

    def fence(self) -> None:
        """Let writers wait; Redis ends that by itself if nobody does."""
        with self.probe.connect("backup") as client:
            client.execute_command("CLIENT PAUSE", PAUSE_MS, "WRITE")
            self.paused = True
            self.live = sum(value for name, value in keys(client.info("keyspace")).items() if name.endswith(".keys"))

    def mark(self) -> None:
        """Begin the snapshot."""
        deadline = time.monotonic() + (PAUSE_MS / 2000 if self.paused else WRITING)
        with self.probe.connect("backup") as client:
            while not self._begin(client):
                if time.monotonic() > deadline:
                    raise BackupError("redis: another snapshot is being written all the time, expected it to end")
                time.sleep(0.1)
        super().mark()

    def _begin(self, client: redis.Redis) -> bool:
        """Begin a snapshot; return False while one of Redis's own, or a rewrite, is being written."""
        self.saves = int(client.info("persistence")["rdb_saves"])
        try:
            client.bgsave()
        except redis.ResponseError as error:
            if "in progress" not in str(error):
                raise
            return False
        return True

    def release(self) -> None:
        """Let writers go on."""
        if self.paused:
            with self.probe.connect("backup") as client:
                client.execute_command("CLIENT UNPAUSE")
            self.paused = False

    def write(self, directory: Path) -> None:
        """Wait until Redis says that it is written, take the file, and start a second Redis on it."""
        with self.probe.connect("backup") as client:
            info = self._await(client)
            if info["rdb_last_bgsave_status"] != "ok" or int(info["rdb_saves"]) <= self.saves:
                raise BackupError(
                    f"redis: BGSAVE: found {info['rdb_last_bgsave_status']}, {info['rdb_saves']} snapshots since its "
                    f"start, expected ok and more than {self.saves}. Next: ./ready logs --service redis"
                )
            where = client.config_get("dir")["dir"], client.config_get("dbfilename")["dbfilename"]
        get_file(self.container, "/".join(where), directory / FILE)
        self.outcome.files.append(FILE)
        scratch = self.scratch.service(self.name)
        start_on_snapshot(scratch, directory / FILE)
        self.outcome.content = fingerprint(scratch_probe(scratch), None)
        self.outcome.warnings += self._unkept(scratch_probe(scratch), scratch.files["redis.conf"][1].decode())
        scratch.remove()

    def _unkept(self, fresh: RedisProbe, file: str) -> list[str]:
        """Return lines about what was changed in the service since its start, by a server on the same files."""
        with self.probe.connect("admin") as one, fresh.connect("admin") as two:
            live = one.config_get("*")
            settings = unsaved_settings.changed_settings(live, two.config_get("*"), DIFFERENT)
            settings = sorted([*settings, *unsaved_settings.changed_persistence(live, file)])
            return unsaved_settings.unsaved_warnings(
                settings, unsaved_settings.changed_users(one.acl_list(), two.acl_list())
            )

    def close(self) -> None:
        """Let writers go on, whatever happened."""
        self.release()

    @classmethod
    def things(cls, content: Content) -> int:
        """Return the number of keys."""
        return sum(value for name, value in content["counts"].items() if name.endswith(".keys"))


class RedisLoad(Load):
    """A snapshot is loaded with the append-only file off: with it on and empty, Redis would start with nothing."""

    def load(self) -> None:
        """Start on the snapshot."""
        start_on_snapshot(self.scratch, self.directory / FILE)

    def integrity(self) -> list[str]:
        """Name what `load` asked already."""
        return ["redis-check-rdb"]

    def fingerprint(self) -> Content:
        """Count, and let Redis compute its digest."""
        return fingerprint(scratch_probe(self.scratch), self.promised()["samples"])

    def promised(self) -> Content:
        """Leave out samples whose time has passed since."""
        return still_there(super().promised(), time.time() * 1000)

    def logins(self) -> int:
        """Ask as every account."""
        accounts = self.scratch.service["accounts"]
        for account in accounts:
            with scratch_probe(self.scratch).connect(account) as client:
                client.ping()
        return len(accounts)

    def settle(self) -> None:
        """Have the append-only file written of what is loaded, where the service uses one."""
        if str(self.scratch.service["settings"].get("appendonly")) == "yes":
            with scratch_probe(self.scratch).connect("admin") as client:
                client.config_set("appendonly", "yes")
                deadline = time.monotonic() + WRITING
                while (info := client.info("persistence"))["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"]:
                    if time.monotonic() > deadline:
                        raise BackupError(f"redis: the append-only file was not written within {WRITING} s")
                    time.sleep(0.1)
                if info["aof_last_bgrewrite_status"] != "ok":
                    raise BackupError("redis: the append-only file could not be written; is the disk full?")
        super().settle()
