# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A class per service that asks it about its data, with its real driver. Runs where the services are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Probe

#: Services that have a class, in the order in which they are shown.
NAMES = ("postgresql", "neo4j", "chromadb", "redis", "gateway")


def probe_class(name: str) -> type[Probe]:
    """Return a service's class; a new service's is named here. Its driver is imported now, and no other's."""
    if name == "postgresql":
        from .postgresql import PostgreSQL

        return PostgreSQL
    if name == "neo4j":
        from .neo4j import Neo4j

        return Neo4j
    if name == "chromadb":
        from .chromadb import ChromaDB

        return ChromaDB
    if name == "redis":
        from .redis import Redis

        return Redis
    if name == "gateway":
        from .gateway import Gateway

        return Gateway
    raise KeyError(name)
