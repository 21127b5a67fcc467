"""Leaves in every store what an interrupted run leaves, and data of others that a run must not touch."""

from __future__ import annotations

from ready.applications.frameworks import PREFIX
from ready.applications.scratch_database import MARK

from tests.stack import Stack, molecule_stack

STORES = ("postgresql", "neo4j", "chromadb", "redis")


def leave(stack: Stack) -> None:
    """Write both."""
    stack.write(*STORES)
    with stack.postgresql("admin") as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [PREFIX]).fetchall():
            connection.execute(f'CREATE DATABASE "{PREFIX}"')
            connection.execute(f"COMMENT ON DATABASE \"{PREFIX}\" IS '{MARK}'")
    with stack.neo4j() as driver:
        driver.execute_query("CREATE (:ReadyFrameworks {name: 'left'})-[:TO]->(:ReadyFrameworks)")
    stack.chromadb().get_or_create_collection(f"{PREFIX}_left")
    stack.redis().set(f"{PREFIX}:left", "1")


if __name__ == "__main__":
    leave(molecule_stack([*STORES, "ai"]))
