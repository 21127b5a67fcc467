# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run `backup`: dump all stores, compare the dumps with what the stores hold, save them as one snapshot."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..common.clock import timestamp
from ..common.concurrency import for_each
from ..common.verdict import FAIL, PASS
from ..docker.images_in_use import images_in_use
from ..docker.readback import read_authorities, read_secrets
from ..docker.state import read_state
from ..stack import models
from .base import Dump
from .data_services import DUMPS, with_data
from .manifest import (
    FILE,
    PER_SERVICE,
    SCHEMA,
    SYNCHRONIZED,
    BackupError,
    describe_files,
    dump_fault,
    new_id,
    skew,
    utc,
)
from .postgresql import schema_proof, wal
from .restic.errors import mask_password
from .restic.repository import retention_arguments, same_disk
from .scratch_containers import Scratch
from .service_states import drift_lines, refuse_down
from .workspace import Workspace

if TYPE_CHECKING:
    from docker import DockerClient


def running_images(client: DockerClient, stack: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return service -> image, source, data format, engine version and digests, as it runs."""
    state = read_state(client, stack["name"], stack["network"], stack["services"].values())
    found: dict[str, dict[str, Any]] = images_in_use(stack, state, {})
    for name, image in found.items():
        image["digests"] = state["services"][name].get("image", {}).get("digests", [])
    return found


def data_root(client: DockerClient) -> Path:
    """Return the directory on this host below which Docker keeps volumes."""
    return Path(str(client.info().get("DockerRootDir") or "/var/lib/docker"))


def dump_all(work: Workspace, dumps: Mapping[str, Dump], level: str) -> dict[str, float]:
    """Dump every store into staging, and return figures of the fence (seconds); whatever was stopped runs again.

    In a synchronized set the stores that have to stop do so first; the others are fenced when those stand still, so
    writers wait for a moment only. Otherwise each goes at its own pace. Those that have to stop do so one after
    another, since whatever goes on beside them lengthens their outage; the one that takes longest to start is last, and
    the stores that go on are dumped beside that.
    """
    stopping = [name for name, dump in dumps.items() if dump.needs_stop]
    stopping.sort(key=lambda name: dumps[name].service["health"]["start_period"])
    running = [dump for dump in dumps.values() if not dump.needs_stop]
    figures = {}

    def at_its_own_pace(dump: Dump) -> None:
        for name in ("fence", "mark", "release") if dump.needs_stop else ("mark",):
            dump.step(name)

    try:
        for_each(methodcaller("step", "prepare"), dumps.values())
        work.journal.note(stopped=stopping)
        if level == PER_SERVICE:
            for name in stopping[:-1]:
                at_its_own_pace(dumps[name])
            for_each(at_its_own_pace, [*(dumps[name] for name in stopping[-1:]), *running])
        else:
            for_each(methodcaller("step", "fence"), [dumps[name] for name in stopping])
            started = time.monotonic()
            try:
                for dump in running:
                    dump.step("fence")
                for dump in dumps.values():
                    dump.step("mark")
            finally:
                for dump in running:
                    dump.step("release")
            figures["fence_seconds"] = round(time.monotonic() - started, 3)
            for_each(methodcaller("step", "release"), [dumps[name] for name in stopping])
        # Only now, with everything running again: writing and counting would lengthen the outages.
        for_each(lambda dump: dump.step("write", _directory(work, dump.name)), dumps.values())
    finally:
        for_each(methodcaller("step", "close"), dumps.values())
        work.journal.note(stopped=[])  # not reached when something could not be started: the next run tries again
    return figures


def _directory(work: Workspace, name: str) -> Path:
    path = work.staging / name
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def manifest_part(work: Workspace, dump: Dump, image: Mapping[str, Any], started: str, exact: bool) -> dict[str, Any]:
    """Return a store's part of the manifest. Raises BackupError when the dump can't be all of the store."""
    outcome, things = dump.outcome, dump.things(dump.outcome.content)
    if fault := dump_fault(dump.live, things, exact and not dump.needs_stop):  # those were counted before they stopped
        raise BackupError(
            f"{dump.name}: {fault}. No set was made. Next: run it again; ./ready logs --service {dump.name}"
        )
    return {
        "consistent_at": utc(outcome.mark),
        "started_at": started,
        "finished_at": timestamp(),
        "outage_seconds": outcome.outage,
        "physical": dump.physical,
        "things": things,
        "files": describe_files(work.staging / dump.name, outcome.files),
        "content": outcome.content,
        "image": dict(image),
        **outcome.more,
    }


def run(client: DockerClient, work: Workspace, level: str, host: str, safety: bool = False) -> dict[str, Any]:
    """Make a set, and return {manifest, verdict, proof, seconds, repository, warnings, healed}. Raises BackupError.

    A set that is known not to be restorable as a whole is kept: `verdict` is fail then, and `proof` says why.

    Args:
        client: a connected client.
        work: the stack's place on this host; the caller holds its lock.
        level: PER_SERVICE or SYNCHRONIZED.
        host: name of the host in the inventory.
        safety: whether it is what a restore makes before it changes anything; never chosen as the newest.
    """
    started, clock = timestamp(), time.monotonic()
    stack, repository = work.stack, work.repository()
    retention_arguments(work.settings["retention"])
    healed = work.heal(client)
    names = with_data(stack)
    states = refuse_down(client, stack, names)
    made = repository.ensure(known=work.state().get("repository") == work.settings["repository"])
    work.remember(repository=work.settings["repository"])
    manifest_id = new_id(datetime.now(timezone.utc))
    used = running_images(client, stack)
    passwords, authorities = read_secrets(client, stack), read_authorities(client, stack)
    work.staging.mkdir(mode=0o700)
    try:
        work.journal.note(stopped=[])
        with Scratch(client, stack, "backup") as scratch:
            dumps = {
                name: DUMPS[name](
                    client, stack["services"][name], passwords.get(name, {}), authorities.get(name), scratch
                )
                for name in names
            }
            for name, dump in dumps.items():
                dump.proved = work.state().get("proved", {}).get(name, {})
            figures = dump_all(work, dumps, level)
        exact = level == SYNCHRONIZED
        included = describe_files(
            work.settings_directory() / "include",
            [item.name for item in (work.settings_directory() / "include").iterdir()],
        )
        shutil.copytree(work.settings_directory() / "include", work.staging / "include")
        manifest = {
            "schema": SCHEMA,
            "id": manifest_id,
            "stack": stack["name"],
            "host": host,
            "level": level,
            "safety": safety,
            "started_at": started,
            "finished_at": timestamp(),
            "skew_seconds": skew({name: dump.outcome.mark for name, dump in dumps.items()}, exact),
            **figures,
            "ready_version": __version__,
            "parts": {name: manifest_part(work, dump, used[name], started, exact) for name, dump in dumps.items()},
            "stateless": sorted(set(stack["services"]) - set(names)),
            "include": included,
            **({"models": served} if (served := models.model_names(stack)) else {}),
        }
        (work.staging / FILE).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        with work.discard_on_failure(f"set={manifest_id}"):
            repository.save(work.staging, manifest, host)
        shipped = wal.ship(client, work) if wal.volume_of(stack) else None
    finally:
        shutil.rmtree(work.staging, ignore_errors=True)
        work.journal.end()
    warnings = [*drift_lines(states.drifted), *(line for dump in dumps.values() for line in dump.outcome.warnings)]
    location = mask_password(work.settings["repository"])
    if same_disk(work.settings["repository"], data_root(client)):
        warnings.append(
            f"the repository {location} lies on the disk that holds the data: a lost disk "
            "loses both. Next: set backup_repository to another disk or machine"
        )
    proof = {name: dump.outcome.proof for name, dump in dumps.items() if dump.outcome.proof}
    proved = schema_proof.to_remember(proof)
    work.remember(last_set=manifest_id, **({"proved": proved} if proved else {}))
    return {
        "manifest": manifest,
        "verdict": FAIL if any(its["faults"] for its in proof.values()) else PASS,
        "proof": proof,
        "seconds": round(time.monotonic() - clock, 2),
        "repository": {
            "location": location,
            "made": made,
            "bytes": repository.size(),
        },
        "warnings": warnings,
        "healed": healed,
        **({"wal": shipped} if shipped else {}),
    }


def maintain(work: Workspace, subset: str) -> dict[str, Any]:
    """Remove sets that are no longer kept, with the pruner's credentials; check the repository by reading some."""
    started = time.monotonic()
    repository = work.repository("prune")
    repository.forget(work.stack["name"], work.settings["retention"])
    repository.check(subset)
    return {"read": subset, "seconds": round(time.monotonic() - started, 2)}
