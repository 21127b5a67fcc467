# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recover PostgreSQL to a point in time in scratch: a base backup from a set, and the WAL since it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError

from ...common.output_excerpt import excerpt
from ...common.verdict import FAIL, PASS
from ...services.postgresql.backup import PostgreSQLLoad
from ..backup import running_images
from ..base import Content, Load
from ..container_files import execute, put_archive, put_file
from ..helper_containers import LONG, create_helper, run_helper
from ..manifest import BackupError, utc, version
from ..scratch_containers import TRANSFER, Scratch
from ..service_proof import choose_image, prove
from . import wal
from .base_backup import BASE
from .closed_databases import read_databases, set_flags
from .databases import from_manifest, still_opened

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

    from ..workspace import Workspace

LATEST = "latest"
#: Seconds that what was committed last may be old: the promise (RPO) of receiving WAL all the time.
RPO_SECONDS = 60.0
SERVICE = "postgresql"
_FETCH = "recover.sh"
#: restore_command: whole segments before partial ones, those on the host before those of the repository.
_FETCH_SCRIPT = f"""
set -u
for source in {wal.MOUNT}/"$1".*/"$2" {TRANSFER}/"$2" \\
  {wal.MOUNT}/"$1".*/"$2{wal.PARTIAL}" {TRANSFER}/"$2{wal.PARTIAL}"; do
  if [ -f "$source" ]; then exec cp "$source" "$3"; fi
done
case $2 in *.history)
  for source in {wal.MOUNT}/"${{1%-*}}"-*/"$2"; do
    if [ -f "$source" ]; then exec cp "$source" "$3"; fi
  done ;;
esac
exit 1
"""
_ENDED = re.compile(r"last completed transaction was at log time (\S+ \S+)")
_NOT_REACHED = "recovery ended before configured recovery target was reached"


def parse_target(text: str, now: float) -> float | None:
    """Return a wanted time as epoch seconds; None for "latest". Raises BackupError for what is neither.

    A time without a zone could be meant in two ways, so it is refused.
    """
    if text.strip().lower() == LATEST:
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise BackupError(
            f"--to: found {text!r}, expected a time with its zone, such as 2026-11-25T01:02:03Z, or {LATEST}. "
            "Nothing was changed"
        )
    if moment.timestamp() > now:
        raise BackupError(f"--to: {text} is still to come: it is {utc(now)}. Nothing was changed")
    return moment.timestamp()


def choose_base(found: Sequence[wal.BaseBackup], target: float | None) -> wal.BaseBackup:
    """Return the newest base backup from before a time; None is the newest one. Raises BackupError."""
    if not found:
        raise BackupError(
            "no set in the repository holds a base backup, so no time can be chosen: backup_pitr was never on when one "
            "was made. Nothing was changed. Next: ./ready restore without --to puts a set in place"
        )
    fitting = [base for base in found if target is None or base.finished <= target]
    if not fitting:
        raise BackupError(
            f"--to: {utc(target or 0)} is before the oldest base backup, which is of {utc(found[0].finished)} (set "
            f"{found[0].set}). Nothing was changed. Next: choose a later time, or a set: ./ready backup list"
        )
    return fitting[-1]


def refuse_late(base: wal.BaseBackup, archive: wal.Archive, target: float | None, as_of: float) -> None:
    """Raise BackupError when a wanted time lies after the newest WAL of the base backup's history.

    Args:
        base: the base backup.
        archive: what the receiver keeps.
        target: the time; None never is too late.
        as_of: up to when the repository has WAL.
    """
    written = [file.written for file in wal.of_history(archive, base.history).values()]
    newest = max([*written, as_of, base.finished])
    # Files tell the second in which they were written; replaying says it exactly.
    if target is not None and target > newest + 1:
        raise BackupError(
            f"--to: {utc(target)} is after the newest WAL of that history, which is of {utc(newest)} (base backup in "
            f"set {base.set}). Nothing was changed. Next: choose an earlier time, or --to {LATEST}"
        )


def refuse_image(part: Mapping[str, Any], here: Mapping[str, Any], base: wal.BaseBackup) -> None:
    """Raise BackupError unless the image that runs here reads the files of a base backup."""
    made = part["image"]
    theirs, ours = (version(str(its["engine_version"]))[:1] for its in (made, here))
    if theirs != ours or made["data_format"] != here["data_format"]:
        raise BackupError(
            f"postgresql: the base backup in set {base.set} is of version {made['engine_version']} "
            f"({made['data_format']}), this stack runs {here['engine_version']} ({here['data_format']}), which does "
            "not read its files. Nothing was changed. Next: ./ready restore --set SET puts its dump in place"
        )


@dataclass
class RecoveryPoint:
    """What a recovery goes by.

    Attributes:
        target: the wanted time (epoch seconds); None is the latest.
        base: the base backup that it begins from.
        archive: what the receiver keeps.
        refused: why the time can't be reached, which replaying has shown.
    """

    target: float | None
    base: wal.BaseBackup
    archive: wal.Archive
    refused: str = ""


def plan(
    client: DockerClient, work: Workspace, to: str, only: Sequence[str], set_id: str | None = None
) -> RecoveryPoint:
    """Return from what a time will be recovered. Raises BackupError when it can't be; changes nothing."""
    if list(only) != [SERVICE]:
        raise BackupError(
            f"--to: only PostgreSQL can go to a time of its own; found {', '.join(only) or 'all services'}, expected "
            f"--only {SERVICE}. Nothing was changed"
        )
    if set_id:
        raise BackupError(
            "--to: found --set as well, expected one of them: the time says which set. Nothing was changed"
        )
    target = parse_target(to, time.time())
    repository = work.repository()
    base = choose_base(wal.bases(repository.snapshots(work.settings["set_stack"])), target)
    archive = wal.read_archive(client, work.stack)
    refuse_late(base, archive, target, wal.saved_until(work))
    return RecoveryPoint(target, base, archive)


class PointInTimeLoad(PostgreSQLLoad):
    """A cluster made of a base backup and WAL. What is in it nobody has promised: it is asked whether it is sound."""

    point: RecoveryPoint
    segments: Mapping[str, Path]  #: WAL from the repository
    replayed_at: float = 0.0  #: when it had been replayed (epoch seconds)
    reached: float = 0.0  #: when the last transaction that is in it was committed (epoch seconds)
    rows = 0

    def load(self) -> None:
        """Unpack and verify the base backup, replay, and set the accounts as this inventory says."""
        scratch, stack = self.scratch, self.scratch.scratch.stack
        user, login = scratch.service["image"]["user"], scratch.service["accounts"]["admin"]["login"]
        data, volume = scratch.service["volumes"][0]["path"], wal.volume_of(stack)
        scratch.configure({_FETCH: _FETCH_SCRIPT.encode()})
        command = f"sh /run/ready/{_FETCH} {self.point.base.history} %f %p"
        settings = {"restore_command": command, "recovery_target_timeline": "current", "hot_standby": "off"}
        if self.point.target is not None:
            at = datetime.fromtimestamp(self.point.target, timezone.utc)
            settings |= {"recovery_target_time": f"{at:%Y-%m-%d %H:%M:%S.%f}+00", "recovery_target_action": "promote"}
        arguments = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        container = scratch.create(arguments, mounts={wal.MOUNT: volume} if volume else {})
        put_archive(container, data, self.directory / BASE)
        # pg_basebackup writes its manifest into the tar as root's.
        own = f"chown -R {user} {data} && chmod 700 {data}"
        verify = f": > {data}/recovery.signal && pg_verifybackup --quiet --ignore=recovery.signal {data} && {own}"
        checker = create_helper(
            scratch.client, scratch.image, ["sh", "-ec", verify], {data: scratch.data}, scratch.scratch.label
        )
        run_helper(checker, "postgresql: pg_verifybackup")
        for name, path in self.segments.items():
            put_file(container, TRANSFER, path, name, user)
        container.start()
        self._replayed(container, login)
        scratch.start(reconcile=True)
        opened = still_opened(from_manifest(self.part), read_databases(container, login))
        set_flags(container, login, opened)

    def _replayed(self, container: Container, login: str) -> None:
        """Wait until it has been replayed, and note up to when. Raises BackupError."""
        ask = ["psql", "-XAtwq", "-U", login, "-d", "postgres", "-c"]
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            container.reload()
            if container.status != "running":
                raise BackupError(self._why(container))
            with suppress(BackupError, APIError):  # until then it takes no connection
                if execute(container, [*ask, "SELECT pg_is_in_recovery()"]).strip() == "f":
                    self.replayed_at = time.time()
                    text = "SELECT extract(epoch FROM pg_last_xact_replay_timestamp())"
                    seconds = execute(container, [*ask, text]).strip()
                    self.reached = float(seconds) if seconds else self.point.base.finished
                    return
            time.sleep(0.5)
        raise BackupError("postgresql: replaying its WAL did not end")

    def _why(self, container: Container) -> str:
        """Return why the server has ended instead of coming up."""
        text = container.logs(tail=40).decode(errors="replace")
        if _NOT_REACHED in text and self.point.target is not None:
            ended = _ENDED.findall(text)
            newest = f"the last transaction there is of {ended[-1]}" if ended else "it has no transaction"
            self.point.refused = (
                f"--to: {utc(self.point.target)} is after the end of the WAL: {newest}. Nothing was changed. "
                f"Next: choose an earlier time, or --to {LATEST}"
            )
            return self.point.refused
        return f"postgresql: replaying its WAL failed: {excerpt(text)}"

    def promised(self) -> Content:
        """Return nothing: no manifest tells what a chosen time held."""
        return {}

    def fingerprint(self) -> Content:
        """Read every row, and keep their number."""
        self.rows = self.things_of(super().fingerprint())
        return {}

    @staticmethod
    def things_of(content: Content) -> int:
        """Return the number of rows."""
        return sum(content["counts"].values())

    def integrity(self) -> list[str]:
        """Name what has verified it as well, instead of pg_restore."""
        return ["pg_verifybackup", "replay of WAL", *super().integrity()[1:]]


def _prove(
    client: DockerClient,
    scratch: Scratch,
    point: RecoveryPoint,
    part: Mapping[str, Any],
    directory: Path,
    segments: Mapping[str, Path],
) -> tuple[PointInTimeLoad, dict[str, Any]]:
    here = running_images(client, scratch.stack)[SERVICE]
    refuse_image(part, here, point.base)
    service = scratch.service(SERVICE)
    service.image, how = choose_image(client, part, here)
    load = PointInTimeLoad(service, part, directory)
    load.point, load.segments = point, segments
    return load, {"image": how} | prove(load) | {"things": load.rows}


def _base(part: Mapping[str, Any], set_name: str) -> wal.BaseBackup:
    its = part["base"]
    return wal.BaseBackup(float(its["finished"]), float(its["started"]), its["system"], its["segment"], set_name)


def prove_point(
    client: DockerClient,
    scratch: Scratch,
    work: Workspace,
    point: RecoveryPoint,
    manifest: Mapping[str, Any],
    directory: Path,
) -> tuple[dict[str, PointInTimeLoad], dict[str, dict[str, Any]]]:
    """Recover into scratch and ask it; return the load, still running, and its outcome. Raises BackupError.

    WAL comes from the host, and from the repository as well where the host's has a gap or is not there.
    """
    here = wal.of_history(point.archive, point.base.history)
    segments: dict[str, Path] = {}
    if wal.gap_fault(point.base.segment, here, wal.segment_size(here)):
        segments = wal.fetch(work, point.base, work.fetched / "wal")
    part = manifest["parts"][SERVICE]
    load, outcome = _prove(client, scratch, point, part, directory / SERVICE, segments)
    return {SERVICE: load}, {SERVICE: outcome}


def recovery_evidence(loads: Mapping[str, Load]) -> dict[str, Any]:
    """Return what evidence says of a recovery."""
    load = loads[SERVICE]
    if not isinstance(load, PointInTimeLoad):
        raise TypeError(type(load))
    point = load.point
    return {
        "wanted": utc(point.target) if point.target is not None else LATEST,
        "reached": utc(load.reached),
        "base_set": point.base.set,
        "base_finished_at": utc(point.base.finished),
    }


def rehearse(
    client: DockerClient, work: Workspace, manifest: Mapping[str, Any], directory: Path
) -> dict[str, Any] | None:
    """Replay all WAL since a set's base backup in scratch, and return how old the newest commit in it is.

    None for a set without PostgreSQL.

    Args:
        client: a connected client.
        work: the stack's place on this host.
        manifest: the set's.
        directory: where its files are.
    """
    if SERVICE not in manifest["parts"]:
        return None
    started, part = time.monotonic(), manifest["parts"][SERVICE]
    found: dict[str, Any] = {"verdict": PASS, "faults": [], "seconds": 0.0, "objective_seconds": RPO_SECONDS}
    if "base" not in part:
        fault = f"found no base backup in set {manifest['id']}, which was made before backup_pitr. Next: ./ready backup"
        return found | {"verdict": FAIL, "faults": [fault]}
    base = _base(part, manifest["id"])
    point = RecoveryPoint(None, base, wal.read_archive(client, work.stack))
    here = wal.of_history(point.archive, base.history)
    saved = wal.fetch(work, base, work.fetched / "wal")
    size = wal.segment_size(here)
    for where, names in (("on the host", here), ("in the repository", saved)):
        if fault := wal.gap_fault(base.segment, names, size):
            found["faults"].append(f"{where}: {fault}")
    with Scratch(client, work.stack, "drill") as scratch:
        load, outcome = _prove(client, scratch, point, part, directory / SERVICE, saved)
    found["faults"] += outcome["faults"]
    if load.replayed_at:
        found |= {"reached": utc(load.reached), "rpo_seconds": round(load.replayed_at - load.reached, 1)}
        if fault := commit_age_fault(found["rpo_seconds"]):
            found["faults"].append(fault)
    as_of = wal.saved_until(work)
    found["repository_rpo_seconds"] = round(time.time() - as_of, 1)
    found |= {key: outcome[key] for key in ("image", "asked", "logins", "things")}
    found["base_finished_at"], found["segments"] = (
        utc(base.finished),
        len(wal.contiguous_segments(base.segment, here, size)),
    )
    found["seconds"] = round(time.monotonic() - started, 2)
    return found | {"verdict": FAIL if found["faults"] else PASS}


def commit_age_fault(age: float) -> str:
    """Return what is wrong with the age (seconds) of the newest commit that can be replayed; empty when nothing."""
    if age < -RPO_SECONDS:
        return f"the newest commit is dated {-age:.0f} s ahead of this host's clock. Next: is it right (timedatectl)?"
    if age <= RPO_SECONDS:
        return ""
    return (
        f"the newest commit that can be replayed is {age:.0f} s old, expected at most {RPO_SECONDS:.0f} s. Next: "
        "./ready logs --service wal; after a restore ./ready backup, since a new history needs a base backup"
    )
