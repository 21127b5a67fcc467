# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings in, checked connections out: what an application connects with. Needs the drivers of what it asks for.

with ServiceConnector.from_environment() as services:
    services.postgresql().execute("SELECT 1")
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from .checks.probe import FaultError, Probe, ask_all, attempt
from .checks.probes import PROBES
from .common.addresses import host_port
from .common.verdict import PASS
from .connections.environment import NAMED_BY, ServicesInSettings, SettingsError, services_in_settings
from .connections.registered import CONNECTIONS
from .secrets.redaction import without_secrets

if TYPE_CHECKING:
    from typing_extensions import Self

    from .registry import Methods
else:
    Methods = object

#: What drivers say -> the next step; the first one that fits.
_STEPS = (
    (
        ("authentication", "unauthorized", "wrongpass", "invalid username", "password"),
        "take the settings again: ./ready env --secrets --output .env; a password that was changed in the service "
        "itself is replaced there by ./ready secrets rotate --service {service}",
    ),
    (("refused",), "./ready up starts what is down; ./ready env has the port"),
    (("certificate", "ssl", "tls"), "take the settings again; ./ready env says how the service encrypts and who signs"),
    (
        ("dns resolve", "resolve host", "not known", "no address"),
        "correct the host name in the settings; ./ready env has it",
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
        super().__init__(f"{CONNECTIONS[service].title}{where}: found {found}; expected {expected}. Next: {step}")


def next_step(found: str, service: str) -> str:
    """Return the next step for an error of a service's driver."""
    text = found.lower()
    step = next((step for words, step in _STEPS if any(word in text for word in words)), _ELSE)
    return step.format(service=service)


class ServiceConnector(Methods):
    """Connections of the app account to the services that settings name. Not to be shared before it is made.

    It has a method by the name of every service that settings can name: `postgresql()`, `neo4j()`, `chromadb()`,
    `redis()` and so on. Each call gives a new connection (of those but PostgreSQL: a driver or client with a pool of
    its own, meant to be kept) that has answered once. Where the settings name the gateway, `chromadb()` goes through
    it. Options go to the driver. All connections end with the connector.

    Args:
        settings: what `services_from` returned; `from_environment` and `from_settings` call it.
        timeout: seconds for connecting, and for a single question of `validate_all_services`.
    """

    def __init__(self, settings: ServicesInSettings, timeout: float = 5.0) -> None:
        self._settings, self._timeout = settings, timeout
        self._open = ExitStack()
        self._probes: dict[str, Probe] = {}

    @classmethod
    def from_settings(cls, values: Mapping[str, str], timeout: float = 5.0) -> Self:
        """Return a connector for variables as `./ready env --secrets` writes them. Raises SettingsError."""
        settings = services_in_settings(values)
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

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in NAMED_BY:
            raise AttributeError(f"{type(self).__name__} has no {name!r}; its services are {', '.join(NAMED_BY)}")
        return partial(self._checked, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *NAMED_BY]

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
        return PROBES[name](its.services[name], its.passwords.get(name, {}), self._timeout, its.authorities.get(name))

    def _checked(self, wanted: str, /, **other: Any) -> Any:
        """Return a connection that has answered. Raises ConnectorError."""
        named = self._settings.services
        name = next((its for its in named if CONNECTIONS[its].stands_before == wanted), wanted)
        if name not in named:
            variables = " or ".join(NAMED_BY[name])
            raise ConnectorError(
                name, "", "nothing about it in the settings", variables, "./ready env has the settings"
            )
        probe, kind = self._probe(name), CONNECTIONS[name]
        made: list[Any] = []
        faults: list[FaultError] = []

        def ask() -> Mapping[str, Any]:
            try:
                made.append(kind.connect(probe, **other))
                kind.ping(probe, made[0])
            except FaultError as error:  # its parts are separate
                faults.append(error)
                raise
            return {}

        outcome = attempt(ask, probe.passwords.values())
        if outcome.verdict != PASS:
            for connection in made:
                connection.close()
            address = host_port(*probe.address(kind.port))
            for its in faults:
                found = without_secrets(f"{its.found} for {its.asked}, a {its.whose}", probe.passwords.values())
                raise ConnectorError(name, address, found, its.expected, its.step)
            step = next_step(outcome.detail, name)
            raise ConnectorError(name, address, outcome.detail, f"an answer within {self._timeout:g} s", step)
        self._open.callback(made[0].close)
        return made[0]
