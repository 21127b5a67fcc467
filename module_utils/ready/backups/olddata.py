# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of the data that a restore replaces: a safety set has them, or a copy of their whole volume does.

A store that is down, restarts again and again, or can't be read makes no set. Its files are kept as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..container import LABEL_KEPT_FOR
from ..upgradeplan import only as with_only
from . import backup, losses
from .before import Some
from .copier import image_of
from .interrupted import IMAGES, REPLACING
from .manifest import BackupError
from .standing import Standing, drift_lines, judge
from .telling import proof_faults

if TYPE_CHECKING:
    from docker import DockerClient

    from .work import Work

#: Value of the label that tells a volume which a restore kept from one that an upgrade kept.
RESTORE = "restore"


@dataclass
class OldData:
    """What a restore does with the data from before.

    Attributes:
        safety: manifest of the set that has those of the services that were well; None when there is none.
        broken: service -> why no set has its data.
        keep: whether those are kept whole; else they are replaced without a copy.
        still: services that somebody had stopped.
        volumes: service -> the volume that keeps its data whole.
        warnings: a line per thing that the restore does not bring back, or finds otherwise than the inventory says.
    """

    safety: Mapping[str, Any] | None = None
    broken: dict[str, str] = field(default_factory=dict)
    keep: bool = True
    still: list[str] = field(default_factory=list)
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
            found[name] = {"why": why, "volume": volume, "back": back(volume, real, images[name]) if volume else None}
        return found


def back(volume: str, real: str, image: str) -> str:
    """Return the command by which a person copies a kept volume into the place of the data volume."""
    return (
        f"docker run --rm --network none --user 0:0 --entrypoint sh -v {volume}:/from:ro -v {real}:/to {image} "
        "-ec 'find /to -mindepth 1 -delete; cp -a /from/. /to/; sync'"
    )


def kept_name(volume: str, now: datetime) -> str:
    """Return the name of the volume that keeps what a data volume held before a restore."""
    return f"{volume}_before_restore_{now:%Y%m%dT%H%M%SZ}"


def kept_copy(client: DockerClient, old: OldData, work: Work, name: str) -> tuple[str, dict[str, str]] | None:
    """Return name and labels of the volume that is to keep a service's data whole; None when a set has them."""
    if name not in old.broken:
        return None
    real = work.stack["services"][name]["volumes"][0]["name"]
    old.volumes[name], labels = _kept(name, real, client.volumes.get(real).attrs.get("Labels") or {})
    return old.volumes[name], labels


def refuse(client: DockerClient, stack: Mapping[str, Any], standing: Standing, names: Sequence[str]) -> None:
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
        if standing.broken.get(name, "").startswith("its container absent"):
            messages.append(f"{name}: found no container. Next: ./ready up, then again, also if it is not healthy then")
        elif name in standing.broken and name in standing.drifted and name not in standing.stopped:
            messages.append(f"{standing.fault(name)}. Next: ./ready up, or put the inventory back, then again")
    if messages:
        raise BackupError(f"nothing was changed: {'; '.join(messages)}")


def make_room(client: DockerClient, work: Work, names: Sequence[str]) -> None:
    """Move data aside that are half a set's where no container is left, which `up` does not make on such data.

    Raises BackupError when there are some: only what `up` makes then can be restored.
    """
    from ..engine import find_container

    services, notes, moved = work.stack["services"], work.journal.read(), []
    for name in (name for name in names if name in notes.get(REPLACING, [])):
        if find_container(client, services[name]["container"]):
            continue
        real = services[name]["volumes"][0]["name"]
        volume = client.volumes.get(real)
        image = image_of(client, None, work.stack, name, notes.get(IMAGES, []))
        kept, labels = _kept(name, real, volume.attrs.get("Labels") or {})
        client.volumes.create(kept, labels=labels)
        work.duplicate(client, image, real, kept, f"{name}: keeping its incomplete data")
        volume.remove()
        work.journal.remove(REPLACING, name)
        moved.append(f"{name}: found no container, and incomplete data, which are now in the volume {kept}")
    if moved:
        raise BackupError(
            f"nothing was restored: {'; '.join(moved)}. Next: ./ready up, which begins without data; then again"
        )


def _kept(name: str, real: str, labels: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    from ..upgrading import kept_labels  # brings along what moves PostgreSQL

    volume = kept_name(real, datetime.now(timezone.utc))
    return volume, {**kept_labels(labels, name, real), LABEL_KEPT_FOR: RESTORE}


def secure(
    client: DockerClient, work: Work, names: Sequence[str], host: str, safety: bool, lose: Collection[str]
) -> OldData:
    """Make a safety set of the services that are well, and say what is to be done with the others. Raises BackupError.

    Args:
        client: a connected client.
        work: the stack's place on this host.
        names: the services whose data are replaced.
        host: name of the host in the inventory.
        safety: whether anything of the data from before is to outlive the restore.
        lose: databases of PostgreSQL that may be lost although no set can hold them.
    """
    make_room(client, work, names)
    standing = judge(client, work.stack, names)
    refuse(client, work.stack, standing, names)
    old = OldData(None, dict(standing.broken), safety, list(standing.still), {}, drift_lines(standing.drifted))
    if safety and standing.well:
        losses.refuse(client, work.stack, standing.well, lose)
        some = Some({**work.settings, "stack": with_only(work.stack, standing.well)}, work.directory)
        try:
            made = backup.run(client, some, "fuzzy", host, safety=True)
            old.safety = made["manifest"]
            old.warnings = list(dict.fromkeys([*old.warnings, *made["warnings"], *proof_faults(made).values()]))
        except BackupError as error:  # a store may be healthy and its data not: then its files are what can be kept
            old.broken |= dict.fromkeys(standing.well, f"it healthy, and no set can be made of it: {error}")
            work.heal(client)
    return old
