# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which classes dump and load which service; a new service's are named here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..lazily import Lazily

if TYPE_CHECKING:
    from .base import Dump, Load

_NAMES = ("postgresql", "neo4j", "chromadb", "redis")


def _classes(name: str) -> tuple[type[Dump], type[Load]]:
    if name == "postgresql":
        from .postgresql import PostgreSQLDump, PostgreSQLLoad

        return PostgreSQLDump, PostgreSQLLoad
    if name == "neo4j":
        from .neo4j import Neo4jDump, Neo4jLoad

        return Neo4jDump, Neo4jLoad
    if name == "chromadb":
        from .chromadb import ChromaDBDump, ChromaDBLoad

        return ChromaDBDump, ChromaDBLoad
    if name == "redis":
        from .redis import RedisDump, RedisLoad

        return RedisDump, RedisLoad
    raise KeyError(name)


def _dump(name: str) -> type[Dump]:
    return _classes(name)[0]


def _load(name: str) -> type[Load]:
    return _classes(name)[1]


DUMPS, LOADS = Lazily(_NAMES, _dump), Lazily(_NAMES, _load)


def with_data(stack: Mapping[str, Any]) -> list[str]:
    """Return the services of a resolved stack that keep data; the others are made anew from the inventory."""
    return [name for name, service in stack["services"].items() if service["volumes"]]
