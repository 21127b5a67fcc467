# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which classes dump and load which service; a new service's are named here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import Dump, Load
from .chromadb import ChromaDBDump, ChromaDBLoad
from .neo4j import Neo4jDump, Neo4jLoad
from .postgresql import PostgreSQLDump, PostgreSQLLoad
from .redis import RedisDump, RedisLoad

DUMPS: dict[str, type[Dump]] = {
    "postgresql": PostgreSQLDump,
    "neo4j": Neo4jDump,
    "chromadb": ChromaDBDump,
    "redis": RedisDump,
}
LOADS: dict[str, type[Load]] = {
    "postgresql": PostgreSQLLoad,
    "neo4j": Neo4jLoad,
    "chromadb": ChromaDBLoad,
    "redis": RedisLoad,
}


def with_data(stack: Mapping[str, Any]) -> list[str]:
    """Return the services of a resolved stack that keep data; the others are made anew from the inventory."""
    return [name for name, service in stack["services"].items() if service["volumes"]]
