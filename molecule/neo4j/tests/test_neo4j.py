"""Neo4j through its driver, as an application and as somebody who should not get in."""

from __future__ import annotations

import neo4j
import pytest
import requests

from tests.hardening import assert_hardened
from tests.stack import molecule_stack

STACK = molecule_stack(["neo4j"])


def test_data() -> None:
    """A graph is written and traversed."""
    STACK.write("neo4j")
    STACK.check("neo4j")


def test_clients_get_where_it_is() -> None:
    """By the published ports, on the discovery page and by the routing table."""
    bolt, port = (STACK.variables[f"neo4j_{name}_port"] for name in ("bolt", "http"))
    page = requests.get(f"http://127.0.0.1:{port}/", headers={"Accept": "application/json"}, timeout=10).json()
    assert (page["bolt_direct"], page["bolt_routing"]) == (f"bolt://127.0.0.1:{bolt}", f"neo4j://127.0.0.1:{bolt}")
    with STACK.neo4j() as driver:
        (table,) = driver.execute_query("CALL dbms.routing.getRoutingTable({})").records
    assert {address for its in table["servers"] for address in its["addresses"]} == {f"127.0.0.1:{bolt}"}


def test_version_and_apoc() -> None:
    """5.12 Community, with APOC of the same release, callable."""
    with STACK.neo4j() as driver:
        components = driver.execute_query("CALL dbms.components() YIELD versions, edition").records[0]
        assert (components["versions"], components["edition"]) == (["5.12.0"], "community")
        assert driver.execute_query("RETURN apoc.version() AS v").records[0]["v"] == "5.12.0"
        assert driver.execute_query("RETURN apoc.coll.sum([1, 2, 3]) AS s").records[0]["s"] == 6.0


@pytest.mark.parametrize(
    "statement",
    [
        "CALL apoc.load.json('http://127.0.0.1:7474/')",
        "CALL apoc.load.json('file:///etc/passwd')",
        "CALL apoc.export.cypher.all('/tmp/x', {})",
    ],
)
def test_apoc_reaches_neither_network_nor_files(statement: str) -> None:
    """apoc.load would let anybody who may query ask other servers on this one's behalf."""
    with (
        STACK.neo4j() as driver,
        pytest.raises(neo4j.exceptions.ClientError, match=r"(?i)no procedure|not available|allowlist"),
    ):
        driver.execute_query(statement)


@pytest.mark.parametrize("account", ["admin", "app", "monitor", "backup"])
def test_accounts(account: str) -> None:
    """Every account logs in with its own password, and not with a wrong one."""
    with STACK.neo4j(account) as driver:
        driver.verify_connectivity()
    with STACK.neo4j(account, password="wrong-password") as driver, pytest.raises(neo4j.exceptions.AuthError):
        driver.verify_connectivity()


def test_http_without_a_password_is_refused() -> None:
    """HTTP asks for a login too."""
    url = STACK.settings("neo4j")["NEO4J_HTTP_URL"]
    answer = requests.post(f"{url}/db/neo4j/tx/commit", json={"statements": [{"statement": "RETURN 1"}]}, timeout=10)
    assert answer.status_code == 401


def test_hardened() -> None:
    """Non-root, no capabilities, read-only, limited."""
    assert_hardened(STACK, "neo4j")
