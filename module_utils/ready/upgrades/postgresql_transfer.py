# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transfer PostgreSQL's data between major releases: the new pg_dump asks the old server over a shared socket.

Both servers run in containers without network, on a volume for their sockets; the admin is let in as the container's
own user (peer), so no password is needed. https://www.postgresql.org/docs/17/upgrading.html, section 18.6.1: use the
newer programs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..backups.postgresql.closed_databases import OpenedDatabases, OpenedRecord, read_databases, set_flags
from ..backups.postgresql.databases import saved
from ..docker import execute
from ..docker.state import EngineError
from .store_queries import run

if TYPE_CHECKING:
    from docker.models.containers import Container

SOCKETS = "/var/run/postgresql"
OLD_PORT, NEW_PORT = "5432", "5433"
#: The new cluster gets its databases from the old one, so the entrypoint makes none of its own.
NEW_ENVIRONMENT = {"PGPORT": NEW_PORT, "POSTGRES_DB": "postgres"}
PAUSE = 0.25
#: Those that let the admin in, template1 among them.
_DATABASES = """
SELECT datname FROM pg_database WHERE datname <> 'template0' AND datallowconn AND datconnlimit <> -2 ORDER BY 1
"""
#: Of an admin, who is in the new cluster already ($1), at sockets ($2) of the old port ($3) and the new one ($4), for
#: all databases that a query ($5) names.
_TRANSFER = """
set -euo pipefail
from=(-h "$2" -p "$3" -U "$1") to=(-h "$2" -p "$4" -U "$1")
quoted=$(psql "${from[@]}" -d postgres -XAtqc "SELECT quote_ident(current_user)")
pg_dumpall "${from[@]}" --globals-only | grep -vxF "CREATE ROLE $quoted;" |
  psql "${to[@]}" -d postgres -X -q -v ON_ERROR_STOP=1 >/dev/null
psql "${from[@]}" -d postgres -XAtqc "$5" |
while IFS= read -r database; do
  case $database in
    postgres | template1) where=(-d "$database") ;;      # every cluster has them
    *) where=(--create -d postgres) ;;
  esac
  pg_dump "${from[@]}" -Fc -d "$database" </dev/null | pg_restore "${to[@]}" --exit-on-error "${where[@]}"
done
vacuumdb "${to[@]}" --all --analyze-only --quiet       # a restored cluster has no statistics
"""
#: A line per figure: rows by table, objects by kind, where sequences are. (18 has not-null constraints as objects.)
_CONTENTS = """
WITH spaces AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
SELECT format('%s rows of %I.%I', current_database(), nspname, relname),
       (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM ONLY %I.%I', nspname, relname),
                                            false, true, '')))[1]::text
  FROM pg_class c JOIN spaces s ON s.oid = relnamespace WHERE relkind = 'r'
UNION ALL SELECT format('%s relations of kind %s', current_database(), relkind), count(*)::text
  FROM pg_class JOIN spaces s ON s.oid = relnamespace GROUP BY relkind
UNION ALL SELECT format('%s constraints of type %s', current_database(), contype), count(*)::text
  FROM pg_constraint JOIN spaces s ON s.oid = connamespace WHERE contype <> 'n' GROUP BY contype
UNION ALL SELECT current_database() || ' functions', count(*)::text FROM pg_proc JOIN spaces s ON s.oid = pronamespace
UNION ALL SELECT format('%s sequence %I.%I', current_database(), schemaname, sequencename),
       coalesce(last_value, 0)::text FROM pg_sequences
UNION ALL SELECT 'roles', count(*)::text FROM pg_roles WHERE rolname !~ '^pg_'
ORDER BY 1
"""
_COUNT = """
set -euo pipefail
at=(-h "$1" -p "$2" -U "$3")
psql "${at[@]}" -d postgres -XAtqc "$5" |
while IFS= read -r database; do
  psql "${at[@]}" -d "$database" -XAtq -v ON_ERROR_STOP=1 -F $'\\t' -c "$4" </dev/null
done
"""


def figures(text: str) -> dict[str, str]:
    """Return figure -> value of what `_COUNT` printed."""
    return dict(line.rsplit("\t", 1) for line in text.splitlines() if "\t" in line)


def _await(container: Container, host: str, port: str, deadline: float) -> None:
    """Wait until a server accepts connections at an address that it has only once it is the real one."""
    command = ["pg_isready", "-q", "-h", host, "-p", port]
    while execute.run(container, command).exit_code != 0:
        container.reload()
        if container.status != "running" or time.monotonic() > deadline:
            output = container.logs(tail=8).decode(errors="replace").strip()
            raise EngineError(f"{container.name} is {container.status}, expected a server that answers: {output}")
        time.sleep(PAUSE)


def transfer(
    old: Container, new: Container, admin: str, deadline: float, record: OpenedRecord
) -> tuple[dict[str, str], dict[str, str]]:
    """Move everything from the old server to the new, empty one; return what each holds then. Raises EngineError.

    Args:
        old: a running container of the old server.
        new: a running container of the new one, whose first start makes an empty cluster.
        admin: the superuser's name in both.
        deadline: until when (monotonic seconds) both must accept connections.
        record: where it is put down which databases of the old server are opened meanwhile.
    """
    _await(old, SOCKETS, OLD_PORT, deadline)
    _await(new, "127.0.0.1", NEW_PORT, deadline)  # during its first start a server listens on its socket alone
    with OpenedDatabases(old, admin, record) as opened:
        run(new, ["bash", "-c", _TRANSFER, "-", admin, SOCKETS, OLD_PORT, NEW_PORT, _DATABASES])
        before, after = (
            figures(run(new, ["bash", "-c", _COUNT, "-", SOCKETS, port, admin, _CONTENTS, _DATABASES]))
            for port in (OLD_PORT, NEW_PORT)
        )
    set_flags(new, admin, saved(opened.found))
    for container, its in ((old, before), (new, after)):
        its |= {f"database {database.name}": database.flags for database in saved(read_databases(container, admin))}
    return before, after
