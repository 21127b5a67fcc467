# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL's workload: two tables in a schema of their own, prepared statements."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from ...checks.probe import CheckError, expect, fixture_name, stale_fixtures
from ...latency.workload import FIXTURE_SECONDS, SIZE, Operation, Workload, questions
from .probe import PostgreSQLProbe

#: Customers have CATEGORIES categories in turn; customer c has the orders c and c + CUSTOMERS and so on.
CUSTOMERS, CATEGORIES = 1000, 50
#: Unlogged: what a crash would lose here nobody misses, and the write-ahead log stays small.
_TABLES = """
CREATE SCHEMA {schema};
CREATE UNLOGGED TABLE {schema}.customer (id int PRIMARY KEY, category int NOT NULL, name text NOT NULL);
CREATE UNLOGGED TABLE {schema}.orders (
  id int PRIMARY KEY, customer_id int NOT NULL REFERENCES {schema}.customer, amount int NOT NULL, note text NOT NULL
);
INSERT INTO {schema}.customer SELECT n, n % {categories}, 'customer ' || n FROM generate_series(0, {last_customer}) n;
INSERT INTO {schema}.orders
  SELECT n, n % {customers}, n * 7 % 1000, repeat(md5(n::text), 3) FROM generate_series(0, {last_order}) n;
CREATE INDEX ON {schema}.customer (category);
CREATE INDEX ON {schema}.orders (customer_id);
ANALYZE {schema}.customer, {schema}.orders;
"""
_SIMPLE = "SELECT amount FROM {schema}.orders WHERE id = %s"
_JOIN = """
SELECT c.name, count(*), sum(o.amount) AS total
FROM {schema}.customer c JOIN {schema}.orders o ON o.customer_id = c.id
WHERE c.category = %s GROUP BY c.id ORDER BY total DESC, c.id LIMIT 5
"""


def amount(order: int) -> int:
    """Return the amount of an order, as the table holds it."""
    return order * 7 % 1000


def best_customers(category: int) -> list[tuple[str, int, int]]:
    """Return what the join must find: the five customers of a category that bought most."""
    per = SIZE // CUSTOMERS
    totals = [
        (-sum(amount(customer + step * CUSTOMERS) for step in range(per)), customer)
        for customer in range(category, CUSTOMERS, CATEGORIES)
    ]
    return [(f"customer {customer}", per, -total) for total, customer in sorted(totals)[:5]]


class PostgreSQLWorkload(Workload):
    """Operations: `simple_query` (a row by its key), `complex_join` (join, group, order)."""

    size = f"{SIZE} orders of {CUSTOMERS} customers"

    def __init__(self, probe: PostgreSQLProbe) -> None:
        super().__init__(probe)
        self.probe = probe
        self.name = fixture_name("_")
        self.connection: psycopg.Connection[Any] | None = None

    def _sql(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(
            schema=sql.Identifier(self.name),
            categories=CATEGORIES,
            customers=CUSTOMERS,
            last_customer=CUSTOMERS - 1,
            last_order=SIZE - 1,
        )

    def _builder(self) -> psycopg.Connection[Any]:
        """Return a connection that building or removing the fixture has the time for."""
        connection = self.probe.connect("app")
        connection.execute(f"SET statement_timeout = '{FIXTURE_SECONDS}s'")
        return connection

    def open(self) -> None:
        """Open the kept connection; a statement is prepared at its first use."""
        self.connection = self.probe.connect("app")
        self.connection.prepare_threshold = 0
        self.cursor = self.connection.cursor()

    def close(self) -> None:
        """Close it."""
        if self.connection:
            self.connection.close()

    def round_trip(self) -> None:
        """Select a constant."""
        self.cursor.execute("SELECT 1").fetchone()

    def reconnect(self) -> None:
        """Connect, select a constant, close."""
        with self.probe.connect("app") as connection:
            connection.execute("SELECT 1").fetchone()

    def build(self) -> None:
        """Build the schema."""
        with self._builder() as connection:
            names = [row[0] for row in connection.execute("SELECT nspname FROM pg_namespace").fetchall()]
            for name in stale_fixtures(names, "_"):
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
            connection.execute(self._sql(_TABLES))

    def operations(self) -> list[Operation]:
        """Return the operations, each with its statement made once."""
        orders, cursor = questions(1), self.cursor
        simple, join = (self._sql(text).as_bytes(cursor) for text in (_SIMPLE, _JOIN))
        best = [best_customers(category) for category in range(CATEGORIES)]

        def row(number: int) -> Any:
            return cursor.execute(simple, (orders[number % len(orders)],)).fetchone()

        def check_row(number: int, found: Any) -> None:
            order = orders[number % len(orders)]
            expect(f"the amount of order {order}", found, (amount(order),))

        def joined(number: int) -> Any:
            return cursor.execute(join, (number % CATEGORIES,)).fetchall()

        def check_joined(number: int, found: Any) -> None:
            expect(f"the best customers of category {number % CATEGORIES}", found, best[number % CATEGORIES])

        def planned() -> None:
            plan = [line for (line,) in cursor.execute(b"EXPLAIN " + simple, (orders[0],)).fetchall()]
            if "Index" not in plan[0]:
                raise CheckError(f"the plan of simple_query: found {plan[0]!r}, expected an index scan")

        return [
            Operation("simple_query", "latency_p95_ms", row, check_row, planned),
            Operation("complex_join", "complex_join_p95_ms", joined, check_joined, judged=False),
        ]

    def remove(self) -> None:
        """Drop the schema."""
        with self._builder() as connection:
            connection.execute(self._sql("DROP SCHEMA IF EXISTS {schema} CASCADE"))
