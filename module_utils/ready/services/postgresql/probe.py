# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL, asked by psycopg."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import psycopg

from ...checks.probe import FULL, CheckError, Probe, expect
from ...common.tls_client import MemoryFile

#: Connections opened at once: a small application's pool.
POOL = 10
LONG_TRANSACTION_SECONDS = 300
_ACTIVITY = """
SELECT count(*) AS connections,
       count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
       count(*) FILTER (WHERE xact_start < now() - make_interval(secs => %s)) AS long,
       current_setting('max_connections')::int AS limit
FROM {sessions} WHERE backend_type = 'client backend'
"""
#: Where they are read; the second is for a container of an earlier version, whose monitor sees all of it.
_SESSIONS, _SESSIONS_BEFORE = "ready.activity()", "pg_stat_activity"
_SEES_ALL = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')"


class PostgreSQLProbe(Probe):
    """Checks: `query` (app account: written, read, computed) and `pool` (connections, their limit, who waits)."""

    checks = ("query", "pool")

    def connect(self, account: str, **other: Any) -> psycopg.Connection[Any]:
        """Return a new connection in autocommit; `other` goes to the driver over what is set here."""
        host, port = self.address("postgresql")
        user, password = self.login(account)
        settings: dict[str, Any] = {}
        if self.tls:
            ca = MemoryFile(self.authority())
            settings = {"sslmode": "verify-full" if self.check_names else "verify-ca", "sslrootcert": ca.path}
        settings |= {
            "host": host,
            "port": port,
            "user": user,
            "password": password,
            "dbname": self.service["database"],
            "autocommit": True,
            "connect_timeout": max(2, int(self.timeout)),
            "options": f"-c statement_timeout={int(self.timeout * 1000)}",
            "application_name": "ready-probe",
        }
        return psycopg.connect(**(settings | other))

    def open(self) -> psycopg.Connection[Any]:
        """Return a connection of the app account."""
        return self.connect("app")

    def ping(self, connection: psycopg.Connection[Any]) -> Mapping[str, Any]:
        """Ask for a constant."""
        expect("SELECT 1", connection.execute("SELECT 1").fetchone(), (1,))
        return {}

    def query(self) -> Mapping[str, Any]:
        """Write rows to a temporary table, which ends with its session, and compute over them."""
        with self.connect("app") as connection:
            connection.execute("CREATE TEMPORARY TABLE ready_probe (n int)")
            connection.execute("INSERT INTO ready_probe SELECT generate_series(1, 100)")
            expect(
                "count and sum of 1 to 100",
                connection.execute("SELECT count(*), sum(n) FROM ready_probe").fetchone(),
                (100, 5050),
            )
        return {}

    def pool(self) -> Mapping[str, Any]:
        """Open connections as a pool does, all at once, and see how near the limit is."""
        with ExitStack() as stack:
            connections = [stack.enter_context(self.connect("monitor")) for _ in range(POOL)]
            for connection in connections:
                expect("SELECT 1", connection.execute("SELECT 1").fetchone(), (1,))
            row = self._sessions(stack.enter_context(self.connect("monitor", dbname="postgres")))
        if row is None:
            raise CheckError("sessions: found no row, expected one")
        used, waiting, long, limit = row
        if used >= FULL * limit:
            raise CheckError(f"connections: found {used} of {limit}, expected less than {FULL:.0%}")
        return {
            "opened": POOL,
            "connections": used,
            "max_connections": limit,
            "waiting_for_a_lock": waiting,
            "long_transactions": long,
        }

    def _sessions(self, main: psycopg.Connection[Any]) -> tuple[Any, ...] | None:
        """Return what `_ACTIVITY` says, also of a server whose accounts an earlier version has set."""
        try:
            return main.execute(_ACTIVITY.format(sessions=_SESSIONS), (LONG_TRANSACTION_SECONDS,)).fetchone()
        except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedFunction) as error:
            if main.execute(_SEES_ALL).fetchone() != (True,):
                raise CheckError(
                    "the database postgres: found no function ready.activity(), expected the one that shows sessions "
                    "without their texts. Next: ./ready up"
                ) from error
        return main.execute(_ACTIVITY.format(sessions=_SESSIONS_BEFORE), (LONG_TRANSACTION_SECONDS,)).fetchone()
