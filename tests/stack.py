"""A stack under test, as an application sees it: real drivers, and Docker's own words about its containers."""

from __future__ import annotations

import copy
import os
import time
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import chromadb
import docker
import neo4j
import psycopg
import redis
import yaml
from chromadb.config import Settings
from ready.connections.settings import settings
from ready.secrets.inventory_store import authority_paths
from ready.secrets.vault import SecretStore
from ready.stack.definitions import load_definitions, resolve_stack
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.cleanup import identities
from tests.names import ROOT, own
from tools.ports import named_ports, port_variables

#: Without it redis-py asks a server that refuses for up to twenty seconds.
ONCE = Retry(NoBackoff(), 0)
PORTS = port_variables()


@cache
def _store(secrets_file: Path, key_file: Path, _changed: int) -> SecretStore:
    """Decrypting takes a while on purpose, so each state of the file is decrypted once."""
    return SecretStore.open(secrets_file, key_file)


@cache
def data_of(service: str) -> Any:
    """Return the module that says how a test writes to a service and reads: `write(stack)` and `check(stack)`."""
    path = ROOT / "molecule" / service / "data.py"
    spec = spec_from_file_location(f"ready_test_data_{service}", path)
    assert spec
    assert spec.loader, path
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
        return resolved | {"authorities": authority_paths(store, resolved)}

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

    def write(self, *services: str) -> None:
        """Put one thing into each of the services, or into each that the stack has: as molecule/<name>/data.py says."""
        for service in services or self.resolved["services"]:
            data_of(service).write(self)

    def check(self, *services: str) -> None:
        """Assert that what `write` put there is there."""
        for service in services or self.resolved["services"]:
            data_of(service).check(self)


def molecule_stack(services: list[str]) -> Stack:
    """Return the stack of the Molecule scenario that runs, by itself or on the one that several share."""
    shared = os.environ.get("READY_TEST_SHARED")
    directory = Path(shared or os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
    scenario = "shared" if shared else os.environ["MOLECULE_SCENARIO_NAME"].replace("_", "-")
    return Stack(
        name=own(f"mol-{scenario}"),
        secrets_file=directory / "ready_secrets.vault",
        key_file=directory / "vault-key",
        variables=named_ports()
        | {"ready_services": services}
        | yaml.safe_load((Path(__file__).parent / "databases.yml").read_text()),
    )
