# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where runs work on a host: settings, lock, staging, and the journal by which the next run heals a killed one."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import hostlock
from ..container import LABEL_STACK
from ..evidence import write_text
from ..schedules import SETTINGS
from .interrupted import IMAGES, KEEPING, PROVEN, REPLACING, SWAPPING
from .interrupted import WORK as WORK
from .manifest import BackupError, BusyError
from .restic import TAG, Repository

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: What scratch sides are made for: none of them outlives its run.
PURPOSES = ("backup", "drill", "restore")
#: Of the volumes that keep old data during a restore: they outlive a run that could not put them back.
ASIDE = "aside"


def _described(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupError(
            f"the description of the stack: found {error}; expected {path}, which ./ready up writes. Next: ./ready up"
        ) from error
    return found


@dataclass
class Work:
    """A stack's place on its host.

    Attributes:
        settings: what role `backup` wrote; see library/backup_settings.py. And `stack`: what `up` says of it.
        directory: state, staging and restic's cache.
    """

    settings: dict[str, Any]
    directory: Path

    @classmethod
    def of(cls, stack: str) -> Work:
        """Return the place of a stack. Raises BackupError when role backup has not been here."""
        path = SETTINGS / stack / "settings.json"
        try:
            settings = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise BackupError(f"found no {path}, expected the settings of backups. Next: ./ready backup") from error
        if "description" in settings:  # earlier versions kept a copy of the stack in the settings
            settings["stack"] = _described(Path(settings["description"]))
        directory = Path(settings.get("directory") or WORK / stack)
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        return cls(settings, directory)

    @property
    def stack(self) -> dict[str, Any]:
        """The resolved stack."""
        found: dict[str, Any] = self.settings["stack"]
        return found

    @property
    def staging(self) -> Path:
        """Where a set is put together; always the same path, so that restic finds the set before it."""
        return self.directory / "staging"

    @property
    def fetched(self) -> Path:
        """Where a set is fetched to."""
        return self.directory / "fetched"

    def place(self) -> Path:
        """Return the directory of the key and the credentials."""
        return SETTINGS / str(self.stack["name"])

    def repository(self, credentials: str = "environment") -> Repository:
        """Return the repository, with the credentials for writing or for pruning (`prune`)."""
        path = self.place() / f"{credentials}.json"
        if not path.exists():
            path = self.place() / "environment.json"
        environment = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return Repository(self.settings["repository"], self.place() / "key", self.directory / "cache", environment)

    @contextmanager
    def whole(self, mark: str, kind: str = TAG) -> Iterator[None]:
        """Save a snapshot that has the tag `mark`; when that fails no half of it may be taken for the newest one."""
        try:
            yield
        except BackupError as error:
            try:
                self.repository("prune").discard(str(self.stack["name"]), mark, kind)
            except BackupError as left:
                raise BackupError(
                    f"{error}. And what may have been saved of it could not be removed: {left}. Next: restic forget "
                    f"the snapshot with the tag {mark}, if there is one"
                ) from error
            raise

    def state(self) -> dict[str, Any]:
        """Return what earlier runs left to know: whether the repository is known, when sets were proven."""
        try:
            found: dict[str, Any] = json.loads((self.directory / "state.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def remember(self, **values: Any) -> None:
        """Add to the state."""
        write_text(self.directory / "state.json", json.dumps(self.state() | values, indent=1))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only run; the lock goes with the process, however it ends. Raises BackupError."""
        try:
            with hostlock.held(self.directory / "lock", wait=False):
                yield
        except hostlock.HeldError as error:
            raise BusyError(
                f"another backup, drill or restore of {self.stack['name']} runs (process {error}). "
                "Nothing was changed. Next: wait for it"
            ) from error

    @property
    def journal(self) -> Journal:
        """The journal."""
        return Journal(self.directory / "journal.json")

    def heal(self, client: DockerClient) -> list[str]:
        """Undo what a killed run left: containers start again, old data come back, scratch things and staging go.

        Returns a line each.
        """
        from docker.errors import NotFound  # the SDK takes a third of a second, which a timer with nothing to do saves

        from . import opened
        from .volumes import remove_containers

        lines = []
        left = self.journal.read()
        # A killed run's helper may still be copying: nothing of it may write beside what puts data back.
        for purpose in PURPOSES if left else ():
            remove_containers(client, f"{self.stack['name']}.{purpose}")
        for name in left.get(SWAPPING, []):
            self.put_back(client, name)
            lines.append(f"put the old data of {name} back, since an interrupted run had not finished its restore")
        self.drop_kept(client)
        lines += [self._go_on(client, name) for name in left.get(REPLACING, [])]
        half = self.journal.read().get(REPLACING, [])
        for name in [name for name in left.get("stopped", []) if name not in half]:
            with contextlib.suppress(NotFound):
                container = client.containers.get(self.stack["services"][name]["container"])
                if container.status != "running":
                    container.start()
                    lines.append(f"started {container.name}, which an interrupted run had stopped")
        lines += opened.heal(client, self.stack)
        for purpose in (*PURPOSES, ASIDE):
            lines += [f"removed {name}, left by an interrupted run" for name in self._remove(client, purpose)]
        for path in (self.staging, self.fetched):
            if path.exists():
                shutil.rmtree(path)
                lines.append(f"removed {path}, left by an interrupted run")
        if left:
            with contextlib.suppress(BackupError):
                self.repository().run("unlock", timeout=60)
            self.journal.note(**{"stopped": [], PROVEN: [], IMAGES: []})
            self.journal.end()  # data that are still half a set's stay in it
        return lines

    def _remove(self, client: DockerClient, purpose: str) -> list[str]:
        from .volumes import remove_all

        return remove_all(client, f"{self.stack['name']}.{purpose}")

    def aside(self, name: str) -> str:
        """Return the volume that keeps a service's old data while new ones are put in their place."""
        kept = dict(item.split(":", 1) for item in self.journal.read().get(KEEPING, []))
        return kept.get(name, f"{self.stack['name']}.restore_{name}_aside")

    def duplicate(self, client: DockerClient, image: str, source: str, target: str, what: str) -> None:
        """Make one volume hold what another does, by a helper that `heal` finds; `what` is said when that fails."""
        from .volumes import copy, finish

        finish(copy(client, image, source, target, f"{self.stack['name']}.restore"), what)

    def keep_aside(
        self, client: DockerClient, name: str, image: str, kept: tuple[str, Mapping[str, str]] | None = None
    ) -> None:
        """Copy a stopped service's data to where they are kept, and say in the journal that they are.

        Args:
            client: a connected client.
            name: the service.
            image: id of an image that has `cp`.
            kept: name and labels of a copy that stays when the restore was well; None is one that goes with the run.
        """
        if kept:
            self.journal.add(KEEPING, f"{name}:{kept[0]}")
        labels = dict(kept[1]) if kept else {LABEL_STACK: f"{self.stack['name']}.{ASIDE}"}
        client.volumes.create(self.aside(name), labels=labels)
        real = self.stack["services"][name]["volumes"][0]["name"]
        self.duplicate(client, image, real, self.aside(name), f"{name}: keeping the old data")
        self.journal.add(SWAPPING, name)

    def put_back(self, client: DockerClient, name: str) -> None:
        """Stop a service, make its data volume what it was before a restore, and take its name off the journal.

        Raises BackupError when the old data are not there: Docker would make an empty volume, and the copy an empty
        service.
        """
        from docker.errors import NotFound

        service = self.stack["services"][name]
        try:
            client.volumes.get(self.aside(name))
        except NotFound as error:
            raise BackupError(
                f"{name}: found no volume {self.aside(name)}, expected the data from before an interrupted restore. "
                f"Nothing was put back. Next: look whether {name} holds what it should; if so remove "
                f"{self.journal.path} and go on, else remove it and ./ready restore"
            ) from error
        image, _ = self._stop(client, name)
        real = service["volumes"][0]["name"]
        self.duplicate(client, image, self.aside(name), real, f"{name}: putting data back")
        self.journal.remove(SWAPPING, name)

    def _stop(self, client: DockerClient, name: str) -> tuple[str, Container | None]:
        """Stop a service, if it has a container; return the id of an image that copies its data, and the container."""
        from ..engine import find_container
        from .copier import image_of

        service = self.stack["services"][name]
        container = find_container(client, service["container"])
        image = image_of(client, container, self.stack, name, self.journal.read().get(IMAGES, []))
        if container:
            container.stop(timeout=service["stop_timeout"])
        return image, container

    def _go_on(self, client: DockerClient, name: str) -> str:
        """Finish putting restored data in place where no copy of the old ones was wanted; return what was done.

        The data in scratch have been proven, and what the service's volume holds is half of them.
        """
        from docker.errors import NotFound

        service = self.stack["services"][name]
        real = service["volumes"][0]["name"]
        left = self.journal.read()
        try:
            client.volumes.get(real)
        except NotFound:
            self.journal.remove(REPLACING, name)
            return f"found no {real}, which had incomplete data of {name}, left by an interrupted restore"
        try:
            # An earlier version's journal names none of them, and was never kept without them.
            if name not in left.get(PROVEN, left[REPLACING]):
                raise NotFound(self.restored(name))
            client.volumes.get(self.restored(name))
        except NotFound:
            return (
                f"{name} stays stopped: its data are incomplete, since a restore without a safety set was interrupted. "
                f"Next: ./ready restore --only {name}"
            )
        image, container = self._stop(client, name)
        self.duplicate(client, image, self.restored(name), real, f"{name}: putting the restored data in place")
        self.journal.remove(REPLACING, name)
        if container:
            container.start()
        return f"put the restored data of {name} in place, as an interrupted restore without a safety set had begun to"

    def restored(self, name: str) -> str:
        """Return the scratch volume that has a service's proven data."""
        return f"{self.stack['name']}.restore_{self.stack['services'][name]['volumes'][0]['name']}"

    def drop_kept(self, client: DockerClient) -> None:
        """Remove copies that were to stay after a restore that was not well; the old data are back."""
        from docker.errors import NotFound

        for item in self.journal.read().get(KEEPING, []):
            with contextlib.suppress(NotFound):
                client.volumes.get(item.partition(":")[2]).remove()
            self.journal.remove(KEEPING, item)

    def drop_aside(self, client: DockerClient) -> None:
        """Remove the old data; the journal names none of them any more."""
        self._remove(client, ASIDE)


class Journal:
    """What a run has done that must be undone should it be killed; written before it is done.

    Several threads may write into it; several processes never do, since a run is alone.
    """

    _writing = threading.Lock()

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, list[str]]:
        """Return key -> names; nothing when no run was killed."""
        try:
            found: dict[str, list[str]] = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def note(self, **names: list[str]) -> None:
        """Replace keys, on disk before this returns."""
        with self._writing:
            self._write(names)

    def add(self, key: str, name: str) -> None:
        """Add a name to those of a key, on disk before this returns."""
        with self._writing:
            self._write({key: [*self.read().get(key, []), name]})

    def remove(self, key: str, name: str) -> None:
        """Take a name off those of a key, on disk before this returns."""
        with self._writing:
            self._write({key: [other for other in self.read().get(key, []) if other != name]})

    def _write(self, names: Mapping[str, list[str]]) -> None:
        write_text(self.path, json.dumps({**self.read(), **names}))

    def end(self) -> None:
        """Forget the run, unless something of it is still to be undone: then the next one tries."""
        if not any(self.read().values()):
            self.clear()

    def clear(self) -> None:
        """Say that nothing is to be undone."""
        self.path.unlink(missing_ok=True)
