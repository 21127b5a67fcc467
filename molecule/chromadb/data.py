"""What a test writes to ChromaDB, and reads: three vectors."""

from __future__ import annotations

from tests.stack import Stack


def write(stack: Stack, through: str = "chromadb") -> None:
    """Write them, straight to it or through the service `gateway`."""
    collection = stack.chromadb(through).get_or_create_collection("ready_test", embedding_function=None)
    collection.upsert(ids=["x", "y", "z"], embeddings=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def check(stack: Stack, through: str = "chromadb") -> None:
    """Ask for a vector's nearest neighbours, in order: a count would not show that vectors are lost."""
    collection = stack.chromadb(through).get_collection("ready_test", embedding_function=None)
    found = collection.query(query_embeddings=[[0.1, 1.0, 0.0]], n_results=2)
    assert found["ids"] == [["y", "x"]]
