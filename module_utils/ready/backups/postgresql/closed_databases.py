# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Open databases that allow no connections for superusers alone while they are read, and always close them again.

What is opened is in a record on the host before: a run that was killed is put right by the next one. The record names
the cluster, so it never closes a database of another one that was put in its place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...common.files import write_text
from ...host.upgrade_journal import DIRECTORY
from ..manifest import BackupError
from . import databases
from .databases import Database
from .psql import ask
from .quoting import identifier

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

SERVICE = "postgresql"
#: Seconds that a server which was just started may take until it answers.
ANSWERING = 60.0
_SYSTEM = "SELECT system_identifier FROM pg_control_system()"


@dataclass
class OpenedRecord:
    """Which databases are open although they should be closed: {system: id, databases: {name: connection limit}}."""

    path: Path

    @classmethod
    def of(cls, stack: str, directory: Path = DIRECTORY) -> OpenedRecord:
        """Return a stack's record."""
        return cls(directory / f"opened-{stack}.json")

    def read(self) -> dict[str, Any]:
        """Return what is opened; {} when nothing is. Raises BackupError: a damaged record must not be ignored."""
        try:
            found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise BackupError(
                f"{self.path}, which says which databases an interrupted run had opened, can't be read ({error}). "
                "Nothing was changed. Next: see in pg_database which ones have a connection limit of 0, set "
                "ALLOW_CONNECTIONS false and their limit, remove the file"
            ) from error
        return found

    def write(self, system: str, limits: Mapping[str, int]) -> None:
        """Put down what is about to be opened; on the disk before this returns."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(self.path, json.dumps({"system": system, "databases": dict(limits)}))

    def clear(self) -> None:
        """Say that all is closed."""
        self.path.unlink(missing_ok=True)


def read_databases(container: Container, login: str) -> list[Database]:
    """Return all databases of a running server. Raises BackupError."""
    return databases.parse(ask(container, login, databases.QUERY))


def close_left_open(container: Container, login: str, record: OpenedRecord) -> list[str]:
    """Close what a run that was killed had opened, and return the names. Raises BackupError."""
    left = record.read()
    if not left:
        return []
    names = []
    if ask(container, login, _SYSTEM) == left["system"]:
        there = {database.name for database in read_databases(container, login)}
        for name, limit in left["databases"].items():
            if name in there:
                _close(container, login, name, limit)
                names.append(name)
    record.clear()
    return names


def _close(container: Container, login: str, name: str, limit: int) -> None:
    alter = f"ALTER DATABASE {identifier(name)}"
    ask(container, login, f"{alter} ALLOW_CONNECTIONS false", f"{alter} CONNECTION LIMIT {limit}")


def set_flags(container: Container, login: str, expected: list[Database]) -> None:
    """Give databases the flags that they should have. Raises BackupError."""
    if statements := databases.flag_statements(expected, read_databases(container, login)):
        ask(container, login, *statements)


class OpenedDatabases:
    """The closed databases of a server, open for superusers; a context, or `open` and `close`.

    Args:
        container: the running server.
        login: the admin's.
        record: where it is put down first; None in scratch, which ends with its run.

    Attributes:
        found: all databases, with the flags that they had.
    """

    def __init__(self, container: Container, login: str, record: OpenedRecord | None) -> None:
        self.container, self.login, self.record = container, login, record
        self.found: list[Database] = []
        self._limits: dict[str, int] = {}

    def open(self) -> None:
        """Open them: the limit that keeps all but superusers out first. Raises BackupError."""
        if self.record:
            close_left_open(self.container, self.login, self.record)
        self.found = read_databases(self.container, self.login)
        self._limits = {its.name: its.limit for its in databases.closed(self.found)}
        if self._limits and self.record:
            self.record.write(ask(self.container, self.login, _SYSTEM), self._limits)
        for name in self._limits:
            alter = f"ALTER DATABASE {identifier(name)}"
            ask(self.container, self.login, f"{alter} CONNECTION LIMIT 0", f"{alter} ALLOW_CONNECTIONS true")

    def close(self) -> None:
        """Close them again, with the limits that they had. Raises BackupError; the next run tries again then."""
        if not self._limits:
            return
        there = {database.name for database in read_databases(self.container, self.login)}
        for name, limit in self._limits.items():
            if name in there:
                _close(self.container, self.login, name, limit)
        self._limits = {}
        if self.record:
            self.record.clear()

    @property
    def names(self) -> list[str]:
        """The databases that can be read now and that a set holds."""
        return [database.name for database in databases.saved(self.found)]

    def __enter__(self) -> OpenedDatabases:
        """Open them; what was opened is closed again when that fails."""
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self.close()


def heal(client: DockerClient, stack: Mapping[str, Any]) -> list[str]:
    """Close what a run that was killed had opened; return a line each. What can't be done yet stays on the record."""
    from docker.errors import NotFound  # the SDK takes a third of a second, which a timer with nothing to do saves

    record, service = OpenedRecord.of(stack["name"]), stack["services"].get(SERVICE)
    if service is None or not record.path.exists():
        return []
    later = f"databases that an interrupted run had opened for superusers are not closed yet ({record.path})"
    try:
        container = client.containers.get(service["container"])
    except NotFound:
        return [f"{later}: there is no {service['container']}"]
    if container.status != "running":
        return [f"{later}: {service['container']} is {container.status}"]
    deadline = time.monotonic() + ANSWERING
    while True:
        try:
            names = close_left_open(container, service["accounts"]["admin"]["login"], record)
        except BackupError as error:
            if time.monotonic() > deadline:
                return [f"{later}: {error}"]
            time.sleep(1)
        else:
            return [f"closed the database {name} again, which an interrupted run had opened" for name in names]
