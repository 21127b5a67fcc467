# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `./ready env` writes, read back into services as probes and connector take them: connection.py's other half."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

#: Service -> variables of which one must be there for the service to be in the settings.
NAMED_BY = {
    "postgresql": ("DATABASE_URL", "PGHOST"),
    "neo4j": ("NEO4J_URI",),
    "chromadb": ("CHROMA_URL", "CHROMA_HOST"),
    "redis": ("REDIS_URL", "REDIS_HOST"),
}
#: libpq's words for "encrypted"; below verify-ca no certificate is looked at, and verify-full is what is done here.
_POSTGRESQL_TLS = {"require", "verify-ca", "verify-full"}
_SCHEMES = {
    "DATABASE_URL": {"postgresql", "postgres"},
    "NEO4J_URI": {"bolt", "bolt+s", "neo4j", "neo4j+s"},
    "NEO4J_HTTP_URL": {"http", "https"},
    "CHROMA_URL": {"http", "https"},
    "REDIS_URL": {"redis", "rediss"},
}


class SettingsError(ValueError):
    """The settings can't be used; the message names the variable and never its value, which may hold a password."""


@dataclass
class Settings:
    """Services as settings name them: each with the app account alone.

    Attributes:
        services: name -> ports, accounts, database, tls: the keys of a resolved service that probes read.
        passwords: name -> {"app": password}; without a password the service is missing.
        authorities: name -> certificates (PEM) that sign the service's own.
    """

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[str, dict[str, str]] = field(default_factory=dict)
    authorities: dict[str, str] = field(default_factory=dict)


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file of KEY=value lines. Raises SettingsError."""
    from dotenv import dotenv_values  # comes with the drivers; the connector does without

    if not path.is_file():
        raise SettingsError(f"{path}: no such file. Next: ./ready env --secrets > {path}")
    return {key: value for key, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _port(variable: str, text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingsError(f"{variable}: found no port between 1 and 65535, expected one")
    return int(text)


def _url(values: Mapping[str, str], variable: str) -> SplitResult | None:
    text = values.get(variable, "")
    if not text:
        return None
    try:
        url = urlsplit(text)
        usable = bool(url.hostname) and (url.port or 1) > 0
    except ValueError:  # its words would repeat the URL
        usable = False
    if not usable or url.scheme not in _SCHEMES[variable]:
        wanted = " or ".join(f"{scheme}://host:port" for scheme in sorted(_SCHEMES[variable]))
        raise SettingsError(f"{variable}: found something else, expected {wanted}")
    return url


def _certificates(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{variable}: the certificates in {path} can't be read ({error})") from None


class _Service:
    """What is gathered about one service."""

    def __init__(self) -> None:
        self.ports: list[dict[str, Any]] = []
        self.login = self.password = self.authority = ""
        self.other: dict[str, Any] = {}
        self.tls = False

    def port(self, name: str, host: str, port: int) -> None:
        self.ports.append({"name": name, "bind": host, "host": port, "protocol": name})

    def user(self, login: str | None, password: str | None) -> None:
        self.login, self.password = unquote(login or ""), unquote(password or "")


def _postgresql(values: Mapping[str, str]) -> _Service:
    found, url = _Service(), _url(values, "DATABASE_URL")
    if url:
        query = {key: item[-1] for key, item in parse_qs(url.query).items()}
        found.port("postgresql", str(url.hostname), url.port or 5432)
        found.user(url.username, url.password or values.get("PGPASSWORD"))
        database, mode, root = unquote(url.path.lstrip("/")), query.get("sslmode", ""), query.get("sslrootcert", "")
    else:
        found.port("postgresql", values["PGHOST"], _port("PGPORT", values.get("PGPORT", "5432")))
        found.login, found.password = values.get("PGUSER", ""), values.get("PGPASSWORD", "")
        database, mode, root = values.get("PGDATABASE", ""), "", ""
    mode, root = mode or values.get("PGSSLMODE", ""), root or values.get("PGSSLROOTCERT", "")
    found.other, found.tls = {"database": database or found.login}, mode in _POSTGRESQL_TLS
    found.authority = _certificates("sslrootcert", root) if root and root != "system" else ""
    return found


def _neo4j(values: Mapping[str, str]) -> _Service:
    found, url, http = _Service(), _url(values, "NEO4J_URI"), _url(values, "NEO4J_HTTP_URL")
    assert url
    found.port("bolt", str(url.hostname), url.port or 7687)
    if http:
        found.port("http", str(http.hostname), http.port or (7473 if http.scheme == "https" else 7474))
    found.login, found.password = values.get("NEO4J_USERNAME", ""), values.get("NEO4J_PASSWORD", "")
    found.tls = url.scheme.endswith("+s")
    if path := values.get("NEO4J_CA_FILE"):
        found.authority = _certificates("NEO4J_CA_FILE", path)
    return found


def _chromadb(values: Mapping[str, str]) -> _Service:
    found, url = _Service(), _url(values, "CHROMA_URL")
    if url and url.scheme == "https":
        found.port("https", str(url.hostname), url.port or 443)
        found.tls = True
    elif url:
        found.port("http", str(url.hostname), url.port or 8000)
    else:
        found.port("http", values["CHROMA_HOST"], _port("CHROMA_PORT", values.get("CHROMA_PORT", "8000")))
    if found.tls:  # the gateway's only account; the token is all that it asks for
        found.login, found.password = "app", values.get("CHROMA_TOKEN", "")
    if path := values.get("CHROMA_CA_FILE"):
        found.authority = _certificates("CHROMA_CA_FILE", path)
    return found


def _redis(values: Mapping[str, str]) -> _Service:
    found, url = _Service(), _url(values, "REDIS_URL")
    if url:
        found.port("redis", str(url.hostname), url.port or 6379)
        found.user(url.username or values.get("REDIS_USERNAME"), url.password or values.get("REDIS_PASSWORD"))
        found.tls = url.scheme == "rediss"
        path = parse_qs(url.query).get("ssl_ca_certs", [values.get("REDIS_CA_FILE", "")])[-1]
        found.authority = _certificates("ssl_ca_certs", path) if path else ""
    else:
        found.port("redis", values["REDIS_HOST"], _port("REDIS_PORT", values.get("REDIS_PORT", "6379")))
        found.login, found.password = values.get("REDIS_USERNAME", ""), values.get("REDIS_PASSWORD", "")
    return found


_READERS: dict[str, Callable[[Mapping[str, str]], _Service]] = {
    "postgresql": _postgresql,
    "neo4j": _neo4j,
    "chromadb": _chromadb,
    "redis": _redis,
}


def services_from(values: Mapping[str, str]) -> Settings:
    """Return the services that settings name, in the order of NAMED_BY. Raises SettingsError.

    ChromaDB over https is the service `gateway`: by itself it speaks no TLS.

    Args:
        values: variable -> value, as `./ready env` writes them or a process has them in its environment; what belongs
            to no service is not looked at. A URL is taken before the single variables of the same service.
    """
    settings = Settings()
    for wanted, read in _READERS.items():
        if not any(values.get(variable) for variable in NAMED_BY[wanted]):
            continue
        found = read(values)
        name = "gateway" if wanted == "chromadb" and found.tls else wanted
        accounts = {"app": {"login": found.login}} if found.login else {}
        settings.services[name] = {"name": name, "ports": found.ports, "accounts": accounts, **found.other}
        settings.services[name]["tls"] = {"enabled": found.tls, "certificate": "", "names": []}
        if found.login and found.password:
            settings.passwords[name] = {"app": found.password}
        if found.authority:
            settings.authorities[name] = found.authority
    return settings
