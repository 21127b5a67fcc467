# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Share what the connections of all services need: settings are what `./ready env` writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

if TYPE_CHECKING:
    from ..checks.probe import Probe


class SettingsError(ValueError):
    """The settings can't be used; the message names the variable and never its value, which may hold a password."""


class ServiceSettings:
    """What settings say about one service.

    Attributes:
        name: the service, where it is not the one whose variables were read.
        ports: as a resolved service has them.
        login, password: of the app account; "" for none.
        authority: certificates (PEM) that sign the service's own; "" for none.
        other: further keys of the service that its probe reads.
        tls: whether it speaks TLS.
    """

    def __init__(self) -> None:
        self.ports: list[dict[str, Any]] = []
        self.name = self.login = self.password = self.authority = ""
        self.other: dict[str, Any] = {}
        self.tls = False

    def port(self, name: str, host: str, port: int) -> None:
        """Add a port."""
        self.ports.append({"name": name, "bind": host, "host": port, "protocol": name})

    def user(self, login: str | None, password: str | None) -> None:
        """Set login and password as a URL has them."""
        self.login, self.password = unquote(login or ""), unquote(password or "")


class Connection:
    """A service as applications know it: by variables, and by a driver or client.

    Attributes:
        title: what messages call it.
        port: the port by whose address messages name it.
        variables: what the names of its variables begin with.
        named_by: variables of which one must be there for the service to be in the settings; none where another's
            `read` finds it.
        stands_before: the service that is reached through this one where both are there.
    """

    title: str
    port: str
    variables: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    stands_before: str = ""

    def settings(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None) -> dict[str, str]:
        """Return variable -> value for the app account.

        Args:
            service: the resolved service, at the addresses that the application uses.
            passwords: account -> password; empty for settings that may be shown to anybody.
            ca: path of the CA certificate, where the service speaks TLS.
        """
        raise NotImplementedError

    def read(self, values: Mapping[str, str]) -> ServiceSettings:
        """Return what settings say. Raises SettingsError."""
        raise NotImplementedError

    def connect(self, probe: Any, **other: Any) -> Any:
        """Return a new connection, driver or client of the app account; `other` goes to the driver."""
        return probe.connect("app", **other)

    def ping(self, probe: Probe, connection: Any) -> object:
        """Ask one question over what `connect` returned. Raises what is wrong."""
        return probe.ping(connection)


def ask_once(probe: Probe) -> None:
    """Ask the service on a connection that is closed again. Raises what is wrong."""
    with probe.open() as connection:
        probe.ping(connection)


def user_part(login: str, secret: str | None) -> str:
    """Return what stands before the host in a URL."""
    user = quote(login, safe="")
    return f"{user}:{quote(secret, safe='')}@" if secret else f"{user}@"


def port_number(variable: str, text: str) -> int:
    """Return a variable's text as a TCP port. Raises SettingsError."""
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingsError(f"{variable}: found no port between 1 and 65535, expected one")
    return int(text)


def url_of(values: Mapping[str, str], variable: str, schemes: Iterable[str]) -> SplitResult | None:
    """Return a variable's URL, None where it has none. Raises SettingsError unless it has one of the schemes."""
    text = values.get(variable, "")
    if not text:
        return None
    try:
        url = urlsplit(text)
        usable = bool(url.hostname) and (url.port or 1) > 0
    except ValueError:  # its words would repeat the URL
        usable = False
    if not usable or url.scheme not in schemes:
        wanted = " or ".join(f"{scheme}://host:port" for scheme in sorted(schemes))
        raise SettingsError(f"{variable}: found something else, expected {wanted}")
    return url


def certificates(variable: str, path: str) -> str:
    """Return the certificates in the file that a variable names. Raises SettingsError."""
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{variable}: the certificates in {path} can't be read ({error})") from None
