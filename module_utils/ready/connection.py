# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connection settings for applications, under the names that drivers and the Kailash SDK's examples use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote


def _address(service: Mapping[str, Any], port: str) -> tuple[str, int]:
    found = next(item for item in service["ports"] if item["name"] == port)
    tls = service.get("tls", {})
    # A given certificate is for the names that the inventory states with it, own ones for the address as well.
    host = tls["names"][0] if tls.get("enabled") and tls["certificate"] else found["bind"]
    return host, found["host"]


def _user(service: Mapping[str, Any], secret: str | None) -> str:
    login = service["accounts"]["app"]["login"]
    return f"{login}:{secret}@" if secret else f"{login}@"


def _postgresql(service: Mapping[str, Any], secret: str | None, ca: str | None) -> dict[str, str]:
    host, port = _address(service, "postgresql")
    database = service["database"]
    values = {"PGHOST": host, "PGPORT": str(port), "PGDATABASE": database}
    values |= {"PGUSER": service["accounts"]["app"]["login"]}
    options = f"?sslmode=verify-full&sslrootcert={quote(ca)}" if ca else ""
    values |= {"DATABASE_URL": f"postgresql://{_user(service, secret)}{host}:{port}/{database}{options}"}
    values |= {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": ca} if ca else {}
    return values | ({"PGPASSWORD": secret} if secret else {})


def _neo4j(service: Mapping[str, Any], secret: str | None, ca: str | None) -> dict[str, str]:
    host, port = _address(service, "bolt")
    http_host, http_port = _address(service, "http")
    values = {
        "NEO4J_URI": f"{'bolt+s' if ca else 'bolt'}://{host}:{port}",
        "NEO4J_HTTP_URL": f"{'https' if ca else 'http'}://{http_host}:{http_port}",
        "NEO4J_USERNAME": service["accounts"]["app"]["login"],
    }
    return values | ({"NEO4J_CA_FILE": ca} if ca else {}) | ({"NEO4J_PASSWORD": secret} if secret else {})


def _chromadb(service: Mapping[str, Any], _secret: str | None, _ca: str | None) -> dict[str, str]:
    host, port = _address(service, "http")
    return {"CHROMA_HOST": host, "CHROMA_PORT": str(port), "CHROMA_URL": f"http://{host}:{port}"}


def _gateway(service: Mapping[str, Any], secret: str | None, ca: str | None) -> dict[str, str]:
    host, port = _address(service, "https")
    values = {"CHROMA_HOST": host, "CHROMA_PORT": str(port), "CHROMA_URL": f"https://{host}:{port}"}
    values |= {"CHROMA_SSL": "true"} | ({"CHROMA_CA_FILE": ca} if ca else {})
    return values | ({"CHROMA_TOKEN": secret} if secret else {})


def _redis(service: Mapping[str, Any], secret: str | None, ca: str | None) -> dict[str, str]:
    host, port = _address(service, "redis")
    values = {"REDIS_HOST": host, "REDIS_PORT": str(port), "REDIS_USERNAME": service["accounts"]["app"]["login"]}
    options = f"?ssl_ca_certs={quote(ca)}" if ca else ""
    values |= {"REDIS_URL": f"{'rediss' if ca else 'redis'}://{_user(service, secret)}{host}:{port}/0{options}"}
    values |= {"REDIS_CA_FILE": ca} if ca else {}
    return values | ({"REDIS_PASSWORD": secret} if secret else {})


#: Later ones win: through the gateway, where there is one, ChromaDB is reached by everybody.
_SETTINGS: dict[str, Callable[[Mapping[str, Any], str | None, str | None], dict[str, str]]] = {
    "postgresql": _postgresql,
    "neo4j": _neo4j,
    "chromadb": _chromadb,
    "gateway": _gateway,
    "redis": _redis,
}


def settings(stack: Mapping[str, Any], passwords: Mapping[str, Mapping[str, str]] | None) -> dict[str, str]:
    """Return variable -> value for the app account of every service; without `passwords` no value holds a secret.

    Args:
        stack: the resolved stack; `authorities` has the path of the CA certificate by service that speaks TLS.
        passwords: service -> account -> password, or None for settings that may be shown to anybody.
    """
    values: dict[str, str] = {}
    for name, make in _SETTINGS.items():
        if service := stack["services"].get(name):
            secret = (passwords or {}).get(name, {}).get("app")
            values |= make(service, secret, stack.get("authorities", {}).get(name))
    return values


def as_text(values: Mapping[str, str], form: str) -> str:
    """Return settings as `dotenv` (KEY=value lines, values that need no quotes) or `json`."""
    if form == "json":
        return json.dumps(dict(values), indent=2) + "\n"
    return "".join(f"{key}={value}\n" for key, value in values.items())
