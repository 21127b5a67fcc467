# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep, put back or remove the old data volumes of a restore, as the journal says; also by a later run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...common.labels import LABEL_STACK
from ...host.restore_journal import IMAGES, KEEPING, PROVEN, REPLACING, SWAPPING
from ..manifest import BackupError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

    from ..workspace import Workspace

#: Of the volumes that keep old data during a restore: they outlive a run that could not put them back.
ASIDE = "aside"


@dataclass
class DataSwap:
    """What is done to the data volumes of a stack's services; every step is in the journal first.

    Attributes:
        client: a connected client.
        work: the stack's place on its host; the caller holds its lock.
    """

    client: DockerClient
    work: Workspace

    def old_data_volume(self, name: str) -> str:
        """Return the volume that keeps a service's old data while new ones are put in their place."""
        kept = dict(item.split(":", 1) for item in self.work.journal.read().get(KEEPING, []))
        return kept.get(name, f"{self.work.stack['name']}.restore_{name}_aside")

    def copy_volume(self, image: str, source: str, target: str, what: str) -> None:
        """Make one volume hold what another does, by a helper that `heal` finds; `what` begins the error."""
        from ..helper_containers import create_copier, run_helper

        run_helper(create_copier(self.client, image, source, target, f"{self.work.stack['name']}.restore"), what)

    def save_old_data(self, name: str, image: str, kept: tuple[str, Mapping[str, str]] | None = None) -> None:
        """Copy a stopped service's data to where they are kept, and say in the journal that they are.

        Args:
            name: the service.
            image: id of an image that has `cp`.
            kept: name and labels of a copy that stays when the restore was well; None is one that goes with the run.
        """
        if kept:
            self.work.journal.add(KEEPING, f"{name}:{kept[0]}")
        labels = dict(kept[1]) if kept else {LABEL_STACK: f"{self.work.stack['name']}.{ASIDE}"}
        self.client.volumes.create(self.old_data_volume(name), labels=labels)
        real = self.work.stack["services"][name]["volumes"][0]["name"]
        self.copy_volume(image, real, self.old_data_volume(name), f"{name}: keeping the old data")
        self.work.journal.add(SWAPPING, name)

    def put_back(self, name: str) -> None:
        """Stop a service, make its data volume what it was before a restore, and take its name off the journal.

        Raises BackupError when the old data are not there: Docker would make an empty volume, and the copy an empty
        service.
        """
        from docker.errors import NotFound

        service = self.work.stack["services"][name]
        try:
            self.client.volumes.get(self.old_data_volume(name))
        except NotFound as error:
            raise BackupError(
                f"{name}: found no volume {self.old_data_volume(name)}, expected the data from before an "
                f"interrupted restore. Nothing was put back. Next: look whether {name} holds what it should; if so "
                f"remove {self.work.journal.path} and go on, else remove it and ./ready restore"
            ) from error
        image, _ = self._stop(name)
        real = service["volumes"][0]["name"]
        self.copy_volume(image, self.old_data_volume(name), real, f"{name}: putting data back")
        self.work.journal.remove(SWAPPING, name)

    def _stop(self, name: str) -> tuple[str, Container | None]:
        """Stop a service, if it has a container; return the id of an image that copies its data, and the container."""
        from ...docker.state import find_container
        from ..helper_containers import find_image

        service = self.work.stack["services"][name]
        container = find_container(self.client, service["container"])
        image = find_image(self.client, container, self.work.stack, name, self.work.journal.read().get(IMAGES, []))
        if container:
            container.stop(timeout=service["stop_timeout"])
        return image, container

    def finish_replacement(self, name: str) -> str:
        """Finish putting restored data in place where no copy of the old ones was wanted; return what was done.

        The data in scratch have been proven, and what the service's volume holds is half of them.
        """
        from docker.errors import NotFound

        service = self.work.stack["services"][name]
        real = service["volumes"][0]["name"]
        left = self.work.journal.read()
        try:
            self.client.volumes.get(real)
        except NotFound:
            self.work.journal.remove(REPLACING, name)
            return f"found no {real}, which had incomplete data of {name}, left by an interrupted restore"
        try:
            # An earlier version's journal names none of them, and was never kept without them.
            if name not in left.get(PROVEN, left[REPLACING]):
                raise NotFound(self.restored_volume(name))
            self.client.volumes.get(self.restored_volume(name))
        except NotFound:
            return (
                f"{name} stays stopped: its data are incomplete, since a restore without a safety set was interrupted. "
                f"Next: ./ready restore --only {name}"
            )
        image, container = self._stop(name)
        self.copy_volume(image, self.restored_volume(name), real, f"{name}: putting the restored data in place")
        self.work.journal.remove(REPLACING, name)
        if container:
            container.start()
        return f"put the restored data of {name} in place, as an interrupted restore without a safety set had begun to"

    def restored_volume(self, name: str) -> str:
        """Return the scratch volume that has a service's proven data."""
        return f"{self.work.stack['name']}.restore_{self.work.stack['services'][name]['volumes'][0]['name']}"

    def remove_kept_volumes(self) -> None:
        """Remove copies that were to stay after a restore that was not well; the old data are back."""
        from docker.errors import NotFound

        for item in self.work.journal.read().get(KEEPING, []):
            with contextlib.suppress(NotFound):
                self.client.volumes.get(item.partition(":")[2]).remove()
            self.work.journal.remove(KEEPING, item)

    def remove_old_data(self) -> None:
        """Remove the old data; the journal names none of them any more."""
        from ..helper_containers import remove_all

        remove_all(self.client, f"{self.work.stack['name']}.{ASIDE}")
