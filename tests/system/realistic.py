"""Data as applications have them, in all four stores, and dumps of them that share nothing with the backups.

PostgreSQL's dump is pg_dump's text of each database; the others are read by their drivers.
"""

from __future__ import annotations

import random
import re
from typing import Any

import chromadb
from chromadb.config import Settings
from psycopg import sql

from tests.stack import Stack

#: Databases beside the application's own; the last two are closed and a template.
LATIN1, ICU, CLOSED, TEMPLATE = "archive_latin1", "shop_icu", "closed_2019", "tenant_template"
_DATABASES = (
    f"CREATE DATABASE {LATIN1} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
    f"CREATE DATABASE {ICU} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LOCALE 'C.UTF-8'",
    f"CREATE DATABASE {CLOSED}",
    f"CREATE DATABASE {TEMPLATE}",
    "CREATE ROLE analyst NOLOGIN",
    "CREATE ROLE clerk LOGIN CONNECTION LIMIT 3 IN ROLE analyst",
    "ALTER ROLE clerk SET statement_timeout = '5s'",
    f"ALTER DATABASE {ICU} SET search_path = shop, public",
    f"COMMENT ON DATABASE {ICU} IS 'the shop'",
)
_SHOP = """
CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION citext; CREATE EXTENSION btree_gist;
CREATE SCHEMA shop AUTHORIZATION analyst;
CREATE TYPE shop.state AS ENUM ('new', 'paid', 'sent');
CREATE DOMAIN shop.price AS numeric(10, 2) CHECK (VALUE >= 0);
CREATE COLLATION shop.numeric (provider = icu, locale = 'en-u-kn-true');
CREATE TABLE shop.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail citext UNIQUE, name text COLLATE shop.numeric, more hstore,
    doc jsonb, tags text[], upper_name text GENERATED ALWAYS AS (upper(name)) STORED
);
CREATE INDEX ON shop.customer USING gin (name gin_trgm_ops);
CREATE INDEX ON shop.customer USING gin (doc);
CREATE TABLE shop.orders (
    id bigint, at timestamptz NOT NULL, customer bigint REFERENCES shop.customer, total shop.price, state shop.state,
    photo bytea, PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE shop.orders_2025 PARTITION OF shop.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE shop.orders_rest PARTITION OF shop.orders DEFAULT;
CREATE TABLE shop.booking (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN NEW.tags := array_append(NEW.tags, ''seen''); RETURN NEW; END';
CREATE TRIGGER stamp BEFORE UPDATE ON shop.customer FOR EACH ROW EXECUTE FUNCTION shop.stamp();
CREATE VIEW shop.paid AS SELECT * FROM shop.orders WHERE state = 'paid';
CREATE MATERIALIZED VIEW shop.sums AS SELECT customer, sum(total) AS total FROM shop.orders GROUP BY customer;
ALTER TABLE shop.customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.customer TO clerk USING (mail::text = current_user);
GRANT SELECT (id, name) ON shop.customer TO clerk;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO analyst;
INSERT INTO shop.customer (mail, name, more, doc, tags)
    SELECT 'Käufer' || n || '@Example.org', 'Größe ' || n || E' \\t😀', hstore('n', n::text),
        jsonb_build_object('n', n), ARRAY['a', NULL, 'b"c'] FROM generate_series(1, 500) n;
INSERT INTO shop.orders SELECT n, timestamptz '2025-11-01' + n * interval '3 hours', n % 500 + 1, n / 7.0,
    (ARRAY['new', 'paid', 'sent']::shop.state[])[n % 3 + 1], sha256(n::text::bytea) FROM generate_series(1, 2000) n;
INSERT INTO shop.booking VALUES (1, '[2026-01-01, 2026-01-02)'), (1, '[2026-01-02, infinity)');
UPDATE shop.customer SET doc = doc || '{"x": null}' WHERE id % 7 = 0;
REFRESH MATERIALIZED VIEW shop.sums;
SELECT lo_from_bytea(4711, decode(repeat('00ff', 5000), 'hex'));
"""
_KEYS = 400


def seed(stack: Stack) -> None:
    """Fill all four stores."""
    with stack.postgresql("admin") as connection:
        for statement in _DATABASES:
            connection.execute(sql.SQL(statement))
    for database, statements in {
        ICU: _SHOP,
        LATIN1: "CREATE TABLE t AS SELECT n, 'äöü' AS w FROM generate_series(1, 99) n",
        CLOSED: "CREATE TABLE t AS SELECT generate_series(1, 77) AS n",
        TEMPLATE: "CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (5)",
    }.items():
        with stack.postgresql("admin", dbname=database) as connection:
            connection.execute(sql.SQL(statements))
    with stack.postgresql("admin") as connection:
        connection.execute(sql.SQL(f"ALTER DATABASE {CLOSED} ALLOW_CONNECTIONS false"))
        connection.execute(sql.SQL(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true CONNECTION LIMIT 9"))
    with stack.neo4j() as driver:
        for query in (
            "CREATE CONSTRAINT part_id FOR (n:Part) REQUIRE n.id IS UNIQUE",
            "CREATE FULLTEXT INDEX part_text FOR (n:Part) ON EACH [n.text]",
            "CREATE INDEX used_at FOR ()-[r:USES]-() ON (r.at)",
            "UNWIND range(1, 800) AS i CREATE (:Part:Item {id: i, text: 'Teil ' + i, list: [i, i * 2], f: i / 3.0, "
            "at: datetime('2026-01-01T00:00:00Z') + duration({hours: i}), "
            "place: point({longitude: i % 180, latitude: i % 90})})",
            "MATCH (a:Part), (b:Part {id: a.id + 1}) CREATE (a)-[:USES {at: date('2026-01-01'), n: a.id}]->(b)",
        ):
            driver.execute_query(query)
    _seed_chromadb(stack)
    with stack.redis().pipeline() as pipe:
        for number in range(_KEYS):
            pipe.set(f"k:{number}", bytes([number % 256, 0, 255]) * 9, ex=86400 if number % 5 == 0 else None)
            pipe.xadd(f"stream:{number % 4}", {"n": number}, id=f"{number + 1}-1")
        for number in range(4):
            pipe.xgroup_create(f"stream:{number}", "workers", id="0")
            pipe.xreadgroup("workers", "one", {f"stream:{number}": ">"}, count=10)
        pipe.zadd("ranks", {f"m{number}": number / 3 for number in range(300)})
        pipe.geoadd("places", (13.4, 52.5, "Berlin"))
        pipe.pfadd("visitors", *range(500))
        pipe.rpush("queue", *range(200))
        pipe.setbit("bits", 100000, 1)
        pipe.execute()


def _chromadb(stack: Stack, tenant: str, database: str) -> Any:
    its = stack.settings("chromadb")
    return chromadb.HttpClient(host=its["CHROMA_HOST"], port=int(its["CHROMA_PORT"]), tenant=tenant, database=database)


def _seed_chromadb(stack: Stack) -> None:
    its = stack.settings("chromadb")
    admin = chromadb.AdminClient(
        Settings(
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=its["CHROMA_HOST"],
            chroma_server_http_port=int(its["CHROMA_PORT"]),
        )
    )
    numbers = random.Random(11)  # the same vectors each time
    for tenant in ("acme", "umbrella"):
        admin.create_tenant(tenant)
        admin.create_database("docs", tenant)
        client = _chromadb(stack, tenant, "docs")
        for space in ("l2", "cosine", "ip"):
            collection = client.create_collection(
                f"notes-{space}", metadata={"hnsw:space": space, "owner": tenant}, embedding_function=None
            )
            ids = [f"{tenant}-{number}" for number in range(300)]
            collection.add(
                ids=ids,
                embeddings=[[numbers.gauss(0, 1) for _ in range(24)] for _ in ids],
                documents=[f"Dokument {name} ✓" for name in ids],
                metadatas=[{"page": number, "even": number % 2 == 0} for number, _ in enumerate(ids)],
            )
            collection.delete(ids=ids[::9])


def dumps(stack: Stack) -> dict[str, Any]:
    """Return everything that is in the four stores."""
    return {
        "postgresql": _postgresql(stack),
        "neo4j": _neo4j(stack),
        "chromadb": {tenant: _collections(stack, tenant) for tenant in ("acme", "umbrella")},
        "redis": _redis(stack),
    }


def _postgresql(stack: Stack) -> dict[str, Any]:
    """pg_dump's text of every database, opened for it where it is closed, and the flags of all."""
    login = stack.resolved["services"]["postgresql"]["accounts"]["admin"]["login"]
    flags = (
        "SELECT datname, datistemplate, datallowconn, datconnlimit, datcollate, datlocprovider, daticulocale, "
        "pg_encoding_to_char(encoding) FROM pg_database ORDER BY 1"
    )
    found: dict[str, Any] = {}
    with stack.postgresql("admin") as connection:
        found["flags"] = connection.execute(flags).fetchall()
        connection.execute(sql.SQL(f"ALTER DATABASE {CLOSED} ALLOW_CONNECTIONS true"))
        for row in found["flags"]:
            if row[0] != "template0":
                found[row[0]] = _dumped(stack, ["pg_dump", "-U", login, "--create", "-d", row[0]])
        connection.execute(sql.SQL(f"ALTER DATABASE {CLOSED} ALLOW_CONNECTIONS false"))
    found["roles"] = _dumped(stack, ["pg_dumpall", "-U", login, "--globals-only", "--no-role-passwords"])
    return found


def _dumped(stack: Stack, command: list[str]) -> list[str]:
    """Return the lines of a dump, but those that differ from dump to dump."""
    result = stack.container("postgresql").exec_run([*command, "-w"], user="postgres")
    assert result.exit_code == 0, result.output
    return [line for line in result.output.decode("latin1").splitlines() if not re.match(r"--|\\(un)?restrict ", line)]


def _neo4j(stack: Stack) -> list[Any]:
    with stack.neo4j() as driver:
        return [
            [record.values() for record in driver.execute_query(query).records]
            for query in (
                "MATCH (n) RETURN labels(n), properties(n) ORDER BY n.id",
                "MATCH (a)-[r]->(b) RETURN a.id, type(r), properties(r), b.id ORDER BY a.id",
                "SHOW INDEXES YIELD name, type, labelsOrTypes, properties, state RETURN * ORDER BY name",
                "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties RETURN * ORDER BY name",
                "CALL db.index.fulltext.queryNodes('part_text', 'Teil 7') YIELD node RETURN node.id ORDER BY node.id",
            )
        ]


def _collections(stack: Stack, tenant: str) -> dict[str, Any]:
    client = _chromadb(stack, tenant, "docs")
    found = {}
    for its in sorted(client.list_collections(), key=lambda item: str(item.name)):
        collection = client.get_collection(its.name, embedding_function=None)
        page = collection.get(include=["embeddings", "documents", "metadatas"])
        rows = zip(page["ids"], page["embeddings"].tolist(), page["documents"], page["metadatas"], strict=True)
        near = collection.query(query_embeddings=[[0.1] * 24], n_results=5, where={"even": True})
        found[its.name] = (sorted(rows, key=lambda row: str(row[0])), collection.metadata, near["ids"])
    return found


def _redis(stack: Stack) -> dict[str, Any]:
    """Every key as Redis itself dumps it, and when it expires; what groups of streams have pending."""
    client = stack.redis("admin")
    client.connection_pool.connection_kwargs["decode_responses"] = False
    found = {key: (client.dump(key), client.expiretime(key)) for key in sorted(client.scan_iter())}
    groups = {f"stream:{number}": client.xpending(f"stream:{number}", "workers") for number in range(4)}
    return {"keys": found, "groups": groups}
