# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an attacker would try against each service, with its real driver. Runs where the services are."""

from __future__ import annotations

from .attempt import Attempt
from .base import Attacker
from .chromadb import ChromaDBAttacker
from .gateway import GatewayAttacker
from .neo4j import Neo4jAttacker
from .postgresql import PostgreSQLAttacker
from .redis import RedisAttacker

#: Service -> what is tried against it; a new service's class is named here.
ATTACKS: dict[str, type[Attacker]] = {
    "postgresql": PostgreSQLAttacker,
    "neo4j": Neo4jAttacker,
    "chromadb": ChromaDBAttacker,
    "redis": RedisAttacker,
    "gateway": GatewayAttacker,
}

__all__ = ["ATTACKS", "Attacker", "Attempt"]
