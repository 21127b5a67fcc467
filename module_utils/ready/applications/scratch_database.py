# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A database of PostgreSQL for one run: made and dropped by the admin, over the socket in its container.

A comment says that it is Ready's. One of the same name without it is somebody's, and is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_STACK
from ..common.output_excerpt import excerpt
from ..docker import execute
from ..docker.state import find_container, reason, sdk_errors

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: The comment of a database that any run may drop.
MARK = "made by ready for one run, dropped at its end"
#: How long psql waits for a lock or a statement, and for a server that takes the connection and says nothing.
_LIMITS = ("PGOPTIONS=-c statement_timeout=30000 -c lock_timeout=10000", "PGCONNECT_TIMEOUT=10")


class DatabaseError(Exception):
    """PostgreSQL can't be asked, or refuses; the message says why."""


class ForeignDatabaseError(Exception):
    """There is a database of that name which no run of Ready made."""


class ScratchDatabase:
    """One database.

    Args:
        client: a connected client.
        stack: the resolved stack; its PostgreSQL may be stopped or gone.
        name: of the database, made of a-z and _.
    """

    def __init__(self, client: DockerClient, stack: Mapping[str, Any], name: str) -> None:
        self.client, self.stack, self.name = client, stack, name
        self.service: Mapping[str, Any] | None = stack["services"].get("postgresql")

    def _container(self) -> Container:
        found = find_container(self.client, self.service["container"]) if self.service else None
        if found is None or found.labels.get(LABEL_STACK) != self.stack["name"]:
            raise DatabaseError("postgresql: found no container of the stack; expected one. Next: ./ready up")
        if found.status != "running":
            raise DatabaseError(f"postgresql: found its container {found.status}; expected it to run. Next: ./ready up")
        return found

    def _ask(self, *statements: str) -> str:
        """Return what statements print, each in its own transaction. Raises DatabaseError."""
        try:
            container = self._container()
            login = self.service["accounts"]["admin"]["login"] if self.service else ""
            command = ["env", *_LIMITS, "psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-U", login]
            command += ["-d", "postgres", *(word for each in statements for word in ("-c", each))]
            done = execute.run(container, command)
        except sdk_errors() as error:
            raise DatabaseError(
                f"postgresql: found {reason(error)}; expected an answer. Next: ./ready check"
            ) from error
        if done.exit_code != 0:
            output = excerpt(done.output)
            raise DatabaseError(f"postgresql: found {output}; expected the database {self.name}. Next: ./ready check")
        return done.output.decode(errors="replace").strip()

    def refuse_foreign(self) -> bool:
        """Return whether the database is there. Raises ForeignDatabaseError when it is not Ready's, DatabaseError."""
        comment = "coalesce(shobj_description(oid, 'pg_database'), '')"
        answer = self._ask(f"SELECT {comment} = '{MARK}' FROM pg_database WHERE datname = '{self.name}'")  # noqa: S608
        if answer == "f":
            raise ForeignDatabaseError(
                f"PostgreSQL: found the database {self.name}, which no run of Ready made; expected none of that name. "
                "Nothing was changed. Next: rename it, or drop it if nobody needs it"
            )
        return answer == "t"

    def make(self) -> bool:
        """Make it, owned by the application's account; return whether another run had left one. Raises as above."""
        left = self.drop()
        login = self.service["accounts"]["app"]["login"] if self.service else ""
        owner = '"' + login.replace('"', '""') + '"'
        self._ask(f'CREATE DATABASE "{self.name}" OWNER {owner} TEMPLATE template0')
        try:
            self._ask(f"COMMENT ON DATABASE \"{self.name}\" IS '{MARK}'")
        except DatabaseError:  # without it every run would take it for somebody's
            self._ask(self._dropping)
            raise
        return left

    def drop(self) -> bool:
        """End its sessions and drop it; return whether it was there. Raises as above."""
        if not self.refuse_foreign():
            return False
        self._ask(self._dropping)
        return True

    @property
    def _dropping(self) -> str:
        return f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)'
