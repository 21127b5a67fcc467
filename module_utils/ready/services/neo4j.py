# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Neo4j, asked by its own driver over Bolt, and over HTTP."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Mapping
from typing import Any

import neo4j

from .base import LEFTOVER_SECONDS, CheckError, Probe, expect

_DATABASE = "neo4j"
_WRITE = (
    "CREATE (a:ReadyProbe {run: $run, at: $at, n: 1})-[:READY_PROBE]->(b:ReadyProbe {run: $run, at: $at, n: 2})"
    "-[:READY_PROBE]->(c:ReadyProbe {run: $run, at: $at, n: 3})"
)
_TRAVERSE = "MATCH (:ReadyProbe {run: $run, n: 1})-[:READY_PROBE*2]->(c:ReadyProbe) RETURN c.n AS n"


class Neo4j(Probe):
    """Checks: `apoc` (version and a call), `graph` (written, traversed, removed), `http`."""

    checks = ("apoc", "graph", "http")

    def connect(self, account: str, **other: Any) -> neo4j.Driver:
        """Return a driver, which connects at its first query; `other` goes to it over what is set here."""
        host, port = self.address("bolt")
        settings: dict[str, Any] = {"ssl_context": self.context()} if self.tls else {}
        settings |= {
            "auth": self.login(account),
            "connection_timeout": self.timeout,
            "connection_acquisition_timeout": self.timeout,
            "max_transaction_retry_time": 0,
            "telemetry_disabled": True,
            "notifications_min_severity": "OFF",
        }
        return neo4j.GraphDatabase.driver(f"bolt://{host}:{port}", **(settings | other))

    def open(self) -> neo4j.Driver:
        """Return a driver of the app account."""
        return self.connect("app")

    def ping(self, connection: neo4j.Driver) -> Mapping[str, Any]:
        """Ask for a constant over Bolt."""
        expect("RETURN 1", self._ask(connection, "RETURN 1"), [[1]])
        return {}

    def _ask(self, driver: neo4j.Driver, text: str, **parameters: Any) -> list[list[Any]]:
        query = neo4j.Query(text, timeout=self.timeout)
        with driver.session(database=_DATABASE) as session:
            return [record.values() for record in session.run(query, parameters)]

    def apoc(self) -> Mapping[str, Any]:
        """APOC must be of the server's own release line, and answer."""
        with self.connect("monitor") as driver:
            (found,) = self._ask(driver, "RETURN apoc.version(), apoc.coll.sum([1, 2, 3])")
            ((server,),) = self._ask(driver, "CALL dbms.components() YIELD name, versions RETURN versions[0] LIMIT 1")
        version, total = found
        expect("APOC's release line", version.split(".")[:2], server.split(".")[:2])
        expect("apoc.coll.sum([1, 2, 3])", total, 6)
        return {"apoc_version": version, "server_version": server}

    def graph(self) -> Mapping[str, Any]:
        """Write a path of three nodes, walk it, remove it. The label and type stay as names without any node."""
        run, now = uuid.uuid4().hex, int(time.time())
        with self.connect("app") as driver:
            self._ask(driver, "MATCH (n:ReadyProbe) WHERE n.at < $old DETACH DELETE n", old=now - LEFTOVER_SECONDS)
            try:
                self._ask(driver, _WRITE, run=run, at=now)
                expect("the end of a path of two steps", self._ask(driver, _TRAVERSE, run=run), [[3]])
            finally:
                self._ask(driver, "MATCH (n:ReadyProbe {run: $run}) DETACH DELETE n", run=run)
            left = self._ask(driver, "MATCH (n:ReadyProbe {run: $run}) RETURN count(n)", run=run)
            expect("nodes left after removal", left, [[0]])
        return {}

    def http(self) -> Mapping[str, Any]:
        """Check that the discovery page names a Neo4j and its version."""
        host, port = self.address("http")
        url = f"{'https' if self.tls else 'http'}://{host}:{port}/"
        request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310
        context = self.context() if self.tls else None
        with urllib.request.urlopen(request, timeout=self.timeout, context=context) as answer:  # noqa: S310  # our own port
            page = json.loads(answer.read(65536))
        if "neo4j_version" not in page:
            raise CheckError(f"{url}: found no neo4j_version, expected Neo4j's discovery page")
        return {"server_version": page["neo4j_version"]}
