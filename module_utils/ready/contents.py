# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a store holds, as figures that must be the same before and after an upgrade.

Asked inside the store's own container, which at that moment no client reaches, by what its image has: no driver, no
published port. Passwords are read there from the config volume and stay in the shell that reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import dockerexec
from .engine import EngineError
from .said import shortened

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Vectors per collection whose nearest neighbour is asked for: a count alone would not show that vectors are lost.
SAMPLES = 3
_REDIS = """
{ printf 'AUTH %s ' "$1"; cat /run/ready/secrets/monitor; printf '\\nINFO keyspace\\n'; } | redis-cli $2
"""
_HTTP = """
set -euo pipefail
auth=
if [[ -n $3 ]]; then
  auth="Authorization: Basic $(printf '%s:%s' "$3" "$(</run/ready/secrets/monitor)" | base64 -w0)"$'\\r\\n'
fi
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf '%s HTTP/1.0\\r\\nHost: localhost\\r\\n%sContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%s' \
  "$2" "$auth" "$(printf '%s' "$4" | wc -c)" "$4" >&3
timeout 60 cat <&3
"""
_CYPHER = {
    "nodes": "MATCH (n) RETURN count(n)",
    "relationships": "MATCH ()-[r]->() RETURN count(r)",
    "stats": "CALL apoc.meta.stats() YIELD labels, relTypesCount RETURN {labels: labels, types: relTypesCount}",
    "indexes": "SHOW INDEXES YIELD name RETURN count(*)",
    "constraints": "SHOW CONSTRAINTS YIELD name RETURN count(*)",
}
_COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"


def run(container: Container, command: list[str]) -> str:
    """Return what a command prints inside a container. Raises EngineError when it fails."""
    done = dockerexec.run(container, command)
    text = done.output.decode(errors="replace")
    if done.exit_code != 0:
        raise EngineError(f"{container.name}: {command[0]} ended with {done.exit_code}: {shortened(text)}")
    return text


def redis_keys(text: str) -> dict[str, int]:
    """Return database -> keys that do not expire, from INFO keyspace; those that do may be gone at any moment."""
    if "# Keyspace" not in text:
        raise EngineError(f"redis answered {text.strip()[-200:]!r}, expected INFO keyspace")
    return {
        f"{name} keys": int(keys) - int(expires)
        for name, keys, expires in re.findall(r"(?m)^(db\d+):keys=(\d+),expires=(\d+)", text)
    }


def http_body(answer: str) -> Any:
    """Return the JSON of an HTTP answer. Raises EngineError unless its status is 2xx."""
    head, _, body = answer.partition("\r\n\r\n")
    if not re.match(r"HTTP/1\.[01] 2\d\d", head):
        raise EngineError(f"found {head.splitlines()[:1]} {body[:300]!r}, expected an answer 200")
    return json.loads(body)


def graph_figures(body: Mapping[str, Any]) -> dict[str, int]:
    """Return the figures of Neo4j's answer to `_CYPHER`; names that nothing carries any more are left out."""
    if body["errors"]:
        raise EngineError(f"neo4j answered {body['errors'][0].get('message', '')[:300]}")
    values = {name: result["data"][0]["row"][0] for name, result in zip(_CYPHER, body["results"], strict=True)}
    stats = values.pop("stats")
    named = {f"{kind} {name}": count for kind, counts in stats.items() for name, count in counts.items() if count}
    return {**values, **named}


def _redis(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    options = "--tls --cacert /run/ready/tls/ca.crt" if service.get("tls", {}).get("enabled") else ""
    return dict(redis_keys(run(container, ["sh", "-c", _REDIS, "-", service["accounts"]["monitor"]["login"], options])))


def _neo4j(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    body = json.dumps({"statements": [{"statement": text} for text in _CYPHER.values()]})
    login = service["accounts"]["monitor"]["login"]
    command = ["/bin/bash", "-c", _HTTP, "-", "7474", "POST /db/neo4j/tx/commit", login, body]
    return dict(graph_figures(http_body(run(container, command))))


def _chromadb(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    port = str(service["settings"]["port"])

    def ask(line: str, body: Mapping[str, Any] | None = None) -> Any:
        text = json.dumps(body) if body else ""
        return http_body(run(container, ["/bin/bash", "-c", _HTTP, "-", port, line, "", text]))

    figures: dict[str, Any] = {}
    for collection in ask(f"GET {_COLLECTIONS}"):
        path = f"{_COLLECTIONS}/{collection['id']}"
        figures[f"{collection['name']} records"] = ask(f"GET {path}/count")
        some = ask(f"POST {path}/get", {"limit": SAMPLES, "include": ["embeddings"]})["embeddings"] or []
        figures[f"{collection['name']} nearest"] = [
            round(float(found["distances"][0][0]), 3)
            for vector in some
            if (found := ask(f"POST {path}/query",
                             {"query_embeddings": [vector], "n_results": 1, "include": ["distances"]}))
        ]  # fmt: skip
    return figures


_READERS: dict[str, Callable[[Container, Mapping[str, Any]], dict[str, Any]]] = {
    "redis": _redis,
    "neo4j": _neo4j,
    "chromadb": _chromadb,
}


def read(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return figure -> value of what a running store holds; {} for a service that keeps nothing. Raises EngineError."""
    reader = _READERS.get(service["name"])
    return reader(container, service) if reader else {}


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return a line per figure that is not what it was."""
    return [
        f"{name}: found {after.get(name, 'none')}, expected {before.get(name, 'none')}"
        for name in [*before, *(name for name in after if name not in before)]
        if before.get(name) != after.get(name)
    ]
