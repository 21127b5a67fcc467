"""What a test writes through the gateway, and reads: ChromaDB's vectors."""

from __future__ import annotations

from tests.stack import Stack, data_of


def write(stack: Stack) -> None:
    """Write them."""
    data_of("chromadb").write(stack, "gateway")


def check(stack: Stack) -> None:
    """Read them."""
    data_of("chromadb").check(stack, "gateway")
