# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections to the five services, each opened when it is first used, and closed together.

A service that is away must not keep the others waiting: every connection has a time limit.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from catalogue.settings import Settings, SettingsError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from dataflow import DataFlow
    from neo4j import Driver
    from openai import OpenAI
    from psycopg2.extensions import connection as Connection  # noqa: N812
    from redis import Redis

#: Seconds that one operation may take.
TIMEOUT = 10.0


class Stores:
    """The application's connections; safe to share between threads, and usable in a `with` statement."""

    def __init__(self, settings: Settings, timeout: float = TIMEOUT) -> None:
        self.settings = settings
        self.timeout = timeout
        self._lock = RLock()
        self._open: dict[str, Any] = {}

    def __enter__(self) -> Stores:
        """Open nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        self.close()

    def close(self) -> None:
        """Close what was opened. Each is opened again when it is used again."""
        with self._lock:
            while self._open:
                _, connection = self._open.popitem()
                if hasattr(connection, "close"):
                    with suppress(Exception):  # it may be broken already
                        connection.close()

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            if name not in self._open:
                self._open[name] = make()
            return self._open[name]

    @property
    def postgresql(self) -> Connection:
        """A connection in autocommit; a new one after the old one broke."""
        with self._lock:
            found = self._open.get("postgresql")
            if found is not None and found.closed:
                del self._open["postgresql"]
            connection: Connection = self._once("postgresql", self._postgresql)
            return connection

    def _postgresql(self) -> Connection:
        import psycopg2

        connection = psycopg2.connect(
            _given("DATABASE_URL", self.settings.database_url),
            connect_timeout=max(2, int(self.timeout)),
            options=f"-c statement_timeout={int(self.timeout * 1000)}",
            application_name=self.settings.prefix,
        )
        connection.autocommit = True
        return connection

    @property
    def dataflow(self) -> DataFlow:
        """DataFlow with the models, their tables made. Ask PostgreSQL first: DataFlow waits long for one that is away.

        Its cache would look for a Redis without a password on localhost, for four seconds; its migrations write a
        directory where the application runs; its registry of models needs a second driver.
        """
        database: DataFlow = self._once("dataflow", self._dataflow)
        return database

    def _dataflow(self) -> DataFlow:
        from dataflow import DataFlow

        from catalogue.models import define

        database = DataFlow(
            _given("DATABASE_URL", self.settings.database_url),
            pool_size=self.settings.pool_size,
            cache_enabled=False,
            migration_enabled=False,
            auto_migrate=False,
            enable_model_persistence=False,
        )
        define(database)
        database.create_tables()
        return database

    @property
    def neo4j(self) -> Driver:
        """The driver."""
        driver: Driver = self._once("neo4j", self._neo4j)
        return driver

    def _neo4j(self) -> Driver:
        import neo4j

        its, uri = self.settings, _given("NEO4J_URI", self.settings.neo4j_uri)
        options: dict[str, Any] = {}
        if its.neo4j_ca:  # the scheme bolt+s knows only the authorities of the system
            uri = uri.replace("+s:", ":", 1)
            options = {"encrypted": True, "trusted_certificates": neo4j.TrustCustomCAs(its.neo4j_ca)}
        return neo4j.GraphDatabase.driver(
            uri,
            auth=(its.neo4j_username, its.neo4j_password),
            connection_timeout=self.timeout / 2,
            connection_acquisition_timeout=self.timeout,
            max_transaction_retry_time=self.timeout / 2,
            notifications_min_severity="OFF",
            **options,
        )

    @property
    def chromadb(self) -> ClientAPI:
        """ChromaDB's client."""
        client: ClientAPI = self._once("chromadb", self._chromadb)
        return client

    def _chromadb(self) -> ClientAPI:
        import chromadb
        import httpx
        from chromadb.config import Settings as ChromaSettings

        host, port, secure = self.settings.chroma_address
        host = f"[{host}]" if ":" in host else host
        verify: Any = ssl.create_default_context(cafile=self.settings.chroma_ca or None) if secure else False
        headers = {"Authorization": f"Bearer {self.settings.chroma_token}"} if self.settings.chroma_token else {}
        # The client asks its server as soon as it is made, and waits without a limit: so ask once with one.
        address = f"{'https' if secure else 'http'}://{host}:{port}/api/v2/heartbeat"
        httpx.get(address, timeout=self.timeout, headers=headers, verify=verify).raise_for_status()
        options = ChromaSettings(anonymized_telemetry=False, chroma_server_ssl_verify=verify)
        client = chromadb.HttpClient(host=host, port=port, ssl=secure, headers=headers, settings=options)
        session = getattr(getattr(client, "_server", None), "_session", None)
        if isinstance(session, httpx.Client):
            session.timeout = httpx.Timeout(self.timeout)  # there is no option for it
        return client

    def collection(self, name: str = "documents") -> Collection:
        """Return a collection, made if it is missing. Vectors are given by the application, compared by cosine."""
        made: Collection = self.chromadb.get_or_create_collection(
            self.settings.collection(name), embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        return made

    @property
    def redis(self) -> Redis:
        """Redis's client; answers are text."""
        client: Redis = self._once("redis", self._redis)
        return client

    def _redis(self) -> Redis:
        import redis

        return redis.Redis.from_url(
            _given("REDIS_URL", self.settings.redis_url),
            decode_responses=True,
            socket_timeout=self.timeout,
            socket_connect_timeout=self.timeout,
        )

    @property
    def openai(self) -> OpenAI:
        """OpenAI's client of the AI service, the stack's own one or another."""
        client: OpenAI = self._once("openai", self._openai)
        return client

    def _openai(self) -> OpenAI:
        import httpx2  # what openai itself uses
        import openai

        its = self.settings
        if not its.has_ai:
            raise SettingsError("AI service: found none in the settings; expected one. Next: ready_ai_backend: local")
        verify: Any = ssl.create_default_context(cafile=its.openai_ca) if its.openai_ca else True
        wait = httpx2.Timeout(6 * self.timeout, connect=self.timeout)  # a model on a busy host is slow
        client = httpx2.Client(verify=verify, proxy=its.openai_proxy or None, timeout=wait)
        common: dict[str, Any] = {"api_key": its.openai_api_key, "http_client": client, "timeout": wait}
        if its.azure_endpoint:
            return openai.AzureOpenAI(
                azure_endpoint=its.azure_endpoint, api_version=its.azure_version, max_retries=1, **common
            )
        return openai.OpenAI(base_url=its.openai_base_url, max_retries=1, **common)


def _given(name: str, value: str) -> str:
    if not value:
        raise SettingsError(f"{name}: found nothing; expected an address. Next: ./ready env --secrets --output .env")
    return value


def remove(settings: Settings) -> dict[str, int | str]:
    """Remove what carries the prefix from Neo4j, ChromaDB and Redis; say per store how much, or why not.

    A number is what was there and is gone; text is the error's class. A store that is away doesn't spare the others.
    PostgreSQL is left alone: its tables carry no prefix, the database is the application's alone.
    """
    removed: dict[str, int | str] = {}
    steps = {"neo4j": remove_nodes, "chromadb": remove_collections, "redis": remove_keys}
    with Stores(settings) as stores:
        for name, step in steps.items():
            try:
                removed[name] = step(stores)
            except Exception as error:  # drivers share no base class
                removed[name] = type(error).__name__
    return removed


def remove_nodes(stores: Stores) -> int:
    """Remove the nodes with the prefix's label, what links them, and the constraints and indexes on the label."""
    label, driver = stores.settings.label, stores.neo4j
    count = int(driver.execute_query(f"MATCH (n:`{label}`) RETURN count(n) AS n").records[0]["n"])
    driver.execute_query(f"MATCH (n:`{label}`) DETACH DELETE n")
    for kind in ("CONSTRAINT", "INDEX"):
        found = driver.execute_query(
            f"SHOW {kind}{'S' if kind == 'CONSTRAINT' else 'ES'} YIELD name, labelsOrTypes "
            "WHERE labelsOrTypes = [$label] RETURN name",
            label=label,
        )
        for record in found.records:
            driver.execute_query(f"DROP {kind} `{record['name']}` IF EXISTS")
    return count


def remove_collections(stores: Stores) -> int:
    """Remove the collections whose names begin with the prefix and an underscore."""
    start = stores.settings.collection("")
    names = [each.name for each in stores.chromadb.list_collections() if each.name.startswith(start)]
    for name in names:
        stores.chromadb.delete_collection(name)
    return len(names)


def remove_keys(stores: Stores) -> int:
    """Remove the keys that begin with the prefix."""
    keys = list(stores.redis.scan_iter(match=stores.settings.key("*"), count=500))
    return int(stores.redis.delete(*keys)) if keys else 0
