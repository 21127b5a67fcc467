# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings in, checked connections out: what an application connects with. Needs the drivers of what it asks for.

with ServiceConnector.from_environment() as services:
    services.postgresql().execute("SELECT 1")
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .environment import NAMED_BY, Settings, SettingsError, services_from
from .part import PASS
from .services import probe_class
from .services.base import Probe, ask_all, attempt

if TYPE_CHECKING:
    import chromadb.api
    import neo4j
    import psycopg
    import redis
    from typing_extensions import Self

_TITLES = {
    "postgresql": "PostgreSQL",
    "neo4j": "Neo4j",
    "chromadb": "ChromaDB",
    "gateway": "ChromaDB's gateway",
    "redis": "Redis",
}
#: The port by which a service is named in messages.
_PORTS = {"postgresql": "postgresql", "neo4j": "bolt", "chromadb": "http", "gateway": "https", "redis": "redis"}
#: What drivers say -> the next step; the first one that fits.
_STEPS = (
    (
        ("authentication", "unauthorized", "wrongpass", "invalid username", "password"),
        "take the settings anew, ./ready env --secrets > .env; a password that was changed in the service itself is "
        "replaced there by ./ready secrets rotate --service {service}",
    ),
    (("refused",), "./ready up starts what is down; ./ready env has the port"),
    (("certificate", "ssl", "tls"), "take the settings anew; ./ready env says how the service encrypts and who signs"),
    (
        ("dns resolve", "resolve host", "not known", "no address"),
        "mend the host name in the settings; ./ready env has it",
    ),
)
_ELSE = "./ready check says what is wrong with the service"


class ConnectorError(Exception):
    """A service can't be used. The text has service, address, found, expected and the next step, and no password.

    Attributes:
        service: its name, such as "postgresql".
        address: host:port, empty when the settings name none.
    """

    def __init__(self, service: str, address: str, found: str, expected: str, step: str) -> None:
        self.service, self.address = service, address
        where = f" at {address}" if address else ""
        super().__init__(f"{_TITLES[service]}{where}: found {found}; expected {expected}. Next: {step}")


def next_step(found: str, service: str) -> str:
    """Return what to do about what the driver of a service said."""
    text = found.lower()
    step = next((step for words, step in _STEPS if any(word in text for word in words)), _ELSE)
    return step.format(service=service)


def _ping(probe: Probe, connection: Any) -> Mapping[str, Any]:
    return probe.ping(connection)


def _try(probe: Any) -> None:
    with probe.open() as connection:
        probe.ping(connection)


class ServiceConnector:
    """Connections of the app account to the services that settings name. Not to be shared before it is made.

    Each call of `postgresql()`, `neo4j()`, `chromadb()`, `redis()` gives a new connection (for the last three: a driver
    or client with a pool of its own, meant to be kept) that has answered once. All of them end with the connector.

    Args:
        settings: what `services_from` returned; `from_environment` and `from_settings` call it.
        timeout: seconds for connecting, and for a single question of `validate_all_services`.
    """

    def __init__(self, settings: Settings, timeout: float = 5.0) -> None:
        self._settings, self._timeout = settings, timeout
        self._open = ExitStack()
        self._probes: dict[str, Probe] = {}

    @classmethod
    def from_settings(cls, values: Mapping[str, str], timeout: float = 5.0) -> Self:
        """Return a connector for variables as `./ready env --secrets` writes them. Raises SettingsError."""
        settings = services_from(values)
        if not settings.services:
            names = ", ".join(name for names in NAMED_BY.values() for name in names)
            raise SettingsError(f"found no service in the settings, expected some of {names}. Next: ./ready env")
        return cls(settings, timeout)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, timeout: float = 5.0) -> Self:
        """Return a connector for the variables of this process, or of `environ`. Raises SettingsError."""
        return cls.from_settings(os.environ if environ is None else environ, timeout)

    @property
    def services(self) -> tuple[str, ...]:
        """Names of the services that the settings name."""
        return tuple(self._settings.services)

    def postgresql(self, **other: Any) -> psycopg.Connection[Any]:
        """Return a connection in autocommit, without a limit on statements; `other` goes to `psycopg.connect`."""
        options = {"options": "", "application_name": "ready-connector"} | other
        connection: psycopg.Connection[Any] = self._checked("postgresql", lambda probe: probe.connect("app", **options))
        return connection

    def neo4j(self, **other: Any) -> neo4j.Driver:
        """Return a driver, which retries as drivers do; `other` goes to `neo4j.GraphDatabase.driver`."""
        options = {"max_transaction_retry_time": 30.0} | other
        driver: neo4j.Driver = self._checked("neo4j", lambda probe: probe.connect("app", **options))
        return driver

    def chromadb(self) -> chromadb.api.ClientAPI:
        """Return a client, which goes through the gateway where the settings name that."""

        def connect(probe: Any) -> Any:
            _try(probe)  # the client itself asks as soon as it is made, and waits without a limit
            return probe.connect()

        name = "gateway" if "gateway" in self._settings.services else "chromadb"
        client: chromadb.api.ClientAPI = self._checked(name, connect, lambda _, made: made.heartbeat())
        return client

    def redis(self, **other: Any) -> redis.Redis:
        """Return a client that decodes answers and retries; `other` goes to `redis.Redis`, such as `socket_timeout`."""

        def connect(probe: Any) -> Any:
            from redis.backoff import ExponentialWithJitterBackoff
            from redis.retry import Retry

            _try(probe)  # without retries, so that a service which hangs is told of in time
            return probe.connect("app", **({"retry": Retry(ExponentialWithJitterBackoff(base=1, cap=10), 3)} | other))

        client: redis.Redis = self._checked("redis", connect)
        return client

    def validate_all_services(self, deadline: float = 10.0) -> dict[str, bool]:
        """Return service -> whether it answers, of all that the settings name, asked at the same time.

        Args:
            deadline: seconds for all of them together; whoever has not answered by then does not.
        """
        if not self._probes:
            self._probes = {name: self._probe(name) for name in self._settings.services}
            for probe in self._probes.values():
                self._open.callback(probe.close)
        found = ask_all(self._probes, "probe", deadline)
        return {name: item["verdict"] == PASS for name, item in found.items()}

    def close(self) -> None:
        """Close every connection that it gave."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _probe(self, name: str) -> Probe:
        its = self._settings
        return probe_class(name)(
            its.services[name], its.passwords.get(name, {}), self._timeout, its.authorities.get(name)
        )

    def _checked(self, name: str, connect: Callable[[Any], Any], ping: Callable[[Any, Any], object] = _ping) -> Any:
        """Return a connection that has answered `ping`. Raises ConnectorError."""
        if name not in self._settings.services:
            wanted = " or ".join(NAMED_BY[name])
            raise ConnectorError(name, "", "nothing about it in the settings", wanted, "./ready env has the settings")
        probe = self._probe(name)
        made: list[Any] = []

        def ask() -> Mapping[str, Any]:
            made.append(connect(probe))
            ping(probe, made[0])
            return {}

        outcome = attempt(ask, probe.passwords.values())
        if outcome.verdict != PASS:
            for connection in made:
                connection.close()
            host, port = probe.address(_PORTS[name])
            step = next_step(outcome.detail, name)
            raise ConnectorError(name, f"{host}:{port}", outcome.detail, f"an answer within {self._timeout:g} s", step)
        self._open.callback(made[0].close)
        return made[0]
