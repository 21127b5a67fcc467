# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep, ship and prune PostgreSQL's WAL, and find out which of it belongs together.

The sidecar `wal` writes segments into directories <system identifier>-<timeline>.<number>, one for each history of the
data (roles/backup/templates/receive.sh.j2).
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import NotFound

from ...common.labels import LABEL_STACK
from ..container_files import get_file
from ..helper_containers import create_helper, run_helper
from ..manifest import BackupError
from ..restic.repository import TAG_WAL, newest_first, set_id_of, tag_value

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

    from ..workspace import Workspace

#: Name of the sidecar, and where others than itself have its volume.
SIDECAR, MOUNT = "wal", "/wal"
PARTIAL = ".partial"
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(?:\.partial)?")
_HISTORY_FILE = re.compile(r"[0-9A-F]{8}\.history")
_DIRECTORY = re.compile(r"(\d+-\d+)\.\d+")
#: Bytes that a log file's worth of segments has.
_LOG = 2**32


@dataclass(frozen=True)
class WalFile:
    """A file of the archive: bytes, and when it was last written to (epoch seconds)."""

    size: int
    written: float


#: Directory -> file name -> file.
Archive = dict[str, dict[str, WalFile]]


@dataclass(frozen=True, order=True)
class BaseBackup:
    """A base backup in a set: from it and the WAL since it a later state is made.

    Attributes:
        finished: epoch seconds; no earlier state can be made of it.
        started: epoch seconds; WAL from before is not needed for it.
        system: the cluster's system identifier.
        segment: the first WAL segment that is needed.
        set: the set's name.
    """

    finished: float
    started: float
    system: str
    segment: str
    set: str

    @property
    def history(self) -> str:
        """The history that it is of, as the receiver calls its directories."""
        return f"{self.system}-{int(self.segment[:8], 16)}"


def base_tag(base: Mapping[str, Any]) -> str:
    """Return the tag that a set's snapshot has for its base backup; `base` is that of the manifest's part."""
    return f"base={base['system']}/{base['segment']}/{base['started']:.0f}/{base['finished']:.0f}"


def bases(snapshots: Iterable[Mapping[str, Any]]) -> list[BaseBackup]:
    """Return the base backups of the sets' snapshots, oldest first."""
    found = []
    for snapshot in snapshots:
        if tag := tag_value(snapshot, "base"):
            system, segment, started, finished = tag.split("/")
            found.append(BaseBackup(float(finished), float(started), system, segment, set_id_of(snapshot)))
    return sorted(found)


def successor(segment: str, size: int) -> str:
    """Return the name of the segment after this one; `size` is that of a segment in bytes."""
    timeline, log, number = (int(segment[start : start + 8], 16) for start in (0, 8, 16))
    number += 1
    if number >= _LOG // size:
        log, number = log + 1, 0
    return f"{timeline:08X}{log:08X}{number:08X}"


def contiguous_segments(first: str, names: Iterable[str], size: int) -> list[str]:
    """Return the files that follow each other without a gap from segment `first` on; a partial one ends it."""
    present, found, segment = set(names), [], first
    while segment in present:
        found.append(segment)
        segment = successor(segment, size)
    return [*found, segment + PARTIAL] if segment + PARTIAL in present else found


def gap_fault(first: str, names: Iterable[str], size: int) -> str:
    """Return what is wrong with the WAL since `first`: empty, or a message with the segment that is missing."""
    following = contiguous_segments(first, names, size)
    last = following[-1].removesuffix(PARTIAL) if following else ""
    later = [
        name for name in names if _SEGMENT.fullmatch(name) and name[:8] == first[:8] and name[:24] > max(last, first)
    ]
    if not following or later:
        missing = successor(last, size) if last else first
        return f"WAL segment {missing} is missing" + (f", and there are {len(later)} later ones" if later else "")
    return ""


def of_history(archive: Archive, history: str) -> dict[str, WalFile]:
    """Return all files of a history; of a segment that several directories have, the one written last."""
    found: dict[str, WalFile] = {}
    for directory, files in archive.items():
        if directory.rpartition(".")[0] != history:
            continue
        for name, file in files.items():
            if name not in found or found[name].written < file.written:
                found[name] = file
    return found


def segment_size(files: Mapping[str, WalFile]) -> int:
    """Return the bytes of a segment: receivers make each file whole from the start."""
    return max((file.size for name, file in files.items() if _SEGMENT.fullmatch(name)), default=2**24)


def bases_to_keep(kept: Sequence[BaseBackup], now: float, days: float) -> list[BaseBackup]:
    """Return the base backups whose WAL is kept: those of the last `days`, and the one from which those days begin."""
    cutoff = now - days * 86400
    before = [base for base in kept if base.finished <= cutoff]
    return [*before[-1:], *(base for base in kept if base.finished > cutoff)]


def removable_paths(archive: Archive, kept: Sequence[BaseBackup]) -> list[str]:
    """Return paths, below /wal, that no kept base backup needs: segments, and whole directories of old histories.

    Without any base backup everything stays: the first one is yet to come.
    """
    if not kept:
        return []
    oldest = min(base.started for base in kept)
    paths = []
    for directory, files in archive.items():
        starts = [base.segment for base in kept if base.history == directory.rpartition(".")[0]]
        if starts:
            segments = [name for name in files if _SEGMENT.fullmatch(name)]
            paths += [f"{directory}/{name}" for name in segments if name[:24] < min(starts)]
        elif all(file.written < oldest for file in files.values()):
            paths.append(directory)
    return sorted(paths)


def parse_listing(text: str) -> Archive:
    """Return the archive from lines "directory/name size seconds", without directories that are not the receiver's."""
    archive: Archive = {}
    for line in text.splitlines():
        path, size, written = line.rsplit(" ", 2)
        directory, _, name = path.rpartition("/")
        if _DIRECTORY.fullmatch(directory):
            archive.setdefault(directory, {})[name] = WalFile(int(size), float(written))
    return archive


def volume_of(stack: Mapping[str, Any]) -> str | None:
    """Return the volume of the archive; None while point-in-time recovery is off."""
    sidecar = stack.get("sidecars", {}).get(SIDECAR)
    return str(sidecar["volumes"][0]["name"]) if sidecar else None


def receiver(client: DockerClient, stack: Mapping[str, Any]) -> Container:
    """Return the running receiver. Raises BackupError."""
    name = stack["sidecars"][SIDECAR]["container"]
    try:
        container = client.containers.get(name)
    except NotFound:
        container = None
    if container is None or container.status != "running" or container.labels.get(LABEL_STACK) != stack["name"]:
        state = "absent" if container is None else container.status
        raise BackupError(
            f"postgresql: found the receiver of its WAL, {name}, {state}, expected it to run. Nothing was changed. "
            "Next: ./ready up"
        )
    return container


def _on_archive(client: DockerClient, stack: Mapping[str, Any], command: Sequence[str]) -> str:
    volume = volume_of(stack)
    if volume is None:
        return ""
    image = str(client.containers.get(stack["services"]["postgresql"]["container"]).attrs["Image"])
    label = f"{stack['name']}.backup"
    return run_helper(create_helper(client, image, command, {MOUNT: volume}, label), "postgresql: its WAL")


def read_archive(client: DockerClient, stack: Mapping[str, Any]) -> Archive:
    """Return what the receiver keeps; nothing while point-in-time recovery is off."""
    script = f"cd {MOUNT} && find . -mindepth 2 -type f -exec stat -c '%n %s %Y' {{}} +"
    lines = _on_archive(client, stack, ["sh", "-ec", script]).splitlines()
    return parse_listing("\n".join(line.removeprefix("./") for line in lines))


def prune_archive(client: DockerClient, stack: Mapping[str, Any], paths: Sequence[str]) -> None:
    """Remove paths below /wal."""
    for start in range(0, len(paths), 500):
        some = [f"{MOUNT}/{path}" for path in paths[start : start + 500]]
        _on_archive(client, stack, ["rm", "-rf", "--", *some])


def unshipped(archive: Archive, shipped: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (directory, name) of what the repository has not yet: partial segments always, since they grow.

    Args:
        archive: what the receiver keeps.
        shipped: directory -> the last whole segment that is in the repository.
    """
    found = []
    for directory, files in sorted(archive.items()):
        last = shipped.get(directory, "")
        for name in sorted(files):
            if _HISTORY_FILE.fullmatch(name):
                new = not last
            else:
                new = bool(_SEGMENT.fullmatch(name)) and (name.endswith(PARTIAL) or name > last)
            if new:
                found.append((directory, name))
    return found


def ship(client: DockerClient, work: Workspace) -> dict[str, Any]:
    """Save what has come since the last time as a snapshot; return {segments, seconds, as_of}. Raises BackupError."""
    clock, as_of = time.monotonic(), time.time()
    stack, repository = work.stack, work.repository()
    state = work.state().get("shipped", {})
    shipped: dict[str, str] = state.get("last", {}) if state.get("repository") == work.settings["repository"] else {}
    archive = read_archive(client, stack)
    todo = unshipped(archive, shipped)
    container, target = receiver(client, stack), work.directory / "wal"
    place = stack["sidecars"][SIDECAR]["volumes"][0]["path"]
    shutil.rmtree(target, ignore_errors=True)
    try:
        target.mkdir(mode=0o700)
        for directory, name in todo:
            (target / directory).mkdir(exist_ok=True)
            _bring(container, f"{place}/{directory}", name, target / directory)
        if todo:
            with work.discard_on_failure(f"as_of={int(as_of)}", TAG_WAL):
                repository.save_wal(target, stack["name"], str(work.settings["host"]), as_of)
        last = dict(shipped)
        for path in target.glob("*/*"):
            if _SEGMENT.fullmatch(path.name) and not path.name.endswith(PARTIAL):
                last[path.parent.name] = max(path.name, last.get(path.parent.name, ""))
    finally:
        shutil.rmtree(target, ignore_errors=True)
    kept = {directory: name for directory, name in last.items() if directory in archive}
    work.remember(shipped={"repository": work.settings["repository"], "last": kept})
    return {"segments": len(todo), "seconds": round(time.monotonic() - clock, 2), "as_of": as_of}


def _bring(container: Container, directory: str, name: str, target: Path) -> None:
    whole = name.removesuffix(PARTIAL)
    for its in dict.fromkeys((name, whole)):  # a segment that was partial a moment ago may be whole now
        try:
            get_file(container, f"{directory}/{its}", target / its)
        except BackupError:
            if its == whole:
                raise
        else:
            return


def fetch(work: Workspace, base: BaseBackup, target: Path) -> dict[str, Path]:
    """Fetch the WAL since a base backup, and of its system the history files, from the repository.

    Returns file name -> path. Raises BackupError.
    """
    repository = work.repository()
    found: dict[str, Path] = {}
    for snapshot in reversed(newest_first(repository.snapshots(work.settings["set_stack"], TAG_WAL))):
        if float(tag_value(snapshot, "as_of")) < base.started:
            continue
        place = repository.fetch(snapshot, target / str(snapshot["id"])[:12])
        for path in place.glob(f"{base.system}-*/*"):
            ours = path.parent.name.rpartition(".")[0] == base.history
            if _HISTORY_FILE.fullmatch(path.name) or (ours and path.name[:24] >= base.segment):
                found[path.name] = path
    return {
        name: path
        for name, path in found.items()
        if not (name.endswith(PARTIAL) and name.removesuffix(PARTIAL) in found)
    }


def saved_until(work: Workspace) -> float:
    """Return up to when the repository has WAL (epoch seconds); 0 when it has none."""
    found = work.repository().snapshots(work.settings["set_stack"], TAG_WAL)
    return max((float(tag_value(item, "as_of")) for item in found), default=0.0)


def prune(client: DockerClient, work: Workspace) -> dict[str, Any]:
    """Remove WAL that no kept base backup needs, on the host and in the repository; return what is left to say."""
    writer = work.repository()
    kept = bases(writer.snapshots(work.stack["name"]))
    needed_bases = bases_to_keep(kept, time.time(), float(work.settings.get("pitr_days") or 7))
    paths = removable_paths(read_archive(client, work.stack), needed_bases)
    prune_archive(client, work.stack, paths)
    old = []
    if needed_bases:
        oldest = min(base.started for base in needed_bases)
        snapshots = writer.snapshots(work.stack["name"], TAG_WAL)
        old = [str(item["id"]) for item in snapshots if float(tag_value(item, "as_of")) < oldest]
    if old:
        work.repository("prune").forget_these(old)
    return {"wal_removed": len(paths), "recoverable_from": needed_bases[0].finished if needed_bases else None}
