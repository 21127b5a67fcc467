# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Neo4j, asked by its own driver over Bolt, and over HTTP."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import neo4j

from ...checks.probe import LEFTOVER_SECONDS, CheckError, Probe, expect
from ...common.addresses import host_port
from .advertised_address import advertised_addresses

_DATABASE = "neo4j"
_WRITE = (
    "CREATE (a:ReadyProbe {run: $run, at: $at, n: 1})-[:READY_PROBE]->(b:ReadyProbe {run: $run, at: $at, n: 2})"
    "-[:READY_PROBE]->(c:ReadyProbe {run: $run, at: $at, n: 3})"
)
_TRAVERSE = "MATCH (:ReadyProbe {run: $run, n: 1})-[:READY_PROBE*2]->(c:ReadyProbe) RETURN c.n AS n"


class Neo4jProbe(Probe):
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
        return neo4j.GraphDatabase.driver(f"bolt://{host_port(host, port)}", **(settings | other))

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

    def request(self, path: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, str]:
        """Return status and answer of its HTTP port; with a body it is a POST."""
        host, port = self.address("http")
        connection = (
            http.client.HTTPSConnection(host, port, timeout=self.timeout, context=self.context())
            if self.tls
            else http.client.HTTPConnection(host, port, timeout=self.timeout)
        )
        with closing(connection):
            connection.request("GET" if body is None else "POST", path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(65536).decode(errors="replace")

    def http(self) -> Mapping[str, Any]:
        """Check that the discovery page names a Neo4j, its version, and the addresses that clients find it at."""
        status, text = self.request("/", {"Accept": "application/json"})
        page = json.loads(text) if status == 200 else {}
        if "neo4j_version" not in page:
            raise CheckError(f"the HTTP port: found status {status}, expected Neo4j's discovery page")
        # The settings of an application say nothing of what the server advertises.
        if self.as_configured and "settings" in self.service:
            wanted = advertised_addresses(self.service)["server.bolt.advertised_address"]
            # For localhost the page has the name that the request asked for.
            if wanted.startswith("localhost:"):
                wanted = host_port(self.address("http")[0], int(wanted.rpartition(":")[2]))
            for key in ("bolt_direct", "bolt_routing"):
                expect(f"the discovery page's {key}", urlsplit(page[key]).netloc, wanted)
        return {"server_version": page["neo4j_version"]}
