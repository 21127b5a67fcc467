"""Neo4j's driver: transactions, constraints, the schema's procedures, APOC, a vector index."""

import neo4j
from neo4j.exceptions import ConstraintError
from settings import ENV, expect

LOGIN = (ENV["NEO4J_USERNAME"], ENV["NEO4J_PASSWORD"])
CA = ENV.get("NEO4J_CA_FILE")
TLS = {"encrypted": True, "trusted_certificates": neo4j.TrustCustomCAs(CA)} if CA else {}
#: What clients and frameworks call to learn what is in a database.
READING = (
    "CALL dbms.components()",
    "CALL db.labels()",
    "CALL db.relationshipTypes()",
    "CALL db.propertyKeys()",
    "CALL db.schema.visualization()",
    "CALL db.schema.nodeTypeProperties()",
    "CALL db.schema.relTypeProperties()",
    "CALL apoc.meta.schema()",
    "CALL apoc.meta.data()",
    "SHOW INDEXES",
    "SHOW CONSTRAINTS",
    "SHOW PROCEDURES",
)


def make(tx: neo4j.ManagedTransaction) -> int:
    """Write a chain of people."""
    tx.run("UNWIND range(1, 3) AS n MERGE (:ClientsPerson {n: n})").consume()
    tx.run("MATCH (a:ClientsPerson), (b:ClientsPerson {n: a.n + 1}) MERGE (a)-[:CLIENTS_KNOWS]->(b)").consume()
    return int(tx.run("MATCH (:ClientsPerson {n: 1})-[:CLIENTS_KNOWS*2]->(c) RETURN c.n AS n").single(strict=True)["n"])


def main() -> None:
    """Be an application."""
    with neo4j.GraphDatabase.driver(ENV["NEO4J_URI"].replace("+s:", ":"), auth=LOGIN, **TLS) as driver:
        driver.verify_connectivity()
        ask = driver.execute_query
        ask("CREATE CONSTRAINT clients_person IF NOT EXISTS FOR (p:ClientsPerson) REQUIRE p.n IS UNIQUE")
        with driver.session(fetch_size=100) as session:
            expect(session.execute_write(make), 3, "a managed transaction")
            with session.begin_transaction() as tx:
                tx.run("MATCH (p:ClientsPerson) DETACH DELETE p").consume()
                tx.rollback()
            expect(sum(1 for _ in session.run("UNWIND range(1, 1000) AS n RETURN n")), 1000, "a streamed result")
            session.run(
                "UNWIND range(1, 10) AS n CALL { WITH n RETURN n AS m } IN TRANSACTIONS OF 5 ROWS RETURN m"
            ).consume()
        try:
            ask("CREATE (:ClientsPerson {n: 1})")
            raise SystemExit("a second node with a unique value was taken, expected it to be refused")
        except ConstraintError:
            pass
        for statement in READING:
            try:
                ask(statement)
            except neo4j.exceptions.Neo4jError as error:
                raise SystemExit(f"{statement}: {error}") from error
        ask("DROP INDEX clients_vector IF EXISTS")
        ask("CALL db.index.vector.createNodeIndex('clients_vector', 'ClientsPerson', 'v', 3, 'cosine')")
        vector = "[1.0, toFloat(p.n), 0.0]"
        ask(f"MATCH (p:ClientsPerson) CALL db.create.setVectorProperty(p, 'v', {vector}) YIELD node RETURN node")
        ask("CALL db.awaitIndexes(30)")
        found = ask(
            "CALL db.index.vector.queryNodes('clients_vector', 2, [1.0, 3.0, 0.0]) YIELD node RETURN node.n AS n"
        )
        expect([record["n"] for record in found.records], [3, 2], "the nearest vectors")
        for statement in ("DROP INDEX clients_vector", "DROP CONSTRAINT clients_person"):
            ask(statement)
        ask("MATCH (p:ClientsPerson) DETACH DELETE p")


if __name__ == "__main__":
    main()
