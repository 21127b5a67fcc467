# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""neo4j:5.12-community's contract, line by line (docs/images.md). Three servers start together: each takes a while."""

from __future__ import annotations

import os
from typing import Any

import pytest
from docker.models.containers import Container
from neo4j import GraphDatabase
from neo4j.exceptions import AuthError
from ready.images.class_archive import FILE
from ready.services.neo4j.template_values import initial_password_line

from tests.images.lab import Lab, line_of, port, process, sh, until

PASSWORD = "contract-password-1"
SMALL = {
    "NEO4J_server_memory_heap_initial__size": "256m",
    "NEO4J_server_memory_heap_max__size": "256m",
    "NEO4J_server_memory_pagecache_size": "64m",
    "NEO4J_db_tx__log_preallocate": "false",
    "NEO4J_server_jvm_additional": "-XX:TieredStopAtLevel=1",  # starts sooner
}


def ask(container: Container, statement: str, password: str | None = PASSWORD) -> list[list[Any]]:
    """Run a statement over the published Bolt port and return its rows."""
    auth = ("neo4j", password) if password else None
    with GraphDatabase.driver(f"bolt://127.0.0.1:{port(container, 7687)}", auth=auth) as driver:
        return [list(record) for record in driver.execute_query(statement).records]


def started(container: Container, times: int = 1) -> None:
    """Wait for the server by its log: a driver's early attempt would hang in docker-proxy, which always accepts."""
    until(lambda: container.logs().count(b"INFO  Started.") == times, container)


def setting(container: Container, name: str, password: str | None = PASSWORD) -> str:
    """Return what a running server has for a setting."""
    return str(ask(container, f"SHOW SETTINGS YIELD name, value WHERE name = '{name}' RETURN value", password)[0][0])


class Servers:
    """The hardened server, the one that `up` starts, and one with every mount."""

    def __init__(self, lab: Lab) -> None:
        self.hardened = lab.start(
            "neo4j",
            environment={
                **SMALL,
                "NEO4J_AUTH": f"neo4j/{PASSWORD}",
                "NEO4J_PLUGINS": '["apoc"]',
                "NEO4J_apoc_export_file_enabled": "true",
                "NEO4J_dbms_security_procedures_unrestricted": "apoc.meta.*",
            },
            volumes=[f"{lab.volume('neo4j')}:/data", f"{lab.volume('neo4j')}:/logs"],
        )
        line = initial_password_line(PASSWORD, os.urandom(32))
        start = (
            "mkdir -p /data/dbms; [ -e /data/dbms/auth.ini ] || cp /files/auth.ini /data/dbms/auth.ini\n"
            'exec /startup/docker-entrypoint.sh "$@"\n'
        )
        files = lab.volume("neo4j", {"auth.ini": (line, 0o400), "start.sh": (start, 0o400)}, "7474:7474")
        self.as_up_starts_it = lab.start(
            "neo4j",
            ["neo4j"],
            entrypoint=["tini", "-g", "--", "/bin/bash", "/files/start.sh"],
            environment=SMALL,
            volumes=[f"{files}:/files:ro"],
        )
        conf = (
            "server.memory.pagecache.size=99m\nserver.bolt.enabled=true\n"
            "server.http.enabled=true\ndb.logs.query.threshold=7s\n"
        )
        people = "name\nAda\n"
        self.mounted = lab.start(
            "neo4j",
            hardened=False,
            environment={
                **SMALL,
                "NEO4J_AUTH": "none",
                "NEO4J_PLUGINS": '["apoc"]',
                "NEO4J_db_logs_query_threshold": "9s",
            },
            volumes=[
                f"{lab.volume('neo4j', {'neo4j.conf': (conf, 0o444)})}:/conf:ro",
                f"{lab.volume('neo4j', {}, '7474:7474')}:/plugins",
                f"{lab.volume('neo4j', {'people.csv': (people, 0o444)})}:/import:ro",
                f"{lab.volume('neo4j', {}, '7474:7474')}:/ssl:ro",
                f"{lab.volume('neo4j', {}, '7474:7474')}:/licenses:ro",
            ],
            ports={"7687/tcp": ("127.0.0.1", None)},
        )


@pytest.fixture(scope="module")
def servers(lab: Lab) -> Servers:
    """Return the three servers, started."""
    servers = Servers(lab)
    for container in (servers.hardened, servers.as_up_starts_it, servers.mounted):
        started(container)
    return servers


def test_neo4j_hardened(servers: Servers) -> None:
    """Runs as 7474:7474, without capabilities or new privileges, read-only root, noexec /tmp; tini is PID 1."""
    status = process(servers.hardened)
    assert (status["Name"], status["Uid"].split()[0], status["Gid"].split()[0]) == ("tini", "7474", "7474")
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert "Read-only" in sh(servers.hardened, "touch /x 2>&1 || true")
    assert "UnsatisfiedLink" not in servers.hardened.logs().decode()


def test_neo4j_auth(servers: Servers) -> None:
    """NEO4J_AUTH=neo4j/PASSWORD sets the first password; a wrong one is refused."""
    (((version,), edition),) = ask(servers.hardened, "CALL dbms.components() YIELD versions, edition")
    assert (version.startswith(f"{line_of('neo4j')}."), edition) == (True, "community")
    with pytest.raises(AuthError):
        ask(servers.hardened, "RETURN 1", "wrong-password")


def test_neo4j_initial_password_line(servers: Servers) -> None:
    """A hashed auth.ini laid down before the first start is the password, without NEO4J_AUTH: how `up` does it."""
    assert ask(servers.as_up_starts_it, "SHOW CURRENT USER YIELD user, passwordChangeRequired") == [["neo4j", False]]
    with pytest.raises(AuthError):
        ask(servers.as_up_starts_it, "RETURN 1", "wrong-password")


def test_neo4j_settings(servers: Servers) -> None:
    """NEO4J_a_b__c is the setting a.b_c; defaults of the container hold where nothing is said."""
    assert setting(servers.hardened, "db.tx_log.preallocate") == "false"
    assert setting(servers.hardened, "server.memory.pagecache.size") == "64.00MiB"
    assert setting(servers.hardened, "server.default_listen_address") == "0.0.0.0"  # noqa: S104
    assert setting(servers.hardened, "dbms.security.procedures.unrestricted") == "apoc.meta.*"


def test_neo4j_apoc(servers: Servers) -> None:
    """NEO4J_PLUGINS=["apoc"] loads the APOC that the image carries; NEO4J_apoc_* goes to apoc.conf."""
    assert ask(servers.hardened, "RETURN apoc.version()")[0][0].startswith(f"{line_of('neo4j')}.")
    assert sh(servers.hardened, "cat $NEO4J_HOME/conf/apoc.conf") == "apoc.export.file.enabled=true"
    with pytest.raises(Exception, match=r"apoc\.version"):
        ask(servers.as_up_starts_it, "RETURN apoc.version()")


def test_neo4j_class_archive(servers: Servers) -> None:
    """Classes come from the archive that was made with the image; where the jars are others they are read as ever.

    That its making touches nothing of the host's network: tests/images/test_build.py.
    """
    holders = "grep -l server.jsa /proc/[0-9]*/maps 2>/dev/null | wc -l"
    assert sh(servers.hardened, holders).strip() == "1"
    for container in (servers.as_up_starts_it, servers.mounted):  # without APOC; with APOC in another place
        assert sh(container, holders).strip() == "0"
        assert "Unable to use shared archive" in container.logs().decode()


def test_neo4j_without_the_archive(lab: Lab) -> None:
    """An image that has no archive starts as upstream's does, without a complaint."""
    start = f"rm {FILE} && exec /startup/docker-entrypoint.sh neo4j"
    code, output = lab.once(
        "neo4j", entrypoint=["bash", "-c", start], environment={"NEO4J_server_jvm_additional": "-version"}
    )
    assert code == 0, output
    assert "openjdk version" in output
    assert "archive" not in output


def test_neo4j_conf_mount(servers: Servers) -> None:
    """/conf replaces the configuration; the environment is above it."""
    assert setting(servers.mounted, "server.memory.pagecache.size", None) == "64.00MiB"
    assert setting(servers.mounted, "db.logs.query.threshold", None) == "9s"
    assert sh(servers.mounted, "grep -c UseG1GC $NEO4J_HOME/conf/neo4j.conf || true") == "0"


def test_neo4j_auth_none(servers: Servers) -> None:
    """NEO4J_AUTH=none turns authentication off."""
    assert setting(servers.mounted, "dbms.security.auth_enabled", None) == "false"


def test_neo4j_mounts(servers: Servers) -> None:
    """/plugins, /import, /ssl and /licenses are used where they are mounted; APOC lands in /plugins."""
    rows = ask(servers.mounted, "LOAD CSV WITH HEADERS FROM 'file:///people.csv' AS row RETURN row.name", None)
    assert rows == [["Ada"]]
    assert sh(servers.mounted, "ls /plugins; readlink $NEO4J_HOME/certificates") == "apoc.jar\n/ssl"
    assert ask(servers.mounted, "RETURN apoc.version()", None)[0][0].startswith(f"{line_of('neo4j')}.")
    assert setting(servers.mounted, "server.directories.licenses", None) == "/licenses"


def test_neo4j_cypher_shell(servers: Servers) -> None:
    """cypher-shell works inside, on a read-only root."""
    output = sh(servers.hardened, f"cypher-shell -u neo4j -p {PASSWORD} --format plain 'RETURN 40 + 2 AS n'")
    assert output == "n\n42"


def test_neo4j_paths(servers: Servers) -> None:
    """Data are in /data, logs in /logs."""
    assert sh(servers.hardened, "ls /data; ls /logs").split() == [
        "databases", "dbms", "server_id", "transactions",
        "debug.log", "http.log", "neo4j.log", "query.log", "security.log",
    ]  # fmt: skip


def test_neo4j_signals_and_restart(servers: Servers) -> None:
    """A plain restart, SIGTERM included, keeps data and password; a first password is not set twice."""
    ask(servers.hardened, "CREATE (:Kept {n: 1})")
    servers.hardened.restart(timeout=60)
    started(servers.hardened, times=2)
    assert ask(servers.hardened, "MATCH (k:Kept) RETURN k.n") == [[1]]
    log = servers.hardened.logs().decode()
    assert "Neo4j Server shutdown initiated by request" in log
    assert "Null object returned" not in log


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"NEO4J_AUTH": "neo4j/neo4j"}, "It cannot be 'neo4j'"),
        ({"NEO4J_AUTH": "other/some-password"}, "Invalid admin username"),
        ({"NEO4J_AUTH": "some-password"}, "Invalid value for NEO4J_AUTH"),
        ({"NEO4J_PLUGINS": '["graph-data-science"]'}, "is not a known Neo4j plugin"),
        ({"NEO4J_PASSWORD": "some-password"}, "Unrecognized setting"),
    ],
)
def test_neo4j_refuses(lab: Lab, environment: dict[str, str], message: str) -> None:
    """A bad NEO4J_AUTH, an unknown plugin or an unknown setting stops the start."""
    code, output = lab.once("neo4j", environment=environment)
    assert code != 0
    assert message in output


def test_neo4j_other_commands(lab: Lab) -> None:
    """`neo4j-admin ...` and any other command run in place of the server, with the entrypoint's configuration."""
    code, output = lab.once("neo4j", ["neo4j-admin", "--version"])
    assert (code, output.startswith(f"{line_of('neo4j')}.")) == (0, True)
    code, output = lab.once("neo4j", ["bash", "-c", "id -u; grep listen_address $NEO4J_HOME/conf/neo4j.conf"])
    assert (code, output.splitlines()) == (0, ["7474", "server.default_listen_address=0.0.0.0"])


@pytest.mark.parametrize("environment", [{}, {"JAVA_OPTS": "-Dof.mine=1"}], ids=["at once", "by the launcher"])
def test_neo4j_admin_works_on_a_store(lab: Lab, environment: dict[str, str]) -> None:
    """Both ways of starting the tool read the configuration: it looks for the store where that says."""
    environment["NEO4J_server_directories_data"] = "/tmp/mine"  # in the container
    code, output = lab.once("neo4j", ["neo4j-admin", "database", "info"], environment=environment)
    assert code != 0
    assert "/tmp/mine/databases" in output


def test_neo4j_dump_config(lab: Lab) -> None:
    """`dump-config` copies the configuration to /conf."""
    conf = lab.volume("neo4j", {}, "7474:7474")
    assert lab.once("neo4j", ["dump-config"], volumes=[f"{conf}:/conf"])[0] == 0


def test_neo4j_root_steps_down(lab: Lab) -> None:
    """Started as root, the command runs as neo4j."""
    assert lab.once("neo4j", ["id", "-u"], user="0") == (0, "7474\n")
