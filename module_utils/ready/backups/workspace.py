# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings, lock, staging and state of a stack's backups on its host; undoes what an interrupted run has left."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.files import write_text
from ..host import file_lock
from ..host.restore_journal import IMAGES, PROVEN, REPLACING, SWAPPING
from ..host.restore_journal import WORK as WORK
from ..secrets.redaction import all_texts, register_secrets
from ..stack.schedules import SETTINGS
from .journal import Journal
from .manifest import BackupError, BusyError
from .restic.repository import TAG, Repository

if TYPE_CHECKING:
    from docker import DockerClient

#: What scratch sides are made for: none of them outlives its run.
PURPOSES = ("backup", "drill", "restore")


def _described(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupError(
            f"the description of the stack: found {error}; expected {path}, which ./ready up writes. Next: ./ready up"
        ) from error
    return found


@dataclass
class Workspace:
    """A stack's place on its host.

    Attributes:
        settings: what role `backup` wrote; see library/backup_settings.py. And `stack`: what `up` says of it.
        directory: state, staging and restic's cache.
    """

    settings: dict[str, Any]
    directory: Path

    @classmethod
    def of(cls, stack: str) -> Workspace:
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

    def settings_directory(self) -> Path:
        """Return the directory of the key and the credentials."""
        return SETTINGS / str(self.stack["name"])

    def repository(self, credentials: str = "environment") -> Repository:
        """Return the repository, with the credentials for writing or for pruning (`prune`)."""
        path = self.settings_directory() / f"{credentials}.json"
        if not path.exists():
            path = self.settings_directory() / "environment.json"
        environment = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        register_secrets(all_texts(environment))
        return Repository(
            self.settings["repository"], self.settings_directory() / "key", self.directory / "cache", environment
        )

    @contextmanager
    def discard_on_failure(self, mark: str, kind: str = TAG) -> Iterator[None]:
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
    def exclusive(self) -> Iterator[None]:
        """Be the only run; the lock goes with the process, however it ends. Raises BackupError."""
        try:
            with file_lock.locked(self.directory / "lock", wait=False):
                yield
        except file_lock.HeldError as error:
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

        from .helper_containers import remove_all, remove_containers
        from .postgresql import closed_databases
        from .restore.data_swap import ASIDE, DataSwap

        lines = []
        left, swap = self.journal.read(), DataSwap(client, self)
        # A killed run's helper may still be copying: nothing of it may write beside what puts data back.
        for purpose in PURPOSES if left else ():
            remove_containers(client, f"{self.stack['name']}.{purpose}")
        for name in left.get(SWAPPING, []):
            swap.put_back(name)
            lines.append(f"put the old data of {name} back, since an interrupted run had not finished its restore")
        swap.remove_kept_volumes()
        lines += [swap.finish_replacement(name) for name in left.get(REPLACING, [])]
        half = self.journal.read().get(REPLACING, [])
        for name in [name for name in left.get("stopped", []) if name not in half]:
            with contextlib.suppress(NotFound):
                container = client.containers.get(self.stack["services"][name]["container"])
                if container.status != "running":
                    container.start()
                    lines.append(f"started {container.name}, which an interrupted run had stopped")
        lines += closed_databases.heal(client, self.stack)
        for purpose in (*PURPOSES, ASIDE):
            removed = remove_all(client, f"{self.stack['name']}.{purpose}")
            lines += [f"removed {name}, left by an interrupted run" for name in removed]
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
