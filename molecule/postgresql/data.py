"""What a test writes to PostgreSQL, and reads: a row."""

from __future__ import annotations

from tests.stack import Stack


def write(stack: Stack) -> None:
    """Write it."""
    with stack.postgresql() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS ready_test (x int PRIMARY KEY)")
        connection.execute("INSERT INTO ready_test VALUES (42) ON CONFLICT DO NOTHING")


def check(stack: Stack) -> None:
    """Read it."""
    with stack.postgresql() as connection:
        assert connection.execute("SELECT x FROM ready_test").fetchall() == [(42,)]
