"""The addresses that Neo4j tells clients to find it at."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from ready.checks.probe import attempt
from ready.services.neo4j.advertised_address import advertised_addresses
from ready.services.neo4j.probe import Neo4jProbe
from ready.stack.definitions import load_definitions, resolve_stack
from ready.stack.render import render_files

GIVEN = {"certificate": "c.pem", "key": "k.pem", "ca": "ca.pem", "names": ["graph.example"]}
DEFAULT = "server.default_advertised_address"
BOLT, HTTP, HTTPS = (f"server.{name}.advertised_address" for name in ("bolt", "http", "https"))


def service(**variables: Any) -> dict[str, Any]:
    """Return Neo4j resolved with these variables."""
    stack = {"stack_name": "tt", "ready_services": ["neo4j"], "ready_bind_address": "127.0.0.1"}
    resolved: dict[str, Any] = resolve_stack(load_definitions(), stack | variables)["services"]["neo4j"]
    return resolved


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, {BOLT: "127.0.0.1:7687", HTTP: "127.0.0.1:7474"}),
        ({"neo4j_bolt_port": 17687, "neo4j_http_port": 17474}, {BOLT: "127.0.0.1:17687", HTTP: "127.0.0.1:17474"}),
        ({"neo4j_bind_address": "::1"}, {BOLT: "[::1]:7687", HTTP: "[::1]:7474"}),
        ({"neo4j_bind_address": "0.0.0.0"}, {BOLT: "localhost:7687", HTTP: "localhost:7474"}),  # noqa: S104
        (
            {"neo4j_bind_address": "10.0.0.5", "neo4j_tls": {"enabled": True}},
            {BOLT: "10.0.0.5:7687", HTTPS: "10.0.0.5:7474"},
        ),
        (
            {"neo4j_bind_address": "0.0.0.0", "neo4j_tls": {"enabled": True, "names": ["db1.example"]}},  # noqa: S104
            {BOLT: "db1.example:7687", HTTPS: "db1.example:7474"},
        ),
        ({"neo4j_tls": {"enabled": True, **GIVEN}}, {BOLT: "graph.example:7687", HTTPS: "graph.example:7474"}),
        ({"neo4j_settings": {BOLT: "nat.example:1"}}, {BOLT: "nat.example:1", HTTP: "127.0.0.1:7474"}),
        (
            {"neo4j_settings": {DEFAULT: "db.example"}, "neo4j_bolt_port": 17687},
            {BOLT: "db.example:17687", HTTP: "db.example:7474"},
        ),
        ({"neo4j_settings": {BOLT: "db.example"}}, {BOLT: "db.example:7687", HTTP: "127.0.0.1:7474"}),
        (
            {"neo4j_settings": {BOLT: ":7687", DEFAULT: "db.example"}, "neo4j_bolt_port": 17687},
            {BOLT: "db.example:7687", HTTP: "db.example:7474"},
        ),
        (
            {"neo4j_settings": {HTTPS: "[fd00::1]"}, "neo4j_tls": {"enabled": True}},
            {BOLT: "127.0.0.1:7687", HTTPS: "[fd00::1]:7473"},
        ),
        ({"neo4j_settings": {BOLT: "fd00::1"}}, {BOLT: "fd00::1", HTTP: "127.0.0.1:7474"}),
        (
            {"neo4j_env": {"NEO4J_server_default__advertised__address": "db.example"}},
            {BOLT: "db.example:7687", HTTP: "db.example:7474"},
        ),
        (
            {"neo4j_env": {"NEO4J_server_bolt_advertised__address": "nat.example:1"}},
            {BOLT: "nat.example:1", HTTP: "127.0.0.1:7474"},
        ),
    ],
    ids=[
        "default",
        "ports",
        "IPv6",
        "everywhere",
        "TLS",
        "TLS everywhere",
        "given certificate",
        "the inventory's own",
        "the inventory's default",
        "without a port",
        "without a name",
        "IPv6 without a port",
        "not an address",
        "a default in the environment",
        "one in the environment",
    ],
)
def test_clients_get_where_it_is(variables: dict[str, Any], wanted: dict[str, str]) -> None:
    """By the address and port that it is published at, or the name that its certificate is for."""
    assert advertised_addresses(service(**variables)) == wanted


def test_the_server_gets_them() -> None:
    """As its settings; only there, so that a changed port changes the files."""
    its = service(neo4j_bolt_port=17687)
    files = {
        file.path: file.content.decode() for file in render_files(its, dict.fromkeys(its["accounts"], "x" * 12), {})
    }
    assert "export NEO4J_server_bolt_advertised__address='127.0.0.1:17687'" in files["start.sh"]


@pytest.mark.parametrize(
    ("bolt", "bind", "own", "fault"),
    [
        ("127.0.0.1:17687", "127.0.0.1", "", ""),
        ("127.0.0.1:7687", "127.0.0.1", "", "found '127.0.0.1:7687', expected '127.0.0.1:17687'"),
        ("127.0.0.1:17687", "0.0.0.0", "", ""),  # noqa: S104
        ("pc1:17687", "0.0.0.0", "", "found 'pc1:17687', expected '127.0.0.1:17687'"),  # noqa: S104
        ("db.example:7687", "127.0.0.1", "db.example", ""),
        ("db.example:17687", "127.0.0.1", "db.example", "found 'db.example:17687', expected 'db.example:7687'"),
    ],
)
def test_check_compares_the_discovery_page(bolt: str, bind: str, own: str, fault: str) -> None:
    """What a server without these settings says is a fault, whatever answers at the port itself."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = json.dumps(
                {"bolt_direct": f"bolt://{bolt}", "bolt_routing": f"neo4j://{bolt}", "neo4j_version": "5"}
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        its = service(
            neo4j_bolt_port=17687,
            neo4j_http_port=server.server_port,
            neo4j_bind_address=bind,
            neo4j_settings={BOLT: own} if own else {},
        )
        probe = Neo4jProbe(its, {})
        found = attempt(probe.http)
        probe.as_configured = False
        restored = attempt(probe.http)
        server.shutdown()
    assert (found.verdict, fault in found.detail) == ("fail" if fault else "pass", True), found
    assert restored.verdict == "pass", "no fault of the data that a restore has put there"
