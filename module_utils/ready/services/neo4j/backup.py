# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Neo4j: neo4j-admin dumps of all databases, `system` (users) included, from a copy of the stopped store."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ...backups.base import Content, Load, StoppedDump
from ...backups.container_files import execute, get_file, put_file
from ...backups.helper_containers import create_helper, run_helper
from ...backups.manifest import BackupError
from ...backups.scratch_containers import STARTING, TRANSFER, ScratchService, WrongPasswordError
from . import dump_file
from .probe import Neo4jProbe

DATABASES = ("neo4j", "system")
#: After a database's name: the file of a set that has what is inside its dump.
STORED = ".dump.raw"
RECOVER = "recover.json"
# A number of 32 bits from each half of a hash: sums of them do not depend on any order, and overflow nowhere.
_NUMBER = "reduce(s = 0, c IN split(substring(h, {start}, 8), '') | s * 16 + size(split('0123456789abcdef', c)[0]))"
_SUMS = f"RETURN count(h), sum({_NUMBER.format(start=0)}), sum({_NUMBER.format(start=8)})"
_NODES = (
    "MATCH (n) WITH apoc.util.md5([id(n), apoc.coll.sort(labels(n)), apoc.convert.toSortedJsonMap(properties(n))])"
    " AS h " + _SUMS
)
_RELATIONSHIPS = (
    "MATCH (a)-[r]->(b) WITH apoc.util.md5([id(a), type(r), id(b), apoc.convert.toSortedJsonMap(properties(r))]) AS h "
    + _SUMS
)
_STEPS = "MATCH (a)-->()-->(b) RETURN a IS NOT NULL LIMIT 1"


def fingerprint(probe: Neo4jProbe) -> Content:
    """Return nodes and relationships with checksums, users, indexes, and whether a walk of two steps exists."""
    with probe.connect("admin") as driver:
        ((nodes, first, second),) = probe._ask(driver, _NODES)
        ((relationships, third, fourth),) = probe._ask(driver, _RELATIONSHIPS)
        indexes = sorted(name for (name,) in probe._ask(driver, "SHOW INDEXES YIELD name"))
        walk = probe._ask(driver, _STEPS)
        with driver.session(database="system") as session:
            users = sorted(record["user"] for record in session.run("SHOW USERS YIELD user"))
    return {
        "counts": {"nodes": nodes, "relationships": relationships},
        "checksums": {"nodes": f"{first:x}.{second:x}", "relationships": f"{third:x}.{fourth:x}"},
        "names": {"users": users, "indexes": indexes, "traversal": walk},
        "samples": [],
    }


def scratch_probe(scratch: ScratchService) -> Neo4jProbe:
    """Return the driver's side of a scratch Neo4j."""
    probe = scratch.probe()
    if not isinstance(probe, Neo4jProbe):
        raise TypeError(type(probe))
    return probe


class Neo4jDump(StoppedDump):
    """The copy is dumped first, while it is at rest, and then started and counted."""

    probe: Neo4jProbe

    def count(self) -> int:
        """Return the number of nodes, from the store's own counters."""
        with self.probe.connect("admin") as driver:
            return int(self.probe._ask(driver, "MATCH (n) RETURN count(n)")[0][0])

    def write(self, directory: Path) -> None:
        """Dump both databases in one JVM; then let the copy say what is in it."""
        copied = self.copied
        mounts = {"/data": copied.data, TRANSFER: copied.transfer}
        owned = create_helper(
            self.client,
            copied.image,
            ["chown", self.service["image"]["user"], TRANSFER],
            {TRANSFER: copied.transfer},
            self.scratch.label,
        )
        run_helper(owned, "neo4j: preparing the dump")
        command = ["neo4j-admin", "database", "dump", "*", f"--to-path={TRANSFER}"]
        dumper = create_helper(
            self.client,
            copied.image,
            command,
            mounts,
            self.scratch.label,
            self.service["image"]["user"],
            self.service["limits"]["memory"],
        )
        run_helper(dumper, "neo4j: neo4j-admin database dump")
        container = copied.create()
        for database in DATABASES:
            name = f"{database}{STORED}"
            get_file(container, f"{TRANSFER}/{database}.dump", directory / name, dump_file.unpack)
            self.outcome.files.append(name)
        copied.start(reconcile=False)
        self.outcome.content = fingerprint(scratch_probe(copied))
        copied.remove()

    @classmethod
    def things(cls, content: Content) -> int:
        """Return the number of nodes."""
        return int(content["counts"]["nodes"])


class Neo4jLoad(Load):
    """Both databases are loaded into an empty volume; the admin's password becomes this inventory's."""

    def load(self) -> None:
        """Load, check, start, and set the accounts."""
        scratch, user = self.scratch, self.scratch.service["image"]["user"]
        missing = [name for name in DATABASES if f"{name}{STORED}" not in self.part["files"]]
        if missing:
            raise BackupError(f"neo4j: found no dump of {', '.join(missing)}, expected both {' and '.join(DATABASES)}")
        password = scratch.passwords["admin"]
        statement = "ALTER USER `neo4j` SET PASSWORD $password CHANGE NOT REQUIRED"
        body: dict[str, Any] = {"statements": [{"statement": statement, "parameters": {"password": password}}]}
        scratch.configure({RECOVER: json.dumps(body).encode()})
        script = (
            f"neo4j-admin database load '*' --from-path={TRANSFER} --overwrite-destination=true"
            " && neo4j-admin database check neo4j --report-path=/tmp"
        )
        loader = create_helper(
            scratch.client,
            scratch.image,
            ["sh", "-ec", script],
            {"/data": scratch.data, TRANSFER: scratch.transfer},
            scratch.scratch.label,
            user,
            scratch.service["limits"]["memory"],
        )
        for database in DATABASES:
            packed = self.directory / f"{database}.dump"
            with (self.directory / f"{database}{STORED}").open("rb") as source, packed.open("wb") as target:
                dump_file.pack(source, target)
            put_file(loader, TRANSFER, packed, packed.name, user)
            packed.unlink()
        run_helper(loader, "neo4j: neo4j-admin database load and check")
        scratch.create()
        try:
            scratch.start(reconcile=True)
        except WrongPasswordError:
            self._recover()

    def _recover(self) -> None:
        """Give the admin this inventory's password: the set may be from before a rotation, or another inventory's.

        Neo4j's own way for a lost password: a start without authentication, on this host's loopback alone.
        """
        scratch = self.scratch
        scratch.create(env={"NEO4J_dbms_security_auth__enabled": "false"})
        container = scratch.running()
        container.start()
        asking = ["/bin/bash", "/run/ready/query.sh", "admin", "system", f"@/run/ready/{RECOVER}"]
        deadline = time.monotonic() + STARTING
        while True:
            try:
                execute(container, asking)
                break
            except BackupError:
                container.reload()
                if container.status != "running" or time.monotonic() > deadline:
                    raise
                time.sleep(1)
        container.stop(timeout=scratch.service["stop_timeout"])
        scratch.create()
        scratch.start(reconcile=True)

    def integrity(self) -> list[str]:
        """Name what `load` asked already, while the store was at rest."""
        return ["neo4j-admin database check"]

    def fingerprint(self) -> Content:
        """Count nodes and relationships, users and indexes."""
        return fingerprint(scratch_probe(self.scratch))

    def logins(self) -> int:
        """Ask as every account."""
        accounts = self.scratch.service["accounts"]
        probe = scratch_probe(self.scratch)
        for account in accounts:
            with probe.connect(account) as driver:
                probe._ask(driver, "RETURN 1")
        return len(accounts)
