"""Settings for applications, with and without TLS, secrets and the gateway."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import redis
from ready.connections.environment import services_in_settings
from ready.connections.settings import NetworkSettingsError, settings
from ready.secrets.certificates import names_of
from ready.stack.definitions import load_definitions, resolve_stack

from tests.unit.conftest import VARIABLES

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


def test_ipv6_is_read_back() -> None:
    """An address in brackets, as every driver wants it."""
    values = settings(stack(NAMES[1:], ready_bind_address="::1"), SECRETS)
    assert values["REDIS_URL"] == "redis://kailash_app:s3cret@[::1]:6379/0"
    for name, its in services_in_settings(values).services.items():
        assert {port["bind"] for port in its["ports"]} == {"::1"}, name


def test_within_the_network() -> None:
    """Containers reach each other by name and by the container's own ports, wherever these are published."""
    moved = stack(NAMES[1:], redis_port=16379, ready_bind_address="127.0.0.2", stack_name="two")
    values = settings(moved, SECRETS, "container")
    assert values["DATABASE_URL"] == "postgresql://kailash_app:s3cret@two-postgresql:5432/kailash_production"
    assert values["NEO4J_URI"] == "bolt://two-neo4j:7687"
    assert values["REDIS_URL"] == "redis://kailash_app:s3cret@two-redis:6379/0"
    assert values["CHROMA_URL"] == "http://two-chromadb:8000"
    assert "127.0.0" not in str(values)


def test_within_the_network_with_tls() -> None:
    """The certificates' names are those of the containers, and the CA is where the application mounts it."""
    values = settings(stack(ready_tls=True), SECRETS, "container")
    assert (values["PGHOST"], values["PGSSLROOTCERT"]) == ("ready-postgresql", "/etc/ready/ready_ca.ready.crt")
    assert values["REDIS_URL"].endswith("@ready-redis:6379/0?ssl_ca_certs=/etc/ready/ready_ca.ready.crt")
    assert values["NEO4J_URI"] == "bolt+s://ready-neo4j:7687"
    assert values["CHROMA_URL"] == "https://ready-gateway:8443"
    assert "/in ventory" not in str(values)
    for service in stack(ready_tls=True)["services"].values():
        assert service["container"] in names_of(service | {"tls": service.get("tls") or {"names": []}}, [])


def test_within_the_network_with_a_given_certificate() -> None:
    """It has to be for the container's name: an application would refuse it otherwise."""
    given = {"enabled": True, "certificate": "a", "key": "b", "ca": "c", "names": ["db.example"]}
    with pytest.raises(
        NetworkSettingsError, match=r"found a given certificate for db\.example, expected ready-postgresql"
    ):
        settings(stack(postgresql_tls=given), None, "container")
    given["names"] = ["db.example", "ready-postgresql"]
    assert settings(stack(postgresql_tls=given), None, "container")["PGHOST"] == "ready-postgresql"


def test_given_certificate() -> None:
    """Applications connect by the first of its names."""
    given = {"enabled": True, "certificate": "a", "key": "b", "ca": "c", "names": ["db.example", "db"]}
    assert settings(stack(postgresql_tls=given), None)["PGHOST"] == "db.example"
