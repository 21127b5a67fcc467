# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an attacker would try against each service, with its real driver. Runs where the services are."""

from __future__ import annotations

from ..lazily import Lazily
from .attempt import Attempt
from .base import Attacker


def _attacker(name: str) -> type[Attacker]:
    """Return a service's class; a new service's is named here."""
    if name == "postgresql":
        from .postgresql import PostgreSQLAttacker

        return PostgreSQLAttacker
    if name == "neo4j":
        from .neo4j import Neo4jAttacker

        return Neo4jAttacker
    if name == "chromadb":
        from .chromadb import ChromaDBAttacker

        return ChromaDBAttacker
    if name == "redis":
        from .redis import RedisAttacker

        return RedisAttacker
    if name == "gateway":
        from .gateway import GatewayAttacker

        return GatewayAttacker
    raise KeyError(name)


#: Service -> what is tried against it.
ATTACKS = Lazily(("postgresql", "neo4j", "chromadb", "redis", "gateway"), _attacker)

__all__ = ["ATTACKS", "Attacker", "Attempt"]
