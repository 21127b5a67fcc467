# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ChromaDB holds: figures that an upgrade must not change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...upgrades.store_queries import ask_http

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Vectors per collection whose nearest neighbour is asked for: a count alone would not show that vectors are lost.
SAMPLES = 3
_COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"


def chromadb_fingerprint(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many records each collection has, and how far the nearest neighbours of some vectors are."""
    port = str(service["settings"]["port"])

    def ask(line: str, body: Mapping[str, Any] | None = None) -> Any:
        text = json.dumps(body) if body else ""
        return ask_http(container, port, line, "", text)

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
