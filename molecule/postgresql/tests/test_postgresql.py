"""PostgreSQL through psycopg, as an application and as somebody who should not get in."""

from __future__ import annotations

import psycopg
import pytest

from tests.hardening import assert_hardened
from tests.stack import molecule_stack

STACK = molecule_stack(["postgresql"])


def test_data() -> None:
    """A row is written and read; data checksums are on, the release is 15."""
    STACK.write("postgresql")
    with STACK.postgresql() as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        version = connection.execute("SHOW server_version_num").fetchone()
        assert version
        assert version[0].startswith("15")
    STACK.check("postgresql")


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


def test_monitor_sees_sessions_alone() -> None:
    """The monitor sees who waits and since when, and neither rows nor texts; it can't write."""
    STACK.write("postgresql")
    with STACK.postgresql() as other, STACK.postgresql("monitor", dbname="postgres") as connection:
        other.execute("BEGIN")
        pid = other.info.backend_pid
        row = connection.execute("SELECT state, xact_start IS NULL FROM ready.activity() WHERE pid = %s", [pid])
        assert row.fetchone() == ("idle in transaction", False)
        row = connection.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid])
        assert row.fetchone() == ("<insufficient privilege>",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE nope (x int)")
    with STACK.postgresql("monitor") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT count(*) FROM ready_test")


def test_who_reads_everything_is_let_in_by_its_container_alone() -> None:
    """It has no password, and nobody reaches it over the network with one."""
    done = STACK.container("postgresql").exec_run(
        ["psql", "-U", "ready_reader", "-d", "kailash_production", "-wAtqc", "SELECT current_user"]
    )
    assert done.output == b"ready_reader\n"
    port = STACK.variables["postgresql_port"]
    with pytest.raises(psycopg.OperationalError, match="rejects connection"):
        psycopg.connect(host="127.0.0.1", port=port, user="ready_reader", password="x", dbname="kailash_production")


@pytest.mark.parametrize("password", ["", "wrong", "postgres", "production_password"])
@pytest.mark.parametrize("user", ["postgres", "kailash_app"])
def test_wrong_passwords_are_refused(user: str, password: str) -> None:
    """Nobody gets in over the network without the right password."""
    port = STACK.variables["postgresql_port"]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="kailash_production")


def test_further_databases_and_accounts() -> None:
    """An owner works in its database with the extensions asked for; nobody comes into another's."""
    password = STACK.passwords("postgresql")
    where = {"host": "127.0.0.1", "port": STACK.variables["postgresql_port"], "autocommit": True}
    with psycopg.connect(**where, dbname="shop", user="shop", password=password["shop"]) as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE items AS SELECT uuid_generate_v4() AS id, similarity('a', 'ab') AS s"
        )
        row = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop'").fetchone()
        assert row == ("shop",)
    with STACK.postgresql() as connection:
        assert connection.execute("SELECT 'a=>1'::hstore -> 'a'").fetchone() == ("1",)
    for account, login, database in (
        ("shop", "shop", "kailash_production"), ("reports", "reports_ro", "shop"), ("app", "kailash_app", "shop"),
    ):  # fmt: skip
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(**where, dbname=database, user=login, password=password[account])


def test_owner_is_not_changed_over_its_objects() -> None:
    """Neither owner would come to them. A database without such objects gets the inventory's owner."""
    container, reconcile = STACK.container("postgresql"), STACK.resolved["services"]["postgresql"]["reconcile"]
    with STACK.postgresql("admin", dbname="shop") as connection:
        connection.execute("CREATE TABLE ready_kept (x int); ALTER TABLE ready_kept OWNER TO reports_ro")
        connection.execute("ALTER DATABASE shop OWNER TO reports_ro")
        try:
            code, output = container.exec_run(reconcile)
            assert code != 0
            assert b"refused: postgresql_databases: found shop with objects of reports_ro, expected none" in output
        finally:
            connection.execute("DROP TABLE ready_kept")
        code, output = container.exec_run(reconcile)
        assert code == 0, output
        row = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop'").fetchone()
        assert row == ("shop",)


def test_passwords_are_scram() -> None:
    """Only verifiers are stored."""
    with STACK.postgresql("admin") as connection:
        rows = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolcanlogin AND rolname <> 'ready_reader'"
        ).fetchall()
    assert len(rows) == len(STACK.resolved["services"]["postgresql"]["accounts"]) == 6
    assert all(row[0].startswith("SCRAM-SHA-256$") for row in rows)


def test_settings_are_tuned() -> None:
    """shared_buffers is a quarter of the memory limit."""
    with STACK.postgresql() as connection:
        assert connection.execute("SHOW shared_buffers").fetchone() == ("128MB",)


def test_hardened() -> None:
    """Non-root, no capabilities, read-only, limited."""
    assert_hardened(STACK, "postgresql")
