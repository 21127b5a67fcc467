"""PostgreSQL's databases of every kind in sets: templates, those that let nobody in, and those that are invalid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import psycopg
import pytest
from ready.backups.drill import read_manifest
from ready.backups.manifest import BackupError
from ready.backups.postgresql.closed_databases import OpenedDatabases, OpenedRecord
from ready.backups.restic.repository import newest
from ready.backups.run import make_set, restore_set
from ready.backups.workspace import Workspace

from tests.names import own
from tests.stack import Stack
from tests.system.backups import evidence, leftovers, with_backups
from tests.system.conftest import Ready

NAME = own("sys-backup-pg")
CLOSED, PATTERN, INVALID = "it's closed", 'the "pattern"', "half gone"


def databases(stack: Stack) -> list[tuple[Any, ...]]:
    """Return every database with its flags."""
    query = "SELECT datname, datistemplate, datallowconn, datconnlimit FROM pg_database ORDER BY 1"
    with stack.postgresql("admin") as connection:
        return connection.execute(query).fetchall()


def admin(stack: Stack, database: str) -> psycopg.Connection[Any]:
    """Return the admin's connection to a database."""
    return stack.postgresql("admin", dbname=database)


def rows(stack: Stack) -> list[int]:
    """Return how many rows the closed database and the template hold, each opened for the question alone."""
    found = []
    for name in (CLOSED, PATTERN):
        with stack.postgresql("admin") as connection:
            connection.execute(f"ALTER DATABASE {quoted(name)} ALLOW_CONNECTIONS true")
            with admin(stack, name) as inside:
                found.append(inside.execute("SELECT count(*) FROM kept").fetchone()[0])  # type: ignore[index]
            connection.execute(f"ALTER DATABASE {quoted(name)} ALLOW_CONNECTIONS {name == PATTERN}")
    return found


def quoted(name: str) -> str:
    """Return a name as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack of PostgreSQL with such databases, and one set of it, which has left them as they were."""
    with with_backups(tmp_path_factory.mktemp("backup"), NAME, ["postgresql"]) as ready:
        with ready.stack.postgresql("admin") as connection:
            for name in (CLOSED, PATTERN, INVALID):
                connection.execute(f"CREATE DATABASE {quoted(name)}")
        for number, name in enumerate((CLOSED, PATTERN), 3):
            with admin(ready.stack, name) as inside:
                inside.execute("CREATE TABLE kept AS SELECT generate_series(1, %s) AS n", [number])
        with ready.stack.postgresql("admin") as connection:
            connection.execute(f"ALTER DATABASE {quoted(PATTERN)} IS_TEMPLATE true")
            connection.execute(f"ALTER DATABASE {quoted(CLOSED)} CONNECTION LIMIT 7 ALLOW_CONNECTIONS false")
            connection.execute("UPDATE pg_database SET datconnlimit = -2 WHERE datname = %s", [INVALID])
        before = databases(ready.stack)
        ready.run("backup", "--level", "quiesced")
        assert databases(ready.stack) == before
        yield ready


def test_set_holds_every_database(stack: Ready) -> None:
    """Closed and template databases are in it; an invalid one is named."""
    made = evidence(stack, "backup")["results"]
    repository = Workspace.of(NAME).repository()
    part = read_manifest(repository, newest(repository.snapshots(NAME)))["parts"]["postgresql"]
    assert set(part["databases"]) == {name for name, *_ in databases(stack.stack)}
    assert {name for name, its in part["databases"].items() if its["file"] is None} == {
        "template0", "template1", INVALID,
    }  # fmt: skip
    assert part["content"]["counts"][f"{CLOSED}.public.kept"] == 3
    assert any(INVALID in line for line in made["warnings"])


def test_restore_brings_every_database_back(stack: Ready) -> None:
    """It is refused while an invalid database would be lost; then each is back, with its flags, and nothing more."""
    before = databases(stack.stack)
    with pytest.raises(BackupError, match=f"--lose-database {INVALID}"):
        restore_set(NAME, None, [], "localhost", safety=True)
    assert databases(stack.stack) == before
    with stack.stack.postgresql("admin") as connection:
        connection.execute(f"ALTER DATABASE {quoted(PATTERN)} IS_TEMPLATE false")
        connection.execute(f"DROP DATABASE {quoted(PATTERN)}")
        connection.execute(f"DROP DATABASE {quoted(CLOSED)}")
    restore_set(NAME, None, [], "localhost", safety=True, lose=[INVALID])
    assert databases(stack.stack) == [its for its in before if its[0] != INVALID]
    assert rows(stack.stack) == [3, 4]
    with admin(stack.stack, "template1") as inside:
        assert inside.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'").fetchall() == []
    assert leftovers(NAME) == []


def test_killed_run_leaves_nothing_open(stack: Ready) -> None:
    """A database that a run had opened when it was killed lets only superusers in, and the next run closes it."""
    before = databases(stack.stack)
    container = docker.from_env().containers.get(f"{NAME}-postgresql")
    login = Workspace.of(NAME).stack["services"]["postgresql"]["accounts"]["admin"]["login"]
    OpenedDatabases(container, login, OpenedRecord.of(NAME)).open()  # and nothing more: it was killed
    assert (CLOSED, False, True, 0) in databases(stack.stack)
    with stack.stack.postgresql("admin") as connection:
        connection.execute(f"GRANT CONNECT ON DATABASE {quoted(CLOSED)} TO PUBLIC")
    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        stack.stack.postgresql("app", dbname=CLOSED)
    made = make_set(NAME, "", "localhost", "1%")
    assert any(CLOSED in line for line in made["healed"])
    assert databases(stack.stack) == before
    assert not OpenedRecord.of(NAME).path.exists()


#: What relies on a search_path: an extension's function in an index, one's own in CHECK, domain, materialized view.
RELYING = """
CREATE EXTENSION cube; CREATE EXTENSION earthdistance;
CREATE TABLE places (lat float8, lon float8);
INSERT INTO places SELECT n, n FROM generate_series(1, 50) n;
CREATE INDEX places_ll ON places USING gist (ll_to_earth(lat, lon));
CREATE TABLE words (w text); INSERT INTO words VALUES ('a');
CREATE FUNCTION is_word(t text) RETURNS bool LANGUAGE plpgsql IMMUTABLE
  AS $$ BEGIN RETURN EXISTS (SELECT FROM words WHERE w = t); END $$;
CREATE TABLE texts (t text CHECK (is_word(t))); INSERT INTO texts VALUES ('a');
"""
FAILING = ("index public.places_ll", "constraint texts_t_check of public.texts")


def test_set_that_cannot_be_restored(stack: Ready) -> None:
    """It is kept and fails, naming database and object; a restore is refused, or brings back everything else."""
    before = make_set(NAME, "", "localhost", "1%")
    assert (before["verdict"], before["proof"]["postgresql"]["state"]) == ("pass", "known")
    with stack.stack.postgresql("admin") as connection:
        connection.execute("CREATE DATABASE relying")
    with admin(stack.stack, "relying") as inside:
        for statement in RELYING.split(";\n"):
            inside.execute(statement)
    failed = stack.run("backup", code=2)
    for words in (*FAILING, "relying", "ALTER FUNCTION", "The set is kept"):
        assert words in failed.out + failed.err, failed.out + failed.err
    proof = evidence(stack, "backup")["results"]["proof"]["postgresql"]
    assert "INDEX places_ll" in " ".join(proof["faults"]), "the scratch server says it as well"
    with pytest.raises(BackupError, match="--skip-broken") as refused:
        restore_set(NAME, None, [], "localhost", safety=False)
    assert "words" in str(refused.value)
    found = restore_set(NAME, None, [], "localhost", safety=True, skip_broken=True)
    its = found["services"]["postgresql"]
    assert (found["verdict"], its["faults"]) == ("pass", []), its
    assert any("index public.places_ll" in line for line in found["warnings"]), "its safety set has the same fault"
    assert any("places_ll" in line for line in its["retried"])
    with admin(stack.stack, "relying") as inside:
        assert inside.execute("SELECT (SELECT count(*) FROM places), (SELECT count(*) FROM texts)").fetchone() == (
            50,
            1,
        )
        # Nothing helps this one, with whatever search_path.
        inside.execute("CREATE FUNCTION broken() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM words'")
        inside.execute("CREATE MATERIALIZED VIEW counted AS SELECT broken() AS n")
        inside.execute("ALTER TABLE words RENAME TO other_words")
    make_set(NAME, "", "localhost", "1%")
    found = restore_set(NAME, None, [], "localhost", safety=False, skip_broken=True)
    its = found["services"]["postgresql"]
    assert (found["verdict"], its["faults"]) == ("fail", []), its
    assert any("MATERIALIZED VIEW DATA public counted" in line for line in its["missing"])
    assert any("TABLE DATA public texts" in line for line in its["missing"])
    with admin(stack.stack, "relying") as inside:
        assert inside.execute("SELECT count(*) FROM places").fetchone() == (50,)
        assert inside.execute("SELECT count(*) FROM other_words").fetchone() == (1,)
    assert leftovers(NAME) == []
