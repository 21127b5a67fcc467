# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""postgres:15-alpine's contract, line by line (docs/images.md)."""

from __future__ import annotations

import gzip
from typing import Any

import psycopg
import pytest
from docker.models.containers import Container
from ready.stack.definitions import resolve_service

from tests.images.lab import DEFINITIONS, Lab, line_of, port, process, sh, until

PASSWORD = "contract-password-1"
WAL = "/var/lib/postgresql/wal"
FILES = {
    "POSTGRES_PASSWORD_FILE": "/files/password",
    "POSTGRES_USER_FILE": "/files/user",
    "POSTGRES_DB_FILE": "/files/db",
    "POSTGRES_INITDB_ARGS_FILE": "/files/args",
}
SEEN = 'psql -v ON_ERROR_STOP=1 -qU "$POSTGRES_USER" -d "$POSTGRES_DB" -c '


def ask(container: Container, statement: str, **login: Any) -> list[tuple[Any, ...]]:
    """Run a statement over the published port and return its rows."""
    options = {"user": "owner", "dbname": "shop", "password": PASSWORD, **login}
    with psycopg.connect(host="127.0.0.1", port=port(container, 5432), connect_timeout=5, **options) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def server(lab: Lab) -> Container:
    """Return a hardened server whose every setting comes from a file, with scripts of all kinds."""
    secrets = {
        "password": PASSWORD,
        "user": "owner",
        "db": "shop",
        "args": "--data-checksums --auth-local=scram-sha-256",
    }
    scripts: dict[str, tuple[str | bytes, int]] = {
        "1.sql": ("CREATE TABLE seen (what text);\n"
                  "INSERT INTO seen SELECT name || '=' || setting FROM pg_settings\n"
                  "  WHERE name IN ('listen_addresses', 'work_mem');\n", 0o444),
        "2.sh": (f"#!/bin/bash\n{SEEN} \"INSERT INTO seen VALUES ('run.sh')\"\n", 0o555),  # noqa: S608
        "3.sh": (f"sourced=yes\n{SEEN} \"INSERT INTO seen VALUES ('sourced.sh')\"\n", 0o444),  # noqa: S608
        "4.sql.gz": (gzip.compress(b"INSERT INTO seen VALUES ('sql.gz');\n"), 0o444),
        "5.sh": ("[ \"$sourced\" = yes ]\ndocker_process_sql <<<\"INSERT INTO seen VALUES ('function')\"\n", 0o444),
        "9.txt": ("not a script", 0o444),
    }  # fmt: skip
    container = lab.start(
        "postgresql",
        ["postgres", "-c", "work_mem=7MB"],
        environment=FILES,
        volumes=[
            f"{lab.volume('postgresql', {k: (v, 0o400) for k, v in secrets.items()}, '70:70')}:/files:ro",
            f"{lab.volume('postgresql', scripts)}:/docker-entrypoint-initdb.d:ro",
            f"{lab.volume('postgresql')}:/var/lib/postgresql/data",
        ],
    )
    until(lambda: ask(container, "select 1"), container)
    return container


def test_postgresql_hardened(server: Container) -> None:
    """Runs as 70:70, without capabilities or new privileges, on a read-only root; postgres is PID 1."""
    status = process(server)
    assert (status["Name"], status["Uid"].split()[0], status["Gid"].split()[0]) == ("postgres", "70", "70")
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert "Read-only" in sh(server, "touch /x 2>&1 || true")


def test_postgresql_port_and_password(server: Container) -> None:
    """Answers on 5432, with scram, and not to a wrong password."""
    assert ask(server, "select 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(server, "select 1", password="wrong")
    assert ask(server, "select auth_method from pg_hba_file_rules order by line_number desc limit 1") == [
        ("scram-sha-256",)
    ]


def test_postgresql_files(server: Container) -> None:
    """POSTGRES_USER, _DB, _PASSWORD and _INITDB_ARGS come out of files; the environment keeps the names alone."""
    assert ask(
        server, "select current_user, current_database(), rolsuper from pg_roles where rolname = current_user"
    ) == [("owner", "shop", True)]
    assert ask(server, "show data_checksums") == [("on",)]
    server.reload()
    assert PASSWORD not in str(server.attrs)


def test_postgresql_init_scripts(server: Container) -> None:
    """*.sql, *.sql.gz, *.sh (run or sourced) run in order, others are ignored; upstream's helper is there."""
    seen = [row[0] for row in ask(server, "select what from seen")]
    assert seen[2:] == ["run.sh", "sourced.sh", "sql.gz", "function"]
    assert b"ignoring /docker-entrypoint-initdb.d/9.txt" in server.logs()


def test_postgresql_temporary_server(server: Container) -> None:
    """The server of the first start gets the command's options and listens on its socket alone."""
    assert [row[0] for row in ask(server, "select what from seen limit 2")] == ["listen_addresses=", "work_mem=7168"]


def test_postgresql_data(server: Container) -> None:
    """PGDATA is /var/lib/postgresql/data, private to its owner."""
    assert ask(server, "show data_directory") == [("/var/lib/postgresql/data",)]
    assert sh(server, 'stat -c %a:%u "$PGDATA"') == "700:70"


def test_postgresql_signals_and_restart(server: Container) -> None:
    """`docker stop` is a fast shutdown, with a client connected; the second start skips the initialisation."""
    with psycopg.connect(host="127.0.0.1", port=port(server, 5432), user="owner", dbname="shop", password=PASSWORD):
        server.stop(timeout=30)
    assert server.wait()["StatusCode"] == 0
    assert b"received fast shutdown request" in server.logs(tail=20)
    server.start()
    assert until(lambda: ask(server, "select count(*) from seen"), server) == [(6,)]
    assert b"Skipping initialization" in server.logs(tail=30)


def test_postgresql_locales(server: Container) -> None:
    """UTF-8, ordered by code point as under musl; en_US.utf8 exists, so that upstream's dumps can be restored."""
    assert ask(server, "select datcollate, pg_encoding_to_char(encoding) from pg_database where datname = 'shop'") == [
        ("C.UTF-8", "UTF8")
    ]
    assert ask(server, "select count(*) from pg_collation where collname = 'en_US.utf8'") == [(1,)]


@pytest.mark.parametrize("name", ["PASSWORD", "USER", "DB", "INITDB_ARGS"])
def test_postgresql_both_is_an_error(lab: Lab, name: str) -> None:
    """X and X_FILE together end with 1 and say so."""
    variable = f"POSTGRES_{name}"
    code, output = lab.once("postgresql", environment={variable: "x", f"{variable}_FILE": "/etc/hostname"})
    assert code == 1
    assert f"both {variable} and {variable}_FILE are set" in output


def test_postgresql_needs_a_password(lab: Lab) -> None:
    """No password ends with 1 and says what to set; nothing is made."""
    code, output = lab.once("postgresql")
    assert code == 1
    assert "superuser password is not specified" in output


def test_postgresql_host_auth_method(lab: Lab) -> None:
    """POSTGRES_HOST_AUTH_METHOD is the method of the last line of pg_hba.conf; DB defaults to USER's name."""
    container = lab.start("postgresql", environment={"POSTGRES_HOST_AUTH_METHOD": "trust", "POSTGRES_USER": "somebody"})
    assert until(lambda: ask(container, "select current_database()", user="somebody", dbname="somebody"), container)
    assert sh(container, 'tail -1 "$PGDATA/pg_hba.conf"') == "host all all all trust"


def test_postgresql_waldir(lab: Lab) -> None:
    """POSTGRES_INITDB_WALDIR puts the write-ahead log elsewhere."""
    container = lab.start(
        "postgresql",
        environment={
            "POSTGRES_PASSWORD": PASSWORD,
            "POSTGRES_USER": "owner",
            "POSTGRES_INITDB_WALDIR": "/var/lib/postgresql/wal",
        },
        hardened=False,
        ports={"5432/tcp": ("127.0.0.1", None)},
    )
    until(lambda: ask(container, "select 1", dbname="owner"), container)
    assert sh(container, 'readlink "$PGDATA/pg_wal"') == WAL


def test_postgresql_any_user(lab: Lab) -> None:
    """`--user` with a uid that has no name works, on a directory of its own."""
    container = lab.start(
        "postgresql",
        environment={"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_USER": "owner", "POSTGRES_DB": "shop"},
        hardened=False,
        user="12345:12345",
        tmpfs={"/var/lib/postgresql/data": "uid=12345,gid=12345,mode=0700"},
        ports={"5432/tcp": ("127.0.0.1", None)},
    )
    until(lambda: ask(container, "select 1"), container)
    assert process(container)["Uid"].split()[0] == "12345"


def test_postgresql_root_steps_down(lab: Lab) -> None:
    """Started as root, it gives PGDATA to postgres and steps down."""
    container = lab.start(
        "postgresql",
        environment={"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_USER": "owner", "POSTGRES_DB": "shop"},
        hardened=False,
        user="0",
        ports={"5432/tcp": ("127.0.0.1", None)},
    )
    until(lambda: ask(container, "select 1"), container)
    assert process(container)["Uid"].split()[0] == "70"


@pytest.mark.parametrize("command", [["--version"], ["postgres", "--version"], ["psql", "--version"]])
def test_postgresql_arguments(lab: Lab, command: list[str]) -> None:
    """Options alone mean postgres; asking for help needs no database; any other command is run as it is."""
    code, output = lab.once("postgresql", command)
    assert code == 0
    assert f"(PostgreSQL) {line_of('postgresql')}." in output


def test_accounts_wait_for_the_end_of_the_first_start(lab: Lab) -> None:
    """The server that makes the cluster listens on the socket alone; what is made there collides with the entrypoint.

    A slow machine is in it for seconds: here a script is.
    """
    accounts: dict[str, tuple[str | bytes, int]] = {
        "accounts.sql": ("CREATE ROLE made", 0o444),
        "accounts.id": ("1", 0o444),
    }
    container = lab.start(
        "postgresql",
        environment={"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_INITDB_ARGS": "--auth-local=peer"},
        volumes=[
            f"{lab.volume('postgresql', {'slow.sh': ('sleep 3', 0o444)})}:/docker-entrypoint-initdb.d:ro",
            f"{lab.volume('postgresql', accounts)}:/run/ready:ro",
        ],
    )
    resolved = resolve_service(DEFINITIONS["postgresql"], {}, "contract", "127.0.0.1")
    assert resolved["accounts"]["admin"]["login"] == "postgres", "the account that the container has here"
    command = resolved["reconcile"]
    until(lambda: container.exec_run(command).exit_code == 0, container)
    assert "init process complete" in container.logs().decode()
