# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run `drill`: restore a set into scratch containers, and compare them with the set's manifest."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.concurrency import for_each
from ..common.verdict import FAIL, PASS
from .backup import running_images
from .base import Load
from .data_services import LOADS, with_data
from .expected_names import missing_names
from .manifest import FILE as MANIFEST
from .manifest import BackupError, age, file_faults, future_fault, manifest_faults, refusals
from .postgresql import wal
from .restic.repository import Repository, newest, set_id_of
from .scratch_containers import Scratch
from .service_proof import choose_image, prove
from .workspace import Workspace

if TYPE_CHECKING:
    from docker import DockerClient


def read_manifest(repository: Repository, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return a set's manifest. Raises BackupError when there is none that can be worked with."""
    try:
        manifest = json.loads(repository.read(snapshot, MANIFEST))
    except ValueError as error:
        raise BackupError(
            f"set {set_id_of(snapshot)}: its manifest is damaged ({error}). Next: --set another one"
        ) from error
    if wrong := manifest_faults(manifest):
        raise BackupError(f"set {set_id_of(snapshot)}: {'; '.join(wrong)}. Next: --set another one")
    return dict(manifest)


def refuse_missing_names(work: Workspace, set_id: str | None, only: Sequence[str]) -> dict[str, Any]:
    """Return the manifest of a set (the newest without a name).

    Raises BackupError when it lacks names that the inventory asks for.
    """
    repository = work.repository()
    try:
        work.journal.note(stopped=[])  # on a full disk restic tries for a quarter of an hour to write to its cache
        snapshot = newest(repository.snapshots(work.settings["set_stack"]), set_id)
        manifest = read_manifest(repository, snapshot)
    finally:
        work.journal.end()
    if wrong := missing_names(manifest, work.stack, only):
        raise BackupError("; ".join(wrong))
    return manifest


def fetch(work: Workspace, set_id: str | None, only: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """Fetch a set (the newest without a name) and return its manifest and where its files are.

    Every file must be, byte for byte, what the manifest says. Raises BackupError.
    """
    repository = work.repository()
    snapshot = newest(repository.snapshots(work.settings["set_stack"]), set_id)
    manifest = read_manifest(repository, snapshot)
    work.fetched.mkdir(mode=0o700)
    names = [name for name in only if name in manifest["parts"]]
    directory = repository.fetch(snapshot, work.fetched, [*names, "include"])
    wrong = [
        f"include: {message}" for message in file_faults({"files": manifest.get("include", {})}, directory / "include")
    ]
    wrong += [
        f"{name}: {message}"
        for name in only
        if name in manifest["parts"]
        for message in file_faults(manifest["parts"][name], directory / name)
    ]
    if wrong:
        raise BackupError(f"set {manifest['id']} is damaged: {'; '.join(wrong)}. Next: --set another one")
    return manifest, directory


def prove_all(
    client: DockerClient,
    scratch: Scratch,
    manifest: Mapping[str, Any],
    directory: Path,
    only: Sequence[str],
    skip_broken: bool = False,
) -> tuple[dict[str, Load], dict[str, dict[str, Any]]]:
    """Load and ask the chosen parts at the same time; return the loads, still running, and the outcome of each.

    With `skip_broken` what can't be restored is left out, and named as missing.
    """
    used = running_images(client, scratch.stack)
    if wrong := [*refusals(manifest, used, only), *missing_names(manifest, scratch.stack, only)]:
        raise BackupError("; ".join(wrong))
    loads, outcomes = {}, {}
    for name in only:
        service = scratch.service(name)
        service.image, how = choose_image(client, manifest["parts"][name], used[name])
        loads[name] = LOADS[name](service, manifest["parts"][name], directory / name)
        loads[name].skip_broken = skip_broken
        outcomes[name] = {"image": how}

    def ask(name: str) -> None:
        outcomes[name] |= prove(loads[name])

    for_each(ask, only)
    return loads, outcomes


def run(client: DockerClient, work: Workspace, set_id: str | None) -> dict[str, Any]:
    """Restore a set into scratch, ask it, remove everything. Returns what was found; raises BackupError before that.

    Args:
        client: a connected client.
        work: the stack's place on this host; the caller holds its lock.
        set_id: the set's name; None means the newest one in the repository.
    """
    clock = time.monotonic()
    healed = work.heal(client)
    try:
        work.journal.note(stopped=[])
        only = with_data(work.stack)
        manifest, directory = fetch(work, set_id, only)
        if wrong := future_fault(manifest, datetime.now(timezone.utc)):
            raise BackupError(wrong)
        only = [name for name in only if name in manifest["parts"]]
        fetched = time.monotonic() - clock
        with Scratch(client, work.stack, "drill") as scratch:
            _, outcomes = prove_all(client, scratch, manifest, directory, only)
        rehearsed = None
        if wal.volume_of(work.stack):
            from .postgresql.point_in_time import rehearse  # brings PostgreSQL's driver along

            rehearsed = rehearse(client, work, manifest, directory)
    finally:
        shutil.rmtree(work.fetched, ignore_errors=True)
        work.journal.end()
    missing = sorted(set(with_data(work.stack)) - set(manifest["parts"]))
    for name in missing:
        outcomes[name] = {"verdict": FAIL, "faults": [f"found no part of it in set {manifest['id']}"], "seconds": 0.0}
    passed = all(item["verdict"] == PASS for item in [*outcomes.values(), *filter(None, [rehearsed])])
    now = datetime.now(timezone.utc)
    if passed:
        work.remember(last_proven=manifest["id"], last_proven_at=now.timestamp())
    return {
        "set": manifest["id"],
        "level": manifest["level"],
        "verdict": PASS if passed else FAIL,
        "rpo_seconds": max(0.0, round(age(manifest, now), 1)),
        "rto_seconds": round(time.monotonic() - clock, 2),
        "fetch_seconds": round(fetched, 2),
        "services": outcomes,
        **({"recovery": rehearsed} if rehearsed else {}),
        "healed": healed,
    }
