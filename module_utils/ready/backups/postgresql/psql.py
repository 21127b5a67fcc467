# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run SQL by psql in PostgreSQL's own container, as the admin over the socket: no driver, no password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...common.output_excerpt import excerpt
from ...docker import execute
from ..manifest import BackupError

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Where questions about the whole cluster are asked.
MAIN = "postgres"


def target(database: str, login: str, **more: str) -> str:
    """Return what psql, pg_dump and pg_restore take for `-d`, whatever a database's name is made of."""
    words = {"dbname": database, "user": login, **more}
    return " ".join(f"{key}='{_escaped(value)}'" for key, value in words.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def ask(container: Container, login: str, *statements: str, database: str = MAIN) -> str:
    """Return what statements print, each in its own transaction. Raises BackupError at the first that fails."""
    command = ["psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-d", target(database, login)]
    for statement in statements:
        command += ["-c", statement]
    done = execute.run(container, command)
    if done.exit_code != 0:
        raise BackupError(f"{container.name}: psql ended with {done.exit_code}: {excerpt(done.output)}")
    return done.output.decode(errors="replace").strip()
