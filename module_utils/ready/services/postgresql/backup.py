# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL: pg_dump of every database in one exported snapshot, in which the rows are counted as well.

The dump is made by the admin over the socket (peer, no password): the account `backup` may read all tables, but neither
large objects nor rows that a policy hides, and a dump that quietly lacks those is worse than none.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ...backups.base import Content, Dump, Load
from ...backups.container_files import exec_to_file, execute, put_file
from ...backups.manifest import BackupError
from ...backups.postgresql import databases as pg_databases
from ...backups.postgresql import pg_restore, schema_proof, wal
from ...backups.postgresql.base_backup import BASE, take_base
from ...backups.postgresql.closed_databases import OpenedDatabases, OpenedRecord, read_databases, set_flags
from ...backups.postgresql.databases import Database
from ...backups.postgresql.expressions import Evaluation
from ...backups.postgresql.psql import ask, target
from ...backups.scratch_containers import TRANSFER
from ...common.clock import timestamp
from ...secrets.redaction import without_secrets
from ...stack.accounts import missing_from_set, working_logins
from . import unsaved_settings
from .probe import PostgreSQLProbe

if TYPE_CHECKING:
    from docker.models.containers import Container

NAME = "ready-backup"
GLOBALS = "globals.sql"
#: How a dump of the custom format begins.
MAGIC = b"PGDMP"
#: Seconds that writers in flight get to end before a synchronized backup gives up.
FENCE_SECONDS = 10
_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY 1, 2
"""
_OWNERS = "SELECT json_object_agg(datname, pg_get_userbyid(datdba)) FROM pg_database"
_ROLES = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"
#: Text forms of values must not depend on a database's or role's own settings: they are part of the checksum.
_FORMS = (
    "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; "
    "SET extra_float_digits = 1; SET lc_monetary = 'C'; SET row_security = off; "
    "SET idle_in_transaction_session_timeout = 0"
)
_CREATE_ROLE = re.compile(r"^CREATE ROLE (.+);$", re.MULTILINE)


def tolerant(text: str) -> str:
    """Return pg_dumpall's globals so that a role which is there already is no error."""
    return _CREATE_ROLE.sub(
        r"DO $ready$ BEGIN CREATE ROLE \1; EXCEPTION WHEN duplicate_object THEN NULL; END $ready$;", text
    )


def connect(probe: PostgreSQLProbe, database: str) -> psycopg.Connection[Any]:
    """Return the admin's connection to a database, with the forms of values fixed."""
    connection = probe.connect("admin", dbname=database)
    connection.execute(_FORMS)
    return connection


def tables(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return schema and name of every table with rows of its own."""
    return [(schema, name) for schema, name in connection.execute(_TABLES)]


def rows(connection: psycopg.Connection[Any], database: str) -> Content:
    """Return counts and checksums of every table; a checksum does not depend on the order of rows."""
    content: Content = {"counts": {}, "checksums": {}}
    for schema, name in tables(connection):
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint::numeric), 0)::text "
            "FROM ONLY {} AS t"
        ).format(sql.Identifier(schema, name))
        found = connection.execute(query).fetchone()
        if found is not None:
            key = f"{database}.{schema}.{name}"
            content["counts"][key], content["checksums"][key] = found
    return content


def whole(found: list[Database], connections: Iterator[tuple[str, psycopg.Connection[Any]]]) -> Content:
    """Return the content of all databases, read through the given connections, their flags, and the roles."""
    flags = [f"{database.name}: {database.flags}" for database in pg_databases.saved(found)]
    content: Content = {"counts": {}, "checksums": {}, "names": {"flags": flags}, "samples": []}
    for database, connection in connections:
        for kind, values in rows(connection, database).items():
            content[kind] |= values
        content["names"]["roles"] = [name for (name,) in connection.execute(_ROLES)]
        content["names"].setdefault("databases", []).append(database)
    return content


class PostgreSQLDump(Dump):
    """Fenced by SHARE locks: readers go on, writers wait, and a run that dies lets go of them by itself."""

    physical = False
    probe: PostgreSQLProbe

    def prepare(self) -> None:
        """Connect, and end dumps that an interrupted run left behind."""
        self.snapshots: dict[str, tuple[psycopg.Connection[Any], str]] = {}
        self.fences: list[psycopg.Connection[Any]] = []
        self.login = self.service["accounts"]["admin"]["login"]
        self.opened = OpenedDatabases(self.container, self.login, OpenedRecord.of(self.scratch.stack["name"]))
        self.opened.open()
        self.outcome.warnings += pg_databases.invalid_warnings(self.opened.found)
        self.sidecar = self.scratch.stack.get("sidecars", {}).get(wal.SIDECAR)
        self.receiver = wal.receiver(self.client, self.scratch.stack) if self.sidecar else None
        self._end_dumps()

    def _end_dumps(self) -> None:
        with connect(self.probe, "postgres") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (NAME,)
            )

    def fence(self) -> None:
        """Lock every table of every database against writers."""
        for database in self.opened.names:
            connection = connect(self.probe, database)
            self.fences.append(connection)
            wanted = [sql.Identifier(*table) for table in tables(connection)]
            connection.execute("BEGIN")
            connection.execute(f"SET LOCAL lock_timeout = '{FENCE_SECONDS}s'")
            if wanted:
                try:
                    connection.execute(
                        sql.SQL("LOCK TABLE ONLY {} IN SHARE MODE").format(sql.SQL(", ONLY ").join(wanted))
                    )
                except psycopg.errors.LockNotAvailable as error:
                    raise BackupError(
                        f"postgresql: writers in {database} did not end within {FENCE_SECONDS} s. "
                        "Next: --level per_service, or again when long transactions are over"
                    ) from error

    def mark(self) -> None:
        """Export a snapshot of each database."""
        super().mark()
        for database in self.opened.names:
            connection = connect(self.probe, database)
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = connection.execute("SELECT pg_export_snapshot()").fetchone()
            self.snapshots[database] = (connection, found[0] if found else "")

    def release(self) -> None:
        """Let writers go on; the snapshots stay."""
        while self.fences:
            self.fences.pop().close()

    def write(self, directory: Path) -> None:
        """Dump and count each database in its snapshot; write the roles."""
        files = self._dump(directory)
        self.outcome.files += [*files.values(), GLOBALS]
        self.outcome.more["databases"] = pg_databases.as_manifest(self.opened.found, files)
        self.outcome.proof = self._prove(directory / "schema")
        if self.sidecar and self.receiver:
            system, its = self._system(), self.sidecar
            self.outcome.more["base"] = take_base(
                self.receiver, system, its["login"], its["with_tls"], directory / BASE
            )
            self.outcome.files.append(BASE)
        self.outcome.content = whole(self.opened.found, ((name, item[0]) for name, item in self.snapshots.items()))
        self.live = self.things(self.outcome.content)
        with connect(self.probe, "postgres") as connection:
            self.outcome.warnings += unsaved_settings.unsaved_warnings(
                [name for (name,) in connection.execute(unsaved_settings.ALTERED)]
            )

    def _dump(self, directory: Path, *options: str) -> dict[str, str]:
        """Dump each database in its snapshot, and the roles; return database -> file."""
        files = {}
        for number, (database, (_, snapshot)) in enumerate(self.snapshots.items()):
            name = files[database] = f"database{number}.dump"
            source = target(database, self.login, application_name=NAME)
            # Uncompressed, so that the repository finds what has not changed; it compresses and encrypts itself.
            command = ["pg_dump", "-d", source, "--format=custom", "--compress=0", f"--snapshot={snapshot}", "-w"]
            exec_to_file(self.container, [*command, *options], directory / name)
            with (directory / name).open("rb") as stream:
                begins = stream.read(len(MAGIC))
            if begins != MAGIC:
                raise BackupError(f"postgresql: pg_dump of {database} ended well and wrote no dump. No set was made")
        exec_to_file(self.container, ["pg_dumpall", "-U", self.login, "--globals-only", "-w"], directory / GLOBALS)
        return files

    def _prove(self, directory: Path) -> dict[str, Any]:
        """Return whether the schema can be restored; what an earlier run has proved is not proved again."""
        began = time.monotonic()
        try:
            found = schema_proof.fingerprint(self.container, self.login, self.opened.names)
            if known := schema_proof.earlier_proof(found, self.proved):
                if not known["unproven"]:
                    return known
                return schema_proof.evaluated_again(known, self._evaluate())
            live = self._evaluate()
            return schema_proof.make_proof(found, timestamp(), live, self._restore_schema(directory), began)
        except Exception as error:  # whatever kept it from being proved: the set is none the worse for it
            text = without_secrets(" ".join(str(error).split()), self.passwords.values())
            return schema_proof.failed_proof(
                text if isinstance(error, BackupError) else f"{type(error).__name__}: {text[:400]}"
            )

    def _evaluate(self) -> Evaluation:
        closed = pg_databases.names_of_closed(self.opened.found)
        return schema_proof.evaluate(self.container, self.opened.names, closed)

    def _restore_schema(self, directory: Path) -> list[str]:
        """Restore all schemas into a scratch server, and return what could not be restored, a line each."""
        directory.mkdir(mode=0o700)
        try:
            files = self._dump(directory, "--schema-only")
            part = {
                "files": {name: {} for name in [*files.values(), GLOBALS]},
                "databases": pg_databases.as_manifest(self.opened.found, files),
            }
            load = PostgreSQLLoad(self.scratch.service(self.name), part, directory)
            load.skip_broken = True
            load.restore()
            load.scratch.remove()
        finally:
            shutil.rmtree(directory)
        return load.failed

    def _system(self) -> str:
        """Return what tells this cluster from every other one."""
        with connect(self.probe, "postgres") as connection:
            row = connection.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
        return str(row[0]) if row else ""

    def close(self) -> None:
        """Close every connection, end a dump that is still running, and close the databases that were closed."""
        self.release()
        unfinished = bool(self.snapshots) and not self.outcome.content
        for connection, _ in self.snapshots.values():
            connection.close()
        self.snapshots = {}
        if unfinished:
            self._end_dumps()
        self.opened.close()

    @classmethod
    def things(cls, content: Content) -> int:
        """Return the number of rows."""
        return sum(content["counts"].values())


class PostgreSQLLoad(Load):
    """A new cluster by the image's own first start, then roles and every database."""

    def load(self) -> None:
        """Start empty, load globals and databases, and set the accounts as this inventory says."""
        self.restore()
        if self.skip_broken:
            self._retry()
        set_flags(self.scratch.running(), self.login, pg_databases.from_manifest(self.part))
        self.scratch.wait(reconcile=True)

    def restore(self) -> None:
        """Start empty, load globals and databases; with `skip_broken` go on past what fails. Raises BackupError."""
        self.broken: dict[str, list[pg_restore.Failure]] = {}  # database -> what failed in it
        self.absent: dict[str, str] = {}  # database that could not be made -> why
        scratch = self.scratch
        scratch.configure()
        container = scratch.create()
        scratch.start(reconcile=True)
        login, user = self.login, scratch.service["image"]["user"]
        adapted = self.directory / f"{GLOBALS}.adapted"
        adapted.write_text(tolerant((self.directory / GLOBALS).read_text(encoding="utf-8")), encoding="utf-8")
        put_file(container, TRANSFER, adapted, GLOBALS, user)
        adapted.unlink()
        psql = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-U", login, "-d", "template1", "-w"]
        execute(container, [*psql, "-f", f"{TRANSFER}/{GLOBALS}"])
        for name, database in pg_databases.names_of_files(self.part).items():
            put_file(container, TRANSFER, self.directory / name, name, user)
            try:
                self._restore(container, f"{TRANSFER}/{name}", database)
            except BackupError as error:
                raise BackupError(f"postgresql: database {database}: {error}") from error

    def _restore(self, container: Container, file: str, database: str) -> None:
        if not self.skip_broken:
            pg_restore.restore_whole(container, self.login, file)
            return
        try:
            if failed := pg_restore.restore(container, self.login, file):
                self.broken[database] = failed
        except BackupError as error:
            if database in {its.name for its in read_databases(container, self.login)}:
                raise
            self.absent[database] = str(error)

    @property
    def failed(self) -> list[str]:
        """What could not be restored with an empty search_path, a line each."""
        return [
            *(f"{name}: the whole database: {why}" for name, why in self.absent.items()),
            *(f"{name}: {failure}" for name, failures in self.broken.items() for failure in failures),
        ]

    def _retry(self) -> None:
        """Try what failed once more, and note what is missing then."""
        names = {database: file for file, database in pg_databases.names_of_files(self.part).items()}
        for database, failed in self.broken.items():
            file = f"{TRANSFER}/{names[database]}"
            back, missing = pg_restore.retry(self.scratch.running(), self.login, file, database, failed)
            self.broken[database] = missing
            self.retried += [f"{database}: {its.what}" for its in back]
        self.missing = self.failed

    def promised(self) -> Content:
        """Return what the manifest says is there, less what is known to be missing."""
        return self._less(super().promised())

    def _less(self, content: Content) -> Content:
        return pg_restore.without_missing(content, self.broken, self.absent) if self.missing else content

    @property
    def login(self) -> str:
        """The admin's."""
        return str(self.scratch.service["accounts"]["admin"]["login"])

    def opened(self) -> OpenedDatabases:
        """Return a context in which every database can be read."""
        return OpenedDatabases(self.scratch.running(), self.login, None)

    def integrity(self) -> list[str]:
        """Check heaps and indexes with pg_amcheck; its extension goes again, from template1 as well."""
        with self.opened() as opened:
            missing = []
            for database in [*opened.names, "template1"]:
                with connect(self._probe(), database) as connection:
                    if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'").fetchone():
                        missing.append(database)
            check = ["pg_amcheck", "-U", self.login, "-w", "--all", "--install-missing", "--heapallindexed"]
            execute(self.scratch.running(), check)
            for database in missing:
                with connect(self._probe(), database) as connection:
                    connection.execute("DROP EXTENSION IF EXISTS amcheck")
        return ["pg_restore" if self.skip_broken else "pg_restore --exit-on-error", "pg_amcheck"]

    def _probe(self) -> PostgreSQLProbe:
        probe = self.scratch.probe()
        if not isinstance(probe, PostgreSQLProbe):
            raise TypeError(type(probe))
        return probe

    def fingerprint(self) -> Content:
        """Count every table of every database."""
        probe = self._probe()

        def each(names: list[str]) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
            for name in names:
                with connect(probe, name) as connection:
                    yield name, connection

        with self.opened() as opened:
            content = whole(opened.found, each(opened.names))
        if "databases" not in self.part:  # an older set does not say which flags they had
            del content["names"]["flags"]
        # What the inventory has had since the set was made is there, and no fault.
        roles, databases = missing_from_set(self.scratch.service, self.part.get("content", {}).get("names", {}))
        content = pg_restore.without_missing(content, {}, databases)
        content["names"]["roles"] = [name for name in content["names"]["roles"] if name not in roles]
        return self._less(content)

    def logins(self) -> int:
        """Ask as every account that may connect to a database by itself."""
        owners = json.loads(ask(self.scratch.running(), self.login, _OWNERS))
        logins, self.unasked = working_logins(self.scratch.service, self.scratch.passwords, owners)
        for account, database in logins:
            with self._probe().connect(account, dbname=database) as connection:
                connection.execute("SELECT 1")
        return len(logins)
