# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ChromaDB, asked by its HTTP client. Embeddings are fixed vectors: no model is loaded."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from .base import LEFTOVER_SECONDS, MARK, Probe, expect

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

#: Points on a quarter of a circle: the neighbours of the first one come in this order under any metric of Chroma's.
VECTORS: dict[str, Sequence[float]] = {
    f"v{step}": [math.cos(step * math.pi / 40), math.sin(step * math.pi / 40), 0.5] for step in range(20)
}
NEIGHBOURS = ["v0", "v1", "v2", "v3", "v4"]


def expect_executor(connection: httpx.Client) -> None:
    """Raise CheckError unless queries can be executed; the heartbeat only says that the server lives."""
    answer = connection.get("/api/v2/healthcheck")
    expect("the status of /api/v2/healthcheck", answer.status_code, 200)
    expect("is_executor_ready", answer.json().get("is_executor_ready"), True)


class ChromaDB(Probe):
    """Checks: `embedding` (vectors come back as they went in) and `similarity` (known neighbours, in order)."""

    checks = ("embedding", "similarity")

    def connect(self) -> ClientAPI:
        """Return a client; making one asks the server already."""
        import chromadb  # takes a second, which a cheap round does without
        from chromadb.config import Settings

        host, port = self.address("http")
        # There is no TLS here: httpx would read all authorities of the system for each client, 25 ms of CPU.
        settings = Settings(anonymized_telemetry=False, chroma_server_ssl_verify=False)
        return chromadb.HttpClient(host=host, port=port, settings=settings)

    def open(self) -> httpx.Client:
        """Return an HTTP client; ChromaDB's own can't ask for the server's health."""
        host, port = self.address("http")
        return httpx.Client(base_url=f"http://{host}:{port}", timeout=self.timeout, trust_env=False)

    def ping(self, connection: httpx.Client) -> Mapping[str, Any]:
        """Ask whether queries can be executed."""
        expect_executor(connection)
        return {}

    @contextmanager
    def _collection(self) -> Iterator[Collection]:
        client, now = self.connect(), int(time.time())
        for old in client.list_collections():
            made = old.name.split("-")
            if old.name.startswith(f"{MARK}-") and made[2].isdigit() and int(made[2]) < now - LEFTOVER_SECONDS:
                client.delete_collection(old.name)
        name = f"{MARK}-{now}-{uuid.uuid4().hex[:12]}"
        collection = client.create_collection(name, embedding_function=None)
        try:
            collection.add(ids=list(VECTORS), embeddings=list(VECTORS.values()))
            yield collection
        finally:
            client.delete_collection(name)

    def embedding(self) -> Mapping[str, Any]:
        """Store vectors and read one back."""
        with self._collection() as collection:
            expect("stored vectors", collection.count(), len(VECTORS))
            found = collection.get(ids=["v7"], include=["embeddings"])["embeddings"]
            values = [round(float(value), 5) for value in found[0]] if found is not None and len(found) else []
            expect("the stored vector v7", values, [round(value, 5) for value in VECTORS["v7"]])
        return {"vectors": len(VECTORS)}

    def similarity(self) -> Mapping[str, Any]:
        """Query for known neighbours."""
        with self._collection() as collection:
            found = collection.query(query_embeddings=[VECTORS["v0"]], n_results=len(NEIGHBOURS))
            expect("the nearest neighbours of v0", found["ids"][0], NEIGHBOURS)
        return {"neighbours": len(NEIGHBOURS)}
