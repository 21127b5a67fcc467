# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A class per service that builds a fixture of stated size, asks it, and removes it. Runs where the services are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..lazily import Lazily
from .base import Workload


def _workload(name: str) -> Callable[[Any], Workload]:
    """Return a service's class; a new service's is named here. The gateway has none: it is a way to ChromaDB."""
    if name == "postgresql":
        from .postgresql import PostgreSQLWorkload

        return PostgreSQLWorkload
    if name == "neo4j":
        from .neo4j import Neo4jWorkload

        return Neo4jWorkload
    if name == "chromadb":
        from .chromadb import ChromaDBWorkload

        return ChromaDBWorkload
    if name == "redis":
        from .redis import RedisWorkload

        return RedisWorkload
    raise KeyError(name)


#: Service -> its workload.
WORKLOADS = Lazily(("postgresql", "neo4j", "chromadb", "redis"), _workload)
