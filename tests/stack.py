"""A stack under test, as an application sees it: real drivers, and Docker's own words about its containers."""

from __future__ import annotations

import copy
import os
import time
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import chromadb
import docker
import neo4j
import psycopg
import redis
from chromadb.config import Settings
from ready.connection import settings
from ready.definitions import load_definitions, resolve_stack
from ready.inventory import authorities
from ready.vault import SecretStore
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.cleanup import identities
from tests.names import own

#: Without it redis-py asks a server that refuses for up to twenty seconds.
ONCE = Retry(NoBackoff(), 0)
PORTS = {
    "postgresql_port": ("READY_PORT_POSTGRESQL", 35432),
    "neo4j_bolt_port": ("READY_PORT_BOLT", 37687),
    "neo4j_http_port": ("READY_PORT_HTTP", 37474),
    "chromadb_port": ("READY_PORT_CHROMADB", 38000),
    "redis_port": ("READY_PORT_REDIS", 36379),
    "gateway_port": ("READY_PORT_GATEWAY", 38443),
}


@cache
def _store(secrets_file: Path, key_file: Path, _changed: int) -> SecretStore:
    """Decrypting takes a while on purpose, so each state of the file is decrypted once."""
    return SecretStore.open(secrets_file, key_file)


@dataclass
class Stack:
    """A stack by its inventory; every connection is the app account's unless another is named."""

    name: str
    secrets_file: Path
    key_file: Path
    variables: dict[str, Any]

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The resolved stack."""
        defaults = {
            "stack_name": self.name,
            "ready_services": ["postgresql", "neo4j", "chromadb", "redis"],
            "ready_bind_address": "127.0.0.1",
        }
        resolved = resolve_stack(load_definitions(), defaults | self.variables)
        store = SecretStore(self.secrets_file, self.key_file)
        return resolved | {"authorities": authorities(store, resolved)}

    def passwords(self, service: str) -> dict[str, str]:
        """Account -> password, as they are on disk now; none for a service without accounts."""
        if not self.secrets_file.exists():
            return {}
        return _store(self.secrets_file, self.key_file, self.secrets_file.stat().st_mtime_ns).passwords(
            self.name, service
        )

    def settings(self, service: str, account: str = "app") -> dict[str, str]:
        """Connection settings of a service for one account."""
        stack = self.resolved | {"services": {service: copy.deepcopy(self.resolved["services"][service])}}
        accounts = stack["services"][service]["accounts"]
        if accounts:
            accounts["app"] = accounts[account]
            return settings(stack, {service: {"app": self.passwords(service)[account]}})
        return settings(stack, None)

    def postgresql(self, account: str = "app", **other: Any) -> psycopg.Connection[Any]:
        """A PostgreSQL connection, autocommit."""
        url = self.settings("postgresql", account)["DATABASE_URL"]
        return psycopg.connect(url, **({"autocommit": True, "connect_timeout": 10} | other))

    def neo4j(self, account: str = "app", password: str | None = None) -> neo4j.Driver:
        """A Neo4j driver over Bolt."""
        its = self.settings("neo4j", account)
        login = (its["NEO4J_USERNAME"], password or its["NEO4J_PASSWORD"])
        if ca := its.get("NEO4J_CA_FILE"):
            address, trusted = its["NEO4J_URI"].replace("bolt+s://", "bolt://"), neo4j.TrustCustomCAs(ca)
            return neo4j.GraphDatabase.driver(address, auth=login, encrypted=True, trusted_certificates=trusted)
        return neo4j.GraphDatabase.driver(its["NEO4J_URI"], auth=login)

    def redis(self, account: str = "app") -> redis.Redis:
        """A Redis client."""
        return redis.Redis.from_url(
            self.settings("redis", account)["REDIS_URL"], socket_timeout=10, decode_responses=True, retry=ONCE
        )

    def chromadb(self, service: str = "chromadb") -> Any:
        """A ChromaDB client over HTTP, or through the service `gateway` over HTTPS with its token."""
        its = self.settings(service)
        if "CHROMA_TOKEN" not in its:
            return chromadb.HttpClient(host=its["CHROMA_HOST"], port=int(its["CHROMA_PORT"]))
        return chromadb.HttpClient(
            host=its["CHROMA_HOST"],
            port=int(its["CHROMA_PORT"]),
            ssl=True,
            headers={"Authorization": f"Bearer {its['CHROMA_TOKEN']}"},
            settings=Settings(chroma_server_ssl_verify=its["CHROMA_CA_FILE"]),
        )

    def container(self, service: str) -> Any:
        """The service's container, freshly read."""
        return docker.from_env().containers.get(f"{self.name}-{service}")

    def await_docker_health(self, seconds: float = 180) -> None:
        """Wait until Docker's own health tests have run: the first comes a whole interval after the start."""
        client = docker.from_env()
        deadline = time.monotonic() + seconds
        while waiting := [
            name
            for service in self.resolved["services"].values()
            if client.containers.get(name := service["container"]).health != "healthy"
        ]:
            assert time.monotonic() < deadline, f"Docker does not call these healthy: {waiting}"
            time.sleep(0.5)

    def identities(self) -> dict[str, tuple[str, str]]:
        """Container name -> (Id, StartedAt): equal before and after means that nothing was restarted."""
        return identities(self.name)

    def write(self) -> None:
        """Put one thing into each service that the stack has."""
        for service in self.resolved["services"]:
            getattr(self, f"write_{service}")()

    def check(self) -> None:
        """Assert that what `write` put there is there."""
        for service in self.resolved["services"]:
            getattr(self, f"check_{service}")()

    def write_postgresql(self) -> None:
        """A row."""
        with self.postgresql() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS ready_test (x int PRIMARY KEY)")
            connection.execute("INSERT INTO ready_test VALUES (42) ON CONFLICT DO NOTHING")

    def check_postgresql(self) -> None:
        """The row."""
        with self.postgresql() as connection:
            assert connection.execute("SELECT x FROM ready_test").fetchall() == [(42,)]

    def write_neo4j(self) -> None:
        """Two nodes and their relationship."""
        with self.neo4j() as driver:
            driver.execute_query("MERGE (a:ReadyTest {x: 1}) MERGE (b:ReadyTest {x: 2}) MERGE (a)-[:NEXT]->(b)")

    def check_neo4j(self) -> None:
        """A traversal."""
        with self.neo4j() as driver:
            records = driver.execute_query("MATCH (:ReadyTest {x: 1})-[:NEXT]->(b) RETURN b.x AS x").records
            assert [record["x"] for record in records] == [2]

    def write_chromadb(self, service: str = "chromadb") -> None:
        """Three vectors."""
        collection = self.chromadb(service).get_or_create_collection("ready_test", embedding_function=None)
        collection.upsert(ids=["x", "y", "z"], embeddings=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])

    def check_chromadb(self, service: str = "chromadb") -> None:
        """A vector's nearest neighbours, in order: a count would not show that vectors are lost."""
        collection = self.chromadb(service).get_collection("ready_test", embedding_function=None)
        found = collection.query(query_embeddings=[[0.1, 1.0, 0.0]], n_results=2)
        assert found["ids"] == [["y", "x"]]

    def write_gateway(self) -> None:
        """The vectors, through the gateway."""
        self.write_chromadb("gateway")

    def check_gateway(self) -> None:
        """The vectors, through the gateway."""
        self.check_chromadb("gateway")

    def write_redis(self) -> None:
        """A key; what is written last second may be lost by appendfsync everysec, so that second is waited for."""
        self.redis().set("ready_test", "42")
        time.sleep(1.1)

    def check_redis(self) -> None:
        """The key."""
        assert self.redis().get("ready_test") == "42"


def molecule_stack(services: list[str]) -> Stack:
    """Return the stack of the Molecule scenario that runs, by itself or on the one that several share."""
    shared = os.environ.get("READY_TEST_SHARED")
    directory = Path(shared or os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
    scenario = "shared" if shared else os.environ["MOLECULE_SCENARIO_NAME"].replace("_", "-")
    return Stack(
        name=own(f"mol-{scenario}"),
        secrets_file=directory / "ready_secrets.vault",
        key_file=directory / "vault-key",
        variables={name: int(os.environ.get(env) or port) for name, (env, port) in PORTS.items()}
        | {"ready_services": services},
    )
