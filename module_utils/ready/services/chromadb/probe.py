# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ChromaDB, asked by its HTTP client. Embeddings are fixed vectors: no model is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import httpx

from ...checks.probe import FULL, CheckError, Probe, UnknownError, expect, fixture_name, stale_fixtures
from ...common.addresses import host_port
from .client import chromadb_client

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

#: Points on a quarter of a circle: the neighbours of the first one come in this order under any metric of Chroma's.
VECTORS: dict[str, Sequence[float]] = {
    f"v{step}": [math.cos(step * math.pi / 40), math.sin(step * math.pi / 40), 0.5] for step in range(20)
}
NEIGHBOURS = ["v0", "v1", "v2", "v3", "v4"]
#: ChromaDB 1.5.9 keeps the index of a deleted collection in memory (chroma-core/chroma#3296), 2.8 MB of a small one.
KEPT = "deleted collections keep theirs until a restart"


def expect_executor(connection: httpx.Client) -> None:
    """Raise CheckError unless queries can be executed; the heartbeat only says that the server lives."""
    answer = connection.get("/api/v2/healthcheck")
    expect("the status of /api/v2/healthcheck", answer.status_code, 200)
    expect("is_executor_ready", answer.json().get("is_executor_ready"), True)


class ChromaDBProbe(Probe):
    """Checks: `memory` (of its container), and of vectors in one collection: `embedding`, `similarity`."""

    checks = ("memory", "embedding", "similarity")
    _made: tuple[ClientAPI, Collection] | None = None

    def connect(self) -> ClientAPI:
        """Return a client; making one asks the server already."""
        from chromadb.config import Settings  # takes a second, which a cheap round does without

        host, port = self.address("http")
        # There is no TLS here: httpx would read all authorities of the system for each client, 25 ms of CPU.
        settings = Settings(anonymized_telemetry=False, chroma_server_ssl_verify=False)
        return chromadb_client(host=host, port=port, settings=settings)

    def open(self) -> httpx.Client:
        """Return an HTTP client; ChromaDB's own can't ask for the server's health."""
        host, port = self.address("http")
        return httpx.Client(base_url=f"http://{host_port(host, port)}", timeout=self.timeout, trust_env=False)

    def ping(self, connection: httpx.Client) -> Mapping[str, Any]:
        """Ask whether queries can be executed."""
        expect_executor(connection)
        return {}

    def memory(self) -> Mapping[str, Any]:
        """Check that the container's memory is below its limit, beyond which the server is killed."""
        found = self.container_memory()
        if found is None:
            raise UnknownError("Docker alone knows it, and did not say or was not asked")
        used, limit = found
        if limit and used >= FULL * limit:
            raise CheckError(
                f"memory of the container: found {used} of {limit} bytes in use, expected less than {FULL:.0%}; {KEPT}"
            )
        return {"used_bytes": used, "limit_bytes": limit}

    def deep(self) -> dict[str, dict[str, Any]]:
        """Return check -> outcome; one collection serves all checks, because ChromaDB keeps what each one takes.

        A run that hung and goes on late, beside the next one, keeps to its own.
        """
        return super(ChromaDBProbe, copy(self)).deep()

    def _collection(self) -> Collection:
        """Return this run's collection; the first one who asks makes it, and removes leftovers before."""
        if self._made is None:
            client = self.connect()
            for old in stale_fixtures([item.name for item in client.list_collections()], "-"):
                client.delete_collection(old)
            self._made = client, client.create_collection(fixture_name("-"), embedding_function=None)
            self._made[1].add(ids=list(VECTORS), embeddings=list(VECTORS.values()))
        return self._made[1]

    def _remove(self) -> None:
        if self._made is not None:
            (client, collection), self._made = self._made, None
            client.delete_collection(collection.name)

    def embedding(self) -> Mapping[str, Any]:
        """Store vectors and read one back; they stay for `similarity`."""
        collection = self._collection()
        expect("stored vectors", collection.count(), len(VECTORS))
        found = collection.get(ids=["v7"], include=["embeddings"])["embeddings"]
        values = [round(float(value), 5) for value in found[0]] if found is not None and len(found) else []
        expect("the stored vector v7", values, [round(value, 5) for value in VECTORS["v7"]])
        return {"vectors": len(VECTORS)}

    def similarity(self) -> Mapping[str, Any]:
        """Query for known neighbours, and remove the vectors."""
        try:
            found = self._collection().query(query_embeddings=[VECTORS["v0"]], n_results=len(NEIGHBOURS))
            expect("the nearest neighbours of v0", found["ids"][0], NEIGHBOURS)
        finally:
            self._remove()
        return {"neighbours": len(NEIGHBOURS)}
