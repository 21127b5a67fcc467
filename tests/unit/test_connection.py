"""Settings for applications, with and without TLS, secrets and the gateway."""

from __future__ import annotations

from typing import Any

import psycopg
import redis
from ready.connection import settings
from ready.definitions import load_definitions, resolve_stack

from .conftest import VARIABLES

NAMES = ["gateway", "postgresql", "neo4j", "chromadb", "redis"]
SECRETS = {name: {"app": "s3cret"} for name in NAMES}


def stack(services: list[str] = NAMES, **variables: Any) -> dict[str, Any]:
    """Return a resolved stack with the paths of its authorities."""
    resolved = resolve_stack(load_definitions(), VARIABLES | {"ready_services": services} | variables)
    speaking = {name for name, service in resolved["services"].items() if service.get("tls", {}).get("enabled")}
    return resolved | {"authorities": dict.fromkeys(speaking, "/in ventory/ready_ca.ready.crt")}


def test_without_tls() -> None:
    """Plain addresses, and no CA."""
    values = settings(stack(NAMES[1:]), SECRETS)
    assert values["DATABASE_URL"] == "postgresql://kailash_app:s3cret@127.0.0.1:5432/kailash_production"
    assert values["NEO4J_URI"] == "bolt://127.0.0.1:7687"
    assert values["REDIS_URL"] == "redis://kailash_app:s3cret@127.0.0.1:6379/0"
    assert values["CHROMA_URL"] == "http://127.0.0.1:8000"
    assert not [name for name in values if "CA" in name or "SSL" in name or "TOKEN" in name]


def test_with_tls() -> None:
    """Drivers take CA and mode from the addresses; ChromaDB is the gateway's, wherever that stands in the list."""
    values = settings(stack(ready_tls=True), SECRETS)
    parsed = psycopg.conninfo.conninfo_to_dict(values["DATABASE_URL"])
    assert (parsed["sslmode"], parsed["sslrootcert"]) == ("verify-full", "/in ventory/ready_ca.ready.crt")
    assert (values["PGSSLMODE"], values["PGSSLROOTCERT"]) == ("verify-full", parsed["sslrootcert"])
    pool = redis.ConnectionPool.from_url(values["REDIS_URL"])
    assert pool.connection_class is redis.SSLConnection
    assert pool.connection_kwargs["ssl_ca_certs"] == "/in ventory/ready_ca.ready.crt"
    assert (values["NEO4J_URI"], values["NEO4J_HTTP_URL"]) == ("bolt+s://127.0.0.1:7687", "https://127.0.0.1:7474")
    assert (values["CHROMA_URL"], values["CHROMA_TOKEN"]) == ("https://127.0.0.1:8443", "s3cret")


def test_without_secrets() -> None:
    """Nothing in it is secret."""
    values = settings(stack(ready_tls=True), None)
    assert "s3cret" not in str(values)
    assert not [name for name in values if name.endswith(("PASSWORD", "TOKEN"))]


def test_given_certificate() -> None:
    """Applications connect by the first of its names."""
    given = {"enabled": True, "certificate": "a", "key": "b", "ca": "c", "names": ["db.example", "db"]}
    assert settings(stack(postgresql_tls=given), None)["PGHOST"] == "db.example"
