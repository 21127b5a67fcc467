"""PostgreSQL through psycopg, as an application and as somebody who should not get in."""

from __future__ import annotations

import psycopg
import pytest

from tests.hardening import assert_hardened
from tests.stack import molecule_stack

STACK = molecule_stack(["postgresql"])


def test_data() -> None:
    """A row is written and read; data checksums are on, the release is 15."""
    STACK.write_postgresql()
    with STACK.postgresql() as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        version = connection.execute("SHOW server_version_num").fetchone()
        assert version
        assert version[0].startswith("15")
    STACK.check_postgresql()


def test_app_owns_its_database_and_is_no_superuser() -> None:
    """The app account's rights are the least that an owner has."""
    with STACK.postgresql() as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, pg_get_userbyid(datdba) = current_user "
            "FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
        ).fetchone()
        assert row == (False, False, False, False, True)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY (SELECT 1) TO PROGRAM 'true'")


def test_monitor_reads_only() -> None:
    """The monitor sees statistics and can't write."""
    with STACK.postgresql("monitor") as connection:
        assert connection.execute("SELECT count(*) FROM pg_stat_activity").fetchone()
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE nope (x int)")


@pytest.mark.parametrize("password", ["", "wrong", "postgres", "production_password"])
@pytest.mark.parametrize("user", ["postgres", "kailash_app"])
def test_wrong_passwords_are_refused(user: str, password: str) -> None:
    """Nobody gets in over the network without the right password."""
    port = STACK.variables["postgresql_port"]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="kailash_production")


def test_passwords_are_scram() -> None:
    """Only verifiers are stored."""
    with STACK.postgresql("admin") as connection:
        rows = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolcanlogin").fetchall()
    assert len(rows) == 4
    assert all(row[0].startswith("SCRAM-SHA-256$") for row in rows)


def test_settings_are_tuned() -> None:
    """shared_buffers is a quarter of the memory limit."""
    with STACK.postgresql() as connection:
        assert connection.execute("SHOW shared_buffers").fetchone() == ("128MB",)


def test_hardened() -> None:
    """Non-root, no capabilities, read-only, limited."""
    assert_hardened(STACK, "postgresql")
