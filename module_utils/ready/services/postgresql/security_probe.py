# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Security probe of PostgreSQL, by psycopg."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg import sql

from ...security.attempt import Attempt, RefusedError
from ...security.probe import SecurityProbe, rights, wrong_password
from ...stack.accounts import ACCOUNTS, READER
from .probe import PostgreSQLProbe

#: libpq gives no code for a login that failed, so it is recognized by the server's and libpq's own words.
_LOGIN_REFUSED = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "pg_hba.conf rejects connection",
)
#: It reads what it is given: one that ends before that breaks the pipe, and would look as if it had not been let run.
_PROGRAM = "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null'"
#: Of the role itself, or of one that it may become by SET ROLE.
_RIGHTS = """
SELECT bool_or(other.rolsuper) AS superuser, bool_or(other.rolcreaterole) AS createrole,
       bool_or(other.rolcreatedb) AS createdb, bool_or(other.rolreplication) AS replication,
       bool_or(other.rolbypassrls) AS bypassrls,
       bool_or(other.rolname = 'pg_execute_server_program') AS pg_execute_server_program,
       bool_or(other.rolname = 'pg_read_server_files') AS pg_read_server_files,
       bool_or(other.rolname = 'pg_write_server_files') AS pg_write_server_files,
       bool_or(other.rolname = 'pg_read_all_data') AS pg_read_all_data,
       bool_or(other.rolname = 'pg_write_all_data') AS pg_write_all_data
FROM pg_roles AS its JOIN pg_roles AS other ON pg_has_role(its.oid, other.oid, 'MEMBER')
WHERE its.rolname = %s
"""
#: Databases of the inventory that are there: before `up` one may not be.
_THERE = "SELECT datname FROM pg_database WHERE datallowconn AND datname = ANY(%s) ORDER BY 1"
#: What rows are read from, by its owner; a column is enough, and so is the right to become the owner.
_READABLE = """
SELECT c.oid::regclass::text, pg_has_role(c.relowner, 'MEMBER')
       OR (has_schema_privilege(c.relnamespace, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT'))
FROM pg_class AS c
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND pg_get_userbyid(c.relowner) = ANY(%s)
ORDER BY 1
"""
_TEXT = "SELECT query FROM pg_stat_activity WHERE pid = %s"


class PostgreSQLSecurityProbe(SecurityProbe):
    """Whatever would change something is rolled back."""

    def _connect(self, probe: Any, account: str) -> psycopg.Connection[Any]:
        return cast(PostgreSQLProbe, probe).connect(account)

    def refusal(self, error: Exception) -> bool:
        """Return whether the server refused."""
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return True
        return isinstance(error, psycopg.OperationalError) and any(words in str(error) for words in _LOGIN_REFUSED)

    def alive(self) -> None:
        """Log in."""
        self._connect(self.probe, "app").close()

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried."""
        app, admin, monitor = (self.login(account) for account in ("app", "admin", "monitor"))
        further = [self.login(account) for account in self.probe.service["accounts"] if account not in ACCOUNTS]
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
            for login in (app, admin, READER):
                try:
                    enter(login, "")
                except psycopg.OperationalError as error:
                    if not self.refusal(error):
                        raise
                    refused = str(error)
                else:
                    return f"{login} is let in without a password"
            raise RefusedError(refused)

        def app_rights() -> str:
            found: dict[str, bool] = {}
            with self._connect(self.probe, "app") as connection:
                for login in (app, *further):
                    cursor = connection.execute(_RIGHTS, (login,))
                    names = [column.name for column in cursor.description or ()]
                    whose = "" if login == app else f" ({login})"
                    had = zip(names, cursor.fetchone() or (False,) * len(names), strict=True)
                    found |= {f"{name}{whose}": bool(has) for name, has in had}
            return rights(found)

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

        def any_table() -> None:
            # A temporary table ends with its session. Whoever may read it gets the error that it is another session's.
            with self._connect(self.probe, "app") as owner:
                owner.execute(sql.SQL(f"CREATE TEMPORARY TABLE {role} AS SELECT 1 AS n"))
                row = owner.execute("SELECT pg_my_temp_schema()::regnamespace::text").fetchone()
                table = sql.Identifier(str(row and row[0]), role)
                try:
                    with self._connect(self.probe, "monitor") as connection:
                        connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
                except psycopg.errors.FeatureNotSupported:
                    pass

        def foreign_tables() -> str:
            try:
                any_table()
            except psycopg.errors.InsufficientPrivilege as error:
                refused = str(error)
            else:
                return f"{monitor} may read a table of {app}"
            names = [its["name"] for its in self.probe.service["databases"]]
            asked, read = 0, list[str]()
            with self._connect(self.probe, "monitor") as connection:
                there = connection.execute(_THERE, (names,)).fetchall()
            for (name,) in there:
                other = self.impostor(monitor, self.probe.passwords["monitor"], database=name)
                with self._connect(other, "impostor") as connection:
                    for table, may in connection.execute(_READABLE, ([app, *further],)).fetchall():
                        asked += 1
                        read += [f"{name}.{table}"] if may else []
            if read:
                return f"{monitor} may read {len(read)} of {asked} tables: {', '.join(read)}"
            raise RefusedError(f"none of {asked} tables in {', '.join(name for (name,) in there)}; {refused}")

        def foreign_text() -> str:
            with self._connect(self.probe, "app") as other, self._connect(self.probe, "monitor") as connection:
                other.execute(sql.SQL(f"SELECT '{role}'"))
                row = connection.execute(_TEXT, (other.info.backend_pid,)).fetchone()
            if row is None:
                raise LookupError(f"pg_stat_activity: found no session of {app}, expected one")
            if role in str(row[0]):
                return f"{monitor} reads what {app} sends"
            raise RefusedError(f"found {row[0]}")

        return [
            Attempt(
                "no_password",
                "Nobody gets in without a password",
                f"psql -w -h HOST -U {app}, then {admin} and {READER}",
                nobody,
            ),
            Attempt(
                "wrong_password",
                "A wrong password is refused",
                f"PGPASSWORD=wrong psql -h HOST -p PORT -U {app} -d {database}",
                lambda: enter(app, wrong_password()),
            ),
            Attempt(
                "app_rights",
                "Neither the app nor a further account is a superuser",
                f"{psql} '\\du {app}'",
                app_rights,
                "no right over the server",
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
            Attempt(
                "monitor_reads_tables",
                "The monitor can't read tables of the app or of a further account",
                f"{psql} 'CREATE TABLE x ()'; psql -U {monitor} -d {database} -c 'TABLE x'; and for each table, in "
                "each database of the inventory: SELECT has_any_column_privilege('TABLE', 'SELECT')",
                foreign_tables,
            ),
            Attempt(
                "monitor_reads_queries",
                "The monitor can't read the texts of others' queries",
                f"psql -U {monitor} -d {database} -c 'TABLE pg_stat_activity'",
                foreign_text,
            ),
        ]
