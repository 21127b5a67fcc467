# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gateway for applications: ChromaDB's variables, with TLS and a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...common.addresses import host_port
from ...connections.endpoints import public_address
from ..chromadb.connection import ChromaDBConnection


class GatewayConnection(ChromaDBConnection):
    """Where there is one, ChromaDB is reached through it by everybody."""

    title, port = "ChromaDB's gateway", "https"
    named_by = ()  # ChromaDB's variables are read as its
    stands_before = "chromadb"

    def settings(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None) -> dict[str, str]:
        """Return ChromaDB's variables, at the gateway's address."""
        host, port = public_address(service, "https")
        values = {"CHROMA_HOST": host, "CHROMA_PORT": str(port), "CHROMA_URL": f"https://{host_port(host, port)}"}
        values |= {"CHROMA_SSL": "true"} | ({"CHROMA_CA_FILE": ca} if ca else {})
        return values | ({"CHROMA_TOKEN": secret} if (secret := passwords.get("app")) else {})
