# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ChromaDB's workload: a collection of vectors whose true neighbours are computed beside it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...checks.probe import FULL, CheckError, fixture_name, stale_fixtures
from ...latency.workload import SIZE, NoRoomError, Operation, Workload
from .probe import KEPT, ChromaDBProbe

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from numpy.typing import NDArray

DIMENSIONS, NEIGHBOURS, GROUPS = 384, 10, 10
#: Real embeddings fill few of their dimensions; in 384 independent ones everything is equally far from everything.
_INTRINSIC = 8
#: Share of the true neighbours that an approximate index must find; the nearest one is never missed.
RECALL = 0.9
_BATCH = 2500
#: `ef_construction`: candidates for a vector's neighbours while the index is built. ChromaDB's own are 100: half as
#: much work again for the fixture, while a search takes as long and finds the same neighbours.
#: `sync_threshold`: vectors after which the index is written to files, which ChromaDB never removes, 17 MB each time
#: (chroma-core/chroma#5259); the index that is asked is the one in memory, either way.
_INDEX: CreateHNSWConfiguration = {"ef_construction": 40, "sync_threshold": 2 * SIZE}
#: Bytes of memory that the fixture may take, five times its vectors': the first after a start took 74 MB, a later
#: one 28 MB, which the server keeps.
NEED = 5 * 4 * SIZE * DIMENSIONS
#: Their true neighbours are computed here, so they are fewer than elsewhere.
_QUESTIONS = 200


def vectors(count: int, seed: int) -> NDArray[np.float32]:
    """Return unit vectors, the same ones in every run, all within the same few dimensions."""
    basis = np.random.default_rng(0).standard_normal((_INTRINSIC, DIMENSIONS))
    points = np.random.default_rng(seed).standard_normal((count, _INTRINSIC)) @ basis
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def neighbours(stored: NDArray[np.float32], asked: NDArray[np.float32], numbers: NDArray[np.int64]) -> list[list[str]]:
    """Return for each vector asked for the ids of those nearest to it among `numbers` of the stored ones, in order."""
    distances = 2 - 2 * (asked @ stored[numbers].T)  # of unit vectors, as square of the Euclidean distance
    few = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    order = np.argsort(np.take_along_axis(distances, few, axis=1), axis=1)
    return [[f"v{numbers[position]}" for position in row] for row in np.take_along_axis(few, order, axis=1)]


def expect_room(used: int, limit: int) -> None:
    """Raise NoRoomError where the fixture would take the server near its limit, beyond which it is killed.

    Args:
        used: bytes that the container's processes hold.
        limit: of the container, 0 for none.
    """
    if limit and used + NEED > FULL * limit:
        raise NoRoomError(
            f"memory of the container: found {used} of {limit} bytes in use, expected {NEED} bytes of room below "
            f"{FULL:.0%} for the vectors to measure; none were stored, for beyond the limit it is killed; {KEPT}"
        )


def check_neighbours(found: list[str], true: list[str]) -> None:
    """Raise CheckError unless the nearest comes first and enough of the others were found."""
    hits = len(set(found) & set(true))
    if not found or found[0] != true[0]:
        raise CheckError(f"the nearest neighbour: found {(found or ['none'])[0]}, expected {true[0]}")
    if hits < RECALL * len(true):
        raise CheckError(f"true neighbours: found {hits} of {len(true)}, expected {RECALL:.0%}")


class ChromaDBWorkload(Workload):
    """Operations: `vector_search` (ten nearest), `filtered_query` (ten nearest of a tenth, by metadata)."""

    size = f"{SIZE} x {DIMENSIONS} vectors"

    def __init__(self, probe: ChromaDBProbe) -> None:
        super().__init__(probe)
        self.probe = probe
        self.name = fixture_name("-")
        self.client: ClientAPI | None = None

    @cached_property
    def stored(self) -> NDArray[np.float32]:
        """The vectors of the fixture; whoever measures only ways to the service does without."""
        return vectors(SIZE, 1)

    def open(self) -> None:
        """Open the kept client."""
        self.client = self.probe.connect()

    def close(self) -> None:
        """Forget it; it closes its connections itself."""
        self.client = None

    def round_trip(self) -> None:
        """Ask for the heartbeat, which does no work."""
        if self.client:
            self.client.heartbeat()

    def reconnect(self) -> None:
        """Make a client, which asks the server for tenant and database, and ask for the heartbeat."""
        self.probe.connect().heartbeat()

    def build(self) -> None:
        """Build the collection, if there is room for it."""
        if found := self.probe.container_memory():
            expect_room(*found)
        client = self.probe.connect()
        for name in stale_fixtures([item.name for item in client.list_collections()], "-"):
            client.delete_collection(name)
        collection = client.create_collection(self.name, configuration={"hnsw": _INDEX}, embedding_function=None)
        for start in range(0, SIZE, _BATCH):
            numbers = range(start, min(start + _BATCH, SIZE))
            collection.add(
                ids=[f"v{number}" for number in numbers],
                embeddings=self.stored[numbers.start : numbers.stop],
                metadatas=[{"group": number % GROUPS} for number in numbers],
            )

    def operations(self) -> list[Operation]:
        """Return the operations."""
        client = self.client or self.probe.connect()
        collection = client.get_collection(self.name, embedding_function=None)
        stored, asked = self.stored, vectors(_QUESTIONS, 2)
        questions = [vector.tolist() for vector in asked]
        everywhere = neighbours(stored, asked, np.arange(SIZE))
        within = [
            neighbours(stored, asked[number : number + 1], np.arange(number % GROUPS, SIZE, GROUPS))[0]
            for number in range(len(asked))
        ]

        def search(number: int) -> Any:
            return collection.query(
                query_embeddings=[questions[number % len(questions)]], n_results=NEIGHBOURS, include=["distances"]
            )

        def filtered(number: int) -> Any:
            number %= len(questions)
            return collection.query(
                query_embeddings=[questions[number]],
                n_results=NEIGHBOURS,
                where={"group": number % GROUPS},
                include=["distances"],
            )

        def check_search(number: int, found: Any) -> None:
            check_neighbours(found["ids"][0], everywhere[number % len(questions)])

        def check_filtered(number: int, found: Any) -> None:
            check_neighbours(found["ids"][0], within[number % len(questions)])

        return [
            # Nothing is compiled here while it runs, so its caches alone settle.
            Operation("vector_search", "latency_p95_ms", search, check_search, warm_up=30, rate=150.0),
            Operation("filtered_query", "filtered_query_p95_ms", filtered, check_filtered, judged=False, warm_up=10),
        ]

    def remove(self) -> None:
        """Delete the collection."""
        client = self.probe.connect()
        if self.name in {item.name for item in client.list_collections()}:
            client.delete_collection(self.name)
