# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Neo4j holds: figures that an upgrade must not change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...docker.state import EngineError
from ...upgrades.store_queries import ask_http

if TYPE_CHECKING:
    from docker.models.containers import Container

_CYPHER = {
    "nodes": "MATCH (n) RETURN count(n)",
    "relationships": "MATCH ()-[r]->() RETURN count(r)",
    "stats": "CALL apoc.meta.stats() YIELD labels, relTypesCount RETURN {labels: labels, types: relTypesCount}",
    "indexes": "SHOW INDEXES YIELD name RETURN count(*)",
    "constraints": "SHOW CONSTRAINTS YIELD name RETURN count(*)",
}


def graph_figures(body: Mapping[str, Any]) -> dict[str, int]:
    """Return the figures of Neo4j's answer to `_CYPHER`; names that nothing carries any more are left out."""
    if body["errors"]:
        raise EngineError(f"neo4j answered {body['errors'][0].get('message', '')[:300]}")
    values = {name: result["data"][0]["row"][0] for name, result in zip(_CYPHER, body["results"], strict=True)}
    stats = values.pop("stats")
    named = {f"{kind} {name}": count for kind, counts in stats.items() for name, count in counts.items() if count}
    return {**values, **named}


def neo4j_fingerprint(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of `_CYPHER`."""
    body = json.dumps({"statements": [{"statement": text} for text in _CYPHER.values()]})
    login = service["accounts"]["monitor"]["login"]
    return dict(graph_figures(ask_http(container, "7474", "POST /db/neo4j/tx/commit", login, body)))
