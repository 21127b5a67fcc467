# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Neo4j for applications: its URI, login and password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...common.addresses import host_port
from ...connections.base import Connection, ServiceSettings, certificates, url_of
from ...connections.endpoints import public_address

if TYPE_CHECKING:
    import neo4j


class Neo4jConnection(Connection):
    """`connect` gives a driver, which retries as drivers do."""

    title, port = "Neo4j", "bolt"
    variables = ("NEO4J_",)
    named_by = ("NEO4J_URI",)

    def settings(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None) -> dict[str, str]:
        """Return the addresses of Bolt and HTTP, and the login."""
        values = {
            "NEO4J_URI": f"{'bolt+s' if ca else 'bolt'}://{host_port(*public_address(service, 'bolt'))}",
            "NEO4J_HTTP_URL": f"{'https' if ca else 'http'}://{host_port(*public_address(service, 'http'))}",
            "NEO4J_USERNAME": service["accounts"]["app"]["login"],
        }
        secret = passwords.get("app")
        return values | ({"NEO4J_CA_FILE": ca} if ca else {}) | ({"NEO4J_PASSWORD": secret} if secret else {})

    def read(self, values: Mapping[str, str]) -> ServiceSettings:
        """Take the URI; that of HTTP may be missing."""
        found, url = ServiceSettings(), url_of(values, "NEO4J_URI", {"bolt", "bolt+s", "neo4j", "neo4j+s"})
        http = url_of(values, "NEO4J_HTTP_URL", {"http", "https"})
        assert url
        found.port("bolt", str(url.hostname), url.port or 7687)
        if http:
            found.port("http", str(http.hostname), http.port or (7473 if http.scheme == "https" else 7474))
        found.login, found.password = values.get("NEO4J_USERNAME", ""), values.get("NEO4J_PASSWORD", "")
        found.tls = url.scheme.endswith("+s")
        if path := values.get("NEO4J_CA_FILE"):
            found.authority = certificates("NEO4J_CA_FILE", path)
        return found

    def connect(self, probe: Any, **other: Any) -> neo4j.Driver:
        """`other` goes to `neo4j.GraphDatabase.driver`."""
        driver: neo4j.Driver = probe.connect("app", **({"max_transaction_retry_time": 30.0} | other))
        return driver
