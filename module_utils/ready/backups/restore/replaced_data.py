# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what keeps the data that a restore replaces: a safety set, or a copy of the whole volume.

A store that is down, restarts again and again, or can't be read makes no set. Its files are kept as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ...docker.kept_volumes import restore_copy_labels, restore_copy_name
from ...host.restore_journal import IMAGES, REPLACING
from ...stack.resolved import with_services
from .. import backup
from ..helper_containers import find_image
from ..manifest import PER_SERVICE, BackupError
from ..partial_set import PartialWorkspace
from ..postgresql import lost_databases
from ..results import proof_faults
from ..service_states import ServiceStates, drift_lines, read_service_states
from .data_swap import DataSwap

if TYPE_CHECKING:
    from docker import DockerClient

    from ..workspace import Workspace


@dataclass
class ReplacedData:
    """What a restore does with the data from before.

    Attributes:
        safety: manifest of the set that has those of the services that were well; None when there is none.
        broken: service -> why no set has its data.
        keep: whether those are kept whole; else they are replaced without a copy.
        left_stopped: services that somebody had stopped.
        volumes: service -> the volume that keeps its data whole.
        warnings: a line per thing that the restore does not bring back, or finds otherwise than the inventory says.
    """

    safety: Mapping[str, Any] | None = None
    broken: dict[str, str] = field(default_factory=dict)
    keep: bool = True
    left_stopped: list[str] = field(default_factory=list)
    volumes: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def safety_set(self) -> str | None:
        """Name of the safety set."""
        return self.safety["id"] if self.safety else None

    def found(self, stack: Mapping[str, Any], images: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Return service -> {why, volume, back: the command that copies it into place}, for those without a set.

        Args:
            stack: the resolved stack.
            images: service -> the image of its container.
        """
        found = {}
        for name, why in self.broken.items():
            volume = self.volumes.get(name)
            real = stack["services"][name]["volumes"][0]["name"]
            found[name] = {
                "why": why,
                "volume": volume,
                "back": copy_back_command(volume, real, images[name]) if volume else None,
            }
        return found


def copy_back_command(volume: str, real: str, image: str) -> str:
    """Return the command by which a person copies a kept volume into the place of the data volume."""
    return (
        f"docker run --rm --network none --user 0:0 --entrypoint sh -v {volume}:/from:ro -v {real}:/to {image} "
        "-ec 'find /to -mindepth 1 -delete; cp -a /from/. /to/; sync'"
    )


def kept_copy(client: DockerClient, old: ReplacedData, work: Workspace, name: str) -> tuple[str, dict[str, str]] | None:
    """Return name and labels of the volume that is to keep a service's data whole; None when a set has them."""
    if name not in old.broken:
        return None
    real = work.stack["services"][name]["volumes"][0]["name"]
    old.volumes[name], labels = _kept_volume(name, real, client.volumes.get(real).attrs.get("Labels") or {})
    return old.volumes[name], labels


def refuse_replacement(
    client: DockerClient, stack: Mapping[str, Any], states: ServiceStates, names: Sequence[str]
) -> None:
    """Raise BackupError where nothing may be put in place: no container, another one on the data, or an open doubt.

    A service that runs, and does not answer as the inventory asks, may be well: nobody has applied the inventory yet.
    """
    services, messages = stack["services"], []
    for name in names:
        container, real = services[name]["container"], services[name]["volumes"][0]["name"]
        others = [
            str(item.name)
            for item in client.containers.list(filters={"volume": real}, ignore_removed=True)
            if item.name != container
        ]
        if others:
            messages.append(f"{name}: found {', '.join(others)} on its data volume {real}. Next: stop that")
        if states.broken.get(name, "").startswith("its container absent"):
            messages.append(f"{name}: found no container. Next: ./ready up, then again, also if it is not healthy then")
        elif name in states.broken and name in states.drifted and name not in states.stopped:
            messages.append(f"{states.fault(name)}. Next: ./ready up, or put the inventory back, then again")
    if messages:
        raise BackupError(f"nothing was changed: {'; '.join(messages)}")


def set_incomplete_data_aside(client: DockerClient, work: Workspace, names: Sequence[str]) -> None:
    """Move data aside that are half a set's where no container is left, which `up` does not make on such data.

    Raises BackupError when there are some: only what `up` makes then can be restored.
    """
    from ...docker.state import find_container

    services, notes, moved = work.stack["services"], work.journal.read(), []
    for name in (name for name in names if name in notes.get(REPLACING, [])):
        if find_container(client, services[name]["container"]):
            continue
        real = services[name]["volumes"][0]["name"]
        volume = client.volumes.get(real)
        image = find_image(client, None, work.stack, name, notes.get(IMAGES, []))
        kept, labels = _kept_volume(name, real, volume.attrs.get("Labels") or {})
        client.volumes.create(kept, labels=labels)
        DataSwap(client, work).copy_volume(image, real, kept, f"{name}: keeping its incomplete data")
        volume.remove()
        work.journal.remove(REPLACING, name)
        moved.append(f"{name}: found no container, and incomplete data, which are now in the volume {kept}")
    if moved:
        raise BackupError(
            f"nothing was restored: {'; '.join(moved)}. Next: ./ready up, which begins without data; then again"
        )


def _kept_volume(name: str, real: str, labels: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    volume = restore_copy_name(real, datetime.now(timezone.utc))
    return volume, restore_copy_labels(labels, name, real)


def save_replaced_data(
    client: DockerClient,
    work: Workspace,
    names: Sequence[str],
    host: str,
    safety: bool,
    lose: Collection[str],
    new_manifest: Mapping[str, Any] | None = None,
) -> ReplacedData:
    """Make a safety set of the services that are well, and say what is to be done with the others. Raises BackupError.

    Args:
        client: a connected client.
        work: the stack's place on this host.
        names: the services whose data are replaced.
        host: name of the host in the inventory.
        safety: whether anything of the data from before is to outlive the restore.
        lose: databases of PostgreSQL that may be lost although no set can hold them.
        new_manifest: that of the set which replaces them; without a safety set it must hold what is not to be lost.
    """
    set_incomplete_data_aside(client, work, names)
    states = read_service_states(client, work.stack, names)
    refuse_replacement(client, work.stack, states, names)
    old = ReplacedData(None, dict(states.broken), safety, list(states.left_stopped), {}, drift_lines(states.drifted))
    if new_manifest and not safety:
        lost_databases.refuse_loss(client, work.stack, states.well, lose, new_manifest)
    if safety and states.well:
        lost_databases.refuse_loss(client, work.stack, states.well, lose)
        partial = PartialWorkspace({**work.settings, "stack": with_services(work.stack, states.well)}, work.directory)
        try:
            made = backup.run(client, partial, PER_SERVICE, host, safety=True)
            old.safety = made["manifest"]
            old.warnings = list(dict.fromkeys([*old.warnings, *made["warnings"], *proof_faults(made).values()]))
        except BackupError as error:  # a store may be healthy and its data not: then its files are what can be kept
            old.broken |= dict.fromkeys(states.well, f"it healthy, and no set can be made of it: {error}")
            work.heal(client)
    return old
