# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connection settings for applications, under the names that drivers and the Kailash SDK's examples use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def _address(service: Mapping[str, Any], port: str) -> tuple[str, int]:
    found = next(item for item in service["ports"] if item["name"] == port)
    return found["bind"], found["host"]


def settings(stack: Mapping[str, Any], passwords: Mapping[str, Mapping[str, str]] | None) -> dict[str, str]:
    """Return variable -> value for the app account of every service; without `passwords` no value holds a secret.

    Args:
        stack: the resolved stack.
        passwords: service -> account -> password, or None for settings that may be shown to anybody.
    """
    values: dict[str, str] = {}
    for name, service in stack["services"].items():
        login = service["accounts"].get("app", {}).get("login", "")
        secret = (passwords or {}).get(name, {}).get("app")
        user = f"{login}:{secret}@" if secret else f"{login}@"
        if name == "postgresql":
            host, port = _address(service, "postgresql")
            database = service["database"]
            values |= {"PGHOST": host, "PGPORT": str(port), "PGDATABASE": database, "PGUSER": login}
            values |= {"DATABASE_URL": f"postgresql://{user}{host}:{port}/{database}"}
            if secret:
                values["PGPASSWORD"] = secret
        elif name == "neo4j":
            host, port = _address(service, "bolt")
            http_host, http_port = _address(service, "http")
            values |= {"NEO4J_URI": f"bolt://{host}:{port}", "NEO4J_HTTP_URL": f"http://{http_host}:{http_port}"}
            values |= {"NEO4J_USERNAME": login} | ({"NEO4J_PASSWORD": secret} if secret else {})
        elif name == "chromadb":
            host, port = _address(service, "http")
            values |= {"CHROMA_HOST": host, "CHROMA_PORT": str(port), "CHROMA_URL": f"http://{host}:{port}"}
        elif name == "redis":
            host, port = _address(service, "redis")
            values |= {"REDIS_HOST": host, "REDIS_PORT": str(port), "REDIS_USERNAME": login}
            values |= {"REDIS_URL": f"redis://{user}{host}:{port}/0"}
            if secret:
                values["REDIS_PASSWORD"] = secret
    return values


def as_text(values: Mapping[str, str], form: str) -> str:
    """Return settings as `dotenv` (KEY=value lines, values that need no quotes) or `json`."""
    if form == "json":
        return json.dumps(dict(values), indent=2) + "\n"
    return "".join(f"{key}={value}\n" for key, value in values.items())
