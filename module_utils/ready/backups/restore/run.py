# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run `restore`: prove the set in scratch, put its data in place, put the old data back if that fails."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from ...checks.make_probes import make_probes
from ...checks.probe import deep_health
from ...common.concurrency import for_each
from ...common.verdict import FAIL, PASS
from ...docker.readback import read_authorities, read_secrets
from ...docker.wait import wait_for_all
from ...host.restore_journal import IMAGES, KEEPING, PROVEN, REPLACING, SWAPPING
from ...stack import models
from .. import helper_containers
from ..base import Load
from ..data_services import with_data
from ..drill import fetch, prove_all, refuse_missing_names
from ..manifest import BackupError
from ..postgresql import closed_databases, lost_databases
from ..scratch_containers import STARTING, Scratch
from ..workspace import Workspace
from .data_swap import DataSwap
from .replaced_data import ReplacedData, kept_copy, save_replaced_data

if TYPE_CHECKING:
    from docker import DockerClient

#: Seconds that a restored service may take to answer questions about its data.
ANSWERING = 60.0
_OR_SKIP = ", or --skip-broken, which brings back all of PostgreSQL but what fails, and names that"


def _swap(client: DockerClient, work: Workspace, name: str, load: Load, old: ReplacedData) -> None:
    """Keep the old data, and put the proven ones in their place; the service is stopped meanwhile."""
    service = work.stack["services"][name]
    container = client.containers.get(service["container"])
    image, real = str(container.attrs["Image"]), service["volumes"][0]["name"]
    swap = DataSwap(client, work)
    work.journal.add(IMAGES, helper_containers.journal_entry(name, image))
    if container.status == "paused":  # it can't end by itself
        container.unpause()
    container.stop(timeout=service["stop_timeout"])
    alone = name in old.broken and not old.keep
    if alone:
        work.journal.add(REPLACING, name)
    else:
        swap.save_old_data(name, image, kept_copy(client, old, work, name))
    swap.copy_volume(image, load.scratch.data, real, f"{name}: putting the restored data in place")
    if alone:
        work.journal.remove(REPLACING, name)
    container.start()


def _verify(
    client: DockerClient, work: Workspace, only: Sequence[str], parts: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Return service -> what is wrong with it now that it runs on restored data.

    That the data are those of the set was proven on the same bytes in scratch; here applications may write already.
    What the inventory wants otherwise of a container is no fault of the data: reported before, and `up` corrects it.
    """
    services = {name: work.stack["services"][name] for name in only}
    found: dict[str, list[str]] = {name: [] for name in only}
    for name, outcome in wait_for_all(services, list(only), STARTING).items():
        if not outcome["healthy"]:
            found[name].append(f"it did not become healthy: {outcome['detail']}")
    stack = {**work.stack, "services": services}
    passwords, authorities = read_secrets(client, stack), read_authorities(client, stack)
    probes = make_probes(stack, passwords, 10.0, authorities)
    for probe in probes.values():
        probe.as_configured = False
    for name, answer in deep_health(probes, ANSWERING).items():
        found[name] += [
            f"{check}: {its['detail']}" for check, its in answer["checks"].items() if its["verdict"] == FAIL
        ]
    return {name: faults for name, faults in found.items() if faults}


def run(
    client: DockerClient,
    work: Workspace,
    set_id: str | None,
    chosen: Sequence[str],
    host: str,
    safety: bool,
    to: str = "",
    lose: Sequence[str] = (),
    skip_broken: bool = False,
) -> dict[str, Any]:
    """Restore a set, or PostgreSQL at a chosen time, and return what was done.

    Raises BackupError when nothing was changed, or all was put back.

    Args:
        client: a connected client.
        work: the stack's place on this host; the caller holds its lock.
        set_id: the set's name; None means the newest one.
        chosen: the services; empty means all.
        host: name of the host in the inventory.
        safety: whether to make a set of what is there first, and to keep whole what no set can be made of.
        to: the time that PostgreSQL is to go to; empty restores the set as it is.
        lose: databases of PostgreSQL that may be lost although the safety set, or without one the restored set, does
            not hold them.
        skip_broken: whether what of PostgreSQL can't be restored is left out; the verdict is fail then.
    """
    clock = time.monotonic()
    healed = work.heal(client)
    only = list(chosen) or with_data(work.stack)
    if unknown := sorted({*only} - {*with_data(work.stack)}):
        raise BackupError(
            f"--only: found {', '.join(unknown)}, expected some of {', '.join(with_data(work.stack))}. "
            "Nothing was changed"
        )
    # Before the safety set, which is newer than what may be wanted.
    point, new_manifest = None, None
    if to:
        from ..postgresql import point_in_time  # brings PostgreSQL's driver along

        point = point_in_time.plan(client, work, to, only, set_id)
    else:
        new_manifest = refuse_missing_names(work, set_id, only)
    old = save_replaced_data(client, work, only, host, safety, lose, new_manifest)
    began = time.monotonic()
    try:
        work.journal.note(stopped=[])
        manifest, directory = fetch(work, point.base.set if point else set_id, only)
        with Scratch(client, work.stack, "restore") as scratch:
            loads: Mapping[str, Load]
            if point:
                loads, outcomes = point_in_time.prove_point(client, scratch, work, point, manifest, directory)
            else:
                loads, outcomes = prove_all(client, scratch, manifest, directory, only, skip_broken)
            broken = {name: "; ".join(its["faults"]) for name, its in outcomes.items() if its["faults"]}
            if wrong := [f"{name}: {faults}" for name, faults in broken.items()]:
                if point and wrong == [f"{point_in_time.SERVICE}: {point.refused}"]:
                    raise BackupError(point.refused)
                skip = _OR_SKIP if closed_databases.SERVICE in broken and not point else ""
                raise BackupError(
                    f"set {manifest['id']} did not prove itself in scratch, and nothing was changed: "
                    f"{'; '.join(wrong)}. Next: --set another one{skip}"
                )
            old.warnings += models.models_not_in_stack(manifest, work.stack)
            if old.safety:  # what was created meanwhile is not in it
                lost_databases.refuse_loss(client, work.stack, list(old.safety["parts"]), lose, old.safety)
            if not point:
                old.warnings += lost_databases.not_restored(manifest, work.stack, only, old.safety)
            for_each(methodcaller("settle"), loads.values())
            stopped = time.monotonic()
            _replace(client, work, only, loads, manifest, old)
            outage = round(time.monotonic() - stopped, 2)
    finally:
        shutil.rmtree(work.fetched, ignore_errors=True)
        work.journal.end()
    return {
        "set": manifest["id"],
        "level": manifest["level"],
        "verdict": FAIL if any(its.get("missing") for its in outcomes.values()) else PASS,
        "safety_set": old.safety_set,
        "warnings": old.warnings,
        **({"kept": old.found(work.stack, _images(client, work, old.broken))} if old.broken else {}),
        "services": outcomes,
        "rto_seconds": round(time.monotonic() - began, 2),
        "outage_seconds": outage,
        "seconds": round(time.monotonic() - clock, 2),
        "healed": healed,
        **({"recovery": point_in_time.recovery_evidence(loads)} if point else {}),
    }


def _images(client: DockerClient, work: Workspace, names: Iterable[str]) -> dict[str, str]:
    containers = {name: client.containers.get(work.stack["services"][name]["container"]) for name in names}
    return {name: str(container.attrs["Config"]["Image"]) for name, container in containers.items()}


def _replace(
    client: DockerClient,
    work: Workspace,
    only: Sequence[str],
    loads: Mapping[str, Load],
    manifest: Mapping[str, Any],
    old: ReplacedData,
) -> None:
    """Swap all chosen services, verify them, and put all of them back if one is not well. Raises BackupError then."""
    work.journal.note(**{"stopped": [name for name in only if name not in old.left_stopped], PROVEN: list(only)})
    wrong: dict[str, list[str]] = {}
    try:
        for_each(lambda name: _swap(client, work, name, loads[name], old), only)
        wrong = _verify(client, work, only, manifest["parts"])
    except Exception as error:  # whatever it was: the old data come back
        wrong = {"restore": [f"{type(error).__name__}: {error}"]}
    if wrong:
        gone = [name for name in old.broken if not old.keep]
        half = [name for name in work.journal.read().get(REPLACING, []) if name in only]
        _undo(client, work, only, old)
        faults = "; ".join(f"{name}: {', '.join(messages)}" for name, messages in wrong.items())
        but = f", but for {', '.join(gone)}, of which no copy was wanted" if gone else ""
        left = (
            f". {', '.join(half)}: half of the set is there, so it stays stopped. Next: ./ready restore" if half else ""
        )
        raise BackupError(
            f"set {manifest['id']} was restored and failed its checks, and the old data were put back{but}: {faults}"
            f"{left}"
        )
    half = [name for name in work.journal.read().get(REPLACING, []) if name not in only]
    work.journal.note(**{SWAPPING: [], KEEPING: [], REPLACING: half, "stopped": [], PROVEN: [], IMAGES: []})
    DataSwap(client, work).remove_old_data()


def _undo(client: DockerClient, work: Workspace, only: Sequence[str], old: ReplacedData) -> None:
    left, swap = work.journal.read(), DataSwap(client, work)
    for name in left.get(SWAPPING, []):
        swap.put_back(name)
    for name in left.get("stopped", []):
        if name not in left.get(REPLACING, []):
            client.containers.get(work.stack["services"][name]["container"]).start()
    swap.remove_kept_volumes()
    work.journal.note(**{"stopped": [], PROVEN: [], IMAGES: []})
    swap.remove_old_data()
    well = {name: work.stack["services"][name] for name in only if name not in old.broken}
    wait_for_all(well, list(well), STARTING)
