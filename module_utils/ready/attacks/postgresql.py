# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attacks on PostgreSQL, by psycopg."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg import sql

from ..services.postgresql import PostgreSQL
from .attempt import Attempt, RefusedError
from .base import Attacker, rights, wrong_password

#: libpq gives no code for a login that failed, so it is told by the server's and libpq's own words.
_LOGIN_REFUSED = ("password authentication failed", "no password supplied", "no pg_hba.conf entry")
#: It reads what it is given: one that ends before that breaks the pipe, and would look as if it had not been let run.
_PROGRAM = "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null'"
_RIGHTS = """
SELECT rolsuper AS superuser, rolcreaterole AS createrole, rolcreatedb AS createdb, rolreplication AS replication,
       rolbypassrls AS bypassrls,
       pg_has_role(oid, 'pg_execute_server_program', 'MEMBER') AS pg_execute_server_program,
       pg_has_role(oid, 'pg_read_server_files', 'MEMBER') AS pg_read_server_files,
       pg_has_role(oid, 'pg_write_server_files', 'MEMBER') AS pg_write_server_files
FROM pg_roles WHERE rolname = current_user
"""


class PostgreSQLAttacker(Attacker):
    """Whatever would change something is rolled back."""

    def _connect(self, probe: Any, account: str) -> psycopg.Connection[Any]:
        return cast(PostgreSQL, probe).connect(account)

    def refusal(self, error: Exception) -> bool:
        """Return whether the server said no."""
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return True
        return isinstance(error, psycopg.OperationalError) and any(words in str(error) for words in _LOGIN_REFUSED)

    def alive(self) -> None:
        """Log in."""
        self._connect(self.probe, "app").close()

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried."""
        app, admin, monitor = (self.login(account) for account in ("app", "admin", "monitor"))
        database = self.probe.service["database"]
        role = f"ready_attack_{uuid.uuid4().hex[:8]}"
        psql = f"psql -h HOST -p PORT -U {app} -d {database} -c"

        def sql_as(account: str, *statements: str) -> str:
            with self._connect(self.probe, account) as connection:
                for statement in statements[:-1]:
                    connection.execute(sql.SQL(statement))
                with connection.transaction(force_rollback=True):
                    connection.execute(sql.SQL(statements[-1]))
            return f"the server did it: {statements[-1]}"

        def enter(login: str, password: str) -> str:
            self._connect(self.impostor(login, password), "impostor").close()
            return f"{login} is let in"

        def nobody() -> str:
            for login in (app, admin):
                try:
                    enter(login, "")
                except psycopg.OperationalError as error:
                    if not self.refusal(error):
                        raise
                    told = str(error)
                else:
                    return f"{login} is let in without a password"
            raise RefusedError(told)

        def app_rights() -> str:
            with self._connect(self.probe, "app") as connection:
                cursor = connection.execute(_RIGHTS)
                names = [column.name for column in cursor.description or ()]
                return rights(dict(zip(names, cursor.fetchone() or (), strict=True)))

        def other_database() -> str:
            with self._connect(self.probe, "app") as connection:
                others = connection.execute(
                    "SELECT datname FROM pg_database WHERE datallowconn AND datname <> current_database() "
                    "AND pg_get_userbyid(datdba) <> current_user ORDER BY 1"
                ).fetchall()
            for (other,) in others:
                try:
                    probe = self.impostor(app, self.probe.passwords["app"], database=other)
                    self._connect(probe, "impostor").close()
                except psycopg.OperationalError as error:
                    if "permission denied for database" not in str(error):
                        raise
                else:
                    return f"the app is let into the database {other}"
            raise RefusedError(
                f"permission denied for {', '.join(other for (other,) in others) or 'no other database'}"
            )

        return [
            Attempt(
                "no_password", "Nobody gets in without a password", f"psql -w -h HOST -U {app}, then {admin}", nobody
            ),
            Attempt(
                "wrong_password",
                "A wrong password is refused",
                f"PGPASSWORD=wrong psql -h HOST -p PORT -U {app} -d {database}",
                lambda: enter(app, wrong_password()),
            ),
            Attempt(
                "app_rights", "The app is no superuser", f"{psql} '\\du {app}'", app_rights, "no right over the server"
            ),
            Attempt(
                "run_program",
                "The app can't run programs on the server",
                f'{psql} "{_PROGRAM}"',
                lambda: sql_as("app", _PROGRAM),
            ),
            Attempt(
                "read_server_file",
                "The app can't read the server's files",
                f"{psql} \"SELECT pg_read_file('/etc/passwd')\"",
                lambda: sql_as("app", "SELECT length(pg_read_file('/etc/passwd'))"),
            ),
            Attempt(
                "create_role",
                "The app can't make accounts",
                f'{psql} "BEGIN; CREATE ROLE x; ROLLBACK"',
                lambda: sql_as("app", f"CREATE ROLE {role}"),
            ),
            Attempt(
                "become_admin",
                "The app can't become the administrator",
                f'{psql} "SET ROLE {admin}"',
                lambda: sql_as("app", f'SET ROLE "{admin}"'),
            ),
            Attempt(
                "read_password_hashes",
                "The app can't read password hashes",
                f'{psql} "TABLE pg_authid"',
                lambda: sql_as("app", "SELECT count(rolpassword) FROM pg_authid"),
            ),
            Attempt(
                "other_database",
                "The app can't connect to other databases",
                f"psql -h HOST -p PORT -U {app} -d postgres",
                other_database,
            ),
            Attempt(
                "monitor_writes",
                "The monitor can't write",
                f'psql -U {monitor} -d {database} -c "SET default_transaction_read_only = off; CREATE TABLE x ()"',
                lambda: sql_as("monitor", "SET default_transaction_read_only = off", f"CREATE TABLE public.{role} ()"),
            ),
        ]
