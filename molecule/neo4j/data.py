"""What a test writes to Neo4j, and reads: two nodes and their relationship."""

from __future__ import annotations

from tests.stack import Stack


def write(stack: Stack) -> None:
    """Write them."""
    with stack.neo4j() as driver:
        driver.execute_query("MERGE (a:ReadyTest {x: 1}) MERGE (b:ReadyTest {x: 2}) MERGE (a)-[:NEXT]->(b)")


def check(stack: Stack) -> None:
    """Traverse them."""
    with stack.neo4j() as driver:
        records = driver.execute_query("MATCH (:ReadyTest {x: 1})-[:NEXT]->(b) RETURN b.x AS x").records
        assert [record["x"] for record in records] == [2]
