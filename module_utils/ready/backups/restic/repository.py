# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Call restic (0.14 or newer): its key is in a file, other credentials are in its environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..manifest import BackupError
from .errors import NoRepositoryError, restic_error

#: Where role `backup` puts the restic that the inventory names.
GIVEN = Path("/opt/ready/backup/restic")
TAG = "ready-set"
#: Of snapshots that hold WAL of PostgreSQL.
TAG_WAL = "ready-wal"
#: Of sets that a verb or a timer was asked for; the others are safety sets, which a change of data makes first.
TAG_REGULAR = "kind=regular"
#: How many of the newest safety sets are kept, whenever they were made: two of a day are two ways back.
SAFETY_KEPT = 5
#: The oldest restic that is known to do.
OLDEST = (0, 14)
#: Periods of `retention` -> restic's option.
PERIODS = {"last": "--keep-last", "hourly": "--keep-hourly", "daily": "--keep-daily", "weekly": "--keep-weekly",
           "monthly": "--keep-monthly"}  # fmt: skip


def set_tags(manifest: Mapping[str, Any]) -> list[str]:
    """Return the tags of a set's snapshot."""
    return [
        TAG,
        f"set={manifest['id']}",
        f"stack={manifest['stack']}",
        f"level={manifest['level']}",
        *(f"service={name}" for name in manifest["parts"]),
        "safety" if manifest.get("safety") else TAG_REGULAR,
        *(part["base"]["tag"] for part in manifest["parts"].values() if "base" in part),
    ]


def retention_arguments(retention: Mapping[str, int]) -> list[str]:
    """Return restic's options for a retention; raises BackupError for one that keeps nothing."""
    unknown = sorted(set(retention) - set(PERIODS))
    if unknown:
        raise BackupError(f"backup_retention: found {', '.join(unknown)}, expected some of {', '.join(PERIODS)}")
    kept = [f"{PERIODS[period]}={int(count)}" for period, count in retention.items() if int(count) > 0]
    if not kept:
        raise BackupError("backup_retention: found nothing to keep, expected at least one period with a count above 0")
    return kept


def program() -> str | None:
    """Return the path of the restic to use: the given one, else the distribution's; None when there is none."""
    return str(GIVEN) if GIVEN.is_file() else shutil.which("restic")


def version_fault(text: str) -> str:
    """Return why a restic can't be used, from what `restic version` prints; empty when it can."""
    found = re.search(r"restic (\d+)\.(\d+)\S*", text)
    if found and (int(found[1]), int(found[2])) >= OLDEST:
        return ""
    return (
        f"restic: found {found[0].removeprefix('restic ') if found else repr(text.strip()[:80])}, expected "
        f"{'.'.join(map(str, OLDEST))} or newer. No settings were written. Next: download one of restic's releases, "
        "check it, and name the unpacked file in backup_restic"
    )


def taken_at(snapshot: Mapping[str, Any]) -> datetime:
    """Return when a snapshot was made; restic writes the local time of the host, with its offset and nanoseconds."""
    text = re.sub(r"(\.\d{1,6})\d*", lambda found: found[1].ljust(7, "0"), str(snapshot["time"]))
    return datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text)).astimezone(timezone.utc)


def newest(snapshots: Sequence[Mapping[str, Any]], set_id: str | None = None) -> Mapping[str, Any]:
    """Return the snapshot of a set, by its name or the newest one. Raises BackupError."""
    sets = sorted(snapshots, key=taken_at)
    if set_id:
        sets = [item for item in sets if set_id_of(item) == set_id]
    else:
        sets = [item for item in sets if "safety" not in item["tags"]]
    if not sets:
        what = f"no set {set_id}" if set_id else "no set"
        raise BackupError(f"found {what} in the repository. Next: ./ready backup list shows what is there")
    return sets[-1]


def tag_value(snapshot: Mapping[str, Any], key: str) -> str:
    """Return what a snapshot's tag key=value says; empty when it has none."""
    return next((tag.partition("=")[2] for tag in snapshot.get("tags") or [] if tag.startswith(f"{key}=")), "")


def set_id_of(snapshot: Mapping[str, Any]) -> str:
    """Return the set's name from a snapshot's tags."""
    return tag_value(snapshot, "set")


def newest_first(snapshots: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return snapshots by their time."""
    return sorted(snapshots, key=taken_at, reverse=True)


def same_disk(repository: str, data: Path) -> bool:
    """Return whether a local repository lies on the disk that holds the data."""
    if re.match(r"[a-z0-9]{2,}:", repository):
        return False
    place = Path(repository)
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return place.stat().st_dev == data.stat().st_dev
    except OSError:
        return False


@dataclass
class Repository:
    """A restic repository.

    Attributes:
        location: what restic calls it: a path, sftp:…, s3:…, rest:….
        key_file: the file with its key; None where `key` is given.
        cache: directory for restic's cache; None for none.
        environment: credentials of the backend, such as AWS_ACCESS_KEY_ID.
        key: the key itself, where nothing may be written.
    """

    location: str
    key_file: Path | None
    cache: Path | None
    environment: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default="", repr=False)

    @contextmanager
    def _key(self) -> Iterator[tuple[str, list[int]]]:
        """Give the path by which restic reads the key, and the descriptors that it needs for that."""
        if self.key_file:
            yield str(self.key_file), []
            return
        memory = os.memfd_create("key")  # a file without a place on any disk
        try:
            os.write(memory, f"{self.key}\n".encode())
            yield f"/proc/self/fd/{memory}", [memory]
        finally:
            os.close(memory)

    def run(self, *words: str, timeout: float | None = None) -> str:
        """Return what restic prints. Raises BackupError with its words unless it exits with 0."""
        found = program()
        if found is None:
            raise BackupError("restic is not installed on this host. Next: ./ready backup installs it")
        cache = ["--cache-dir", str(self.cache)] if self.cache else ["--no-cache"]
        command = [found, *cache, "--quiet", *words]
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": os.environ.get("HOME", "/root"),
            "RESTIC_REPOSITORY": self.location,  # an address may hold a password: never in argv
            "RESTIC_PROGRESS_FPS": "0",
            **self.environment,
        }
        try:
            with self._key() as (path, descriptors):
                environment |= {"RESTIC_PASSWORD_FILE": path}
                done = subprocess.run(  # noqa: S603  # our own words, no shell
                    command,
                    capture_output=True,
                    text=True,
                    env=environment,
                    check=False,
                    timeout=timeout,
                    pass_fds=descriptors,
                )
        except subprocess.TimeoutExpired as late:
            raise BackupError(f"restic {words[0]}: no end within {timeout:g} s. Is the repository reachable?") from late
        if done.returncode != 0:
            raise restic_error(words[0], done.stderr or done.stdout, done.returncode)
        return done.stdout

    def ensure(self, known: bool) -> bool:
        """Make the repository if there is none, and return whether it was made.

        Args:
            known: whether it was there before: then a missing one is a fault (a disk that is not mounted), not a reason
                to begin a new one.
        """
        try:
            self.run("cat", "config")
        except NoRepositoryError:
            if known:
                raise
            self.run("init")
            return True
        return False

    def snapshots(self, stack: str, tag: str = TAG) -> list[dict[str, Any]]:
        """Return the snapshots of a stack's sets, or of its WAL."""
        found = json.loads(self.run("snapshots", "--json", "--no-lock", "--tag", f"{tag},stack={stack}") or "null")
        return found or []

    def save(self, directory: Path, manifest: Mapping[str, Any], host: str) -> None:
        """Save a directory as one snapshot; half of one, when this raises, is for `discard`."""
        tags = [word for tag in set_tags(manifest) for word in ("--tag", tag)]
        self.run("backup", "--host", host, *tags, str(directory))

    def discard(self, stack: str, mark: str, kind: str = TAG) -> None:
        """Forget what could not be saved whole: restic leaves a snapshot of what it could read (exit code 3).

        Args:
            stack: the stack's name.
            mark: the tag that no other snapshot of its kind has.
            kind: TAG or TAG_WAL.
        """
        halves = [str(item["id"]) for item in self.snapshots(stack, kind) if mark in item["tags"]]
        if halves:
            self.run("forget", *halves)

    def save_wal(self, directory: Path, stack: str, host: str, as_of: float) -> None:
        """Save a directory with all WAL up to a time (epoch seconds) as one snapshot."""
        tags = [word for tag in (TAG_WAL, f"stack={stack}", f"as_of={int(as_of)}") for word in ("--tag", tag)]
        self.run("backup", "--host", host, *tags, str(directory))

    def fetch(self, snapshot: Mapping[str, Any], directory: Path, names: Sequence[str] = ()) -> Path:
        """Restore a snapshot below `directory` (only some of its files), and return where its files are."""
        source = str(snapshot["paths"][0])
        chosen = [word for name in names for word in ("--include", f"{source}/{name}")]
        self.run("restore", str(snapshot["id"]), "--target", str(directory), "--no-lock", *chosen)
        return directory / source.lstrip("/")

    def read(self, snapshot: Mapping[str, Any], name: str) -> str:
        """Return a file of a snapshot."""
        return self.run("dump", "--no-lock", str(snapshot["id"]), f"{snapshot['paths'][0]}/{name}")

    def forget(self, stack: str, retention: Mapping[str, int]) -> None:
        """Remove sets that the retention does not keep, and what only they used; safety sets are counted apart."""
        safety = {**retention, "last": max(SAFETY_KEPT, int(retention.get("last", 0)))}
        for tag, kept in ((TAG_REGULAR, retention_arguments(retention)), ("safety", retention_arguments(safety))):
            self.run("forget", "--group-by", "host", "--tag", f"{TAG},stack={stack},{tag}", "--prune", *kept)

    def forget_these(self, ids: Sequence[str]) -> None:
        """Remove snapshots, and what only they used."""
        self.run("forget", "--prune", *ids)

    def check(self, subset: str) -> None:
        """Check the structure, and read that share of the data: a flipped byte is found by reading alone."""
        self.run("check", "--no-lock", *(["--read-data"] if subset == "100%" else [f"--read-data-subset={subset}"]))

    def size(self) -> int:
        """Return the bytes that the repository holds."""
        return int(json.loads(self.run("stats", "--no-lock", "--json", "--mode", "raw-data"))["total_size"])
