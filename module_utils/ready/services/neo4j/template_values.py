# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Neo4j's files need beside its definition: the addresses that clients get, and the first password's hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ...secrets.password_hashes import derived_salt
from .advertised_address import advertised_addresses

#: What `neo4j-admin dbms set-initial-password` of 5.12 writes: SHA-256 over salt and password, 1024 rounds.
ITERATIONS = 1024


def initial_password_line(password: str, salt: bytes) -> str:
    """Return the line of Neo4j's data/dbms/auth.ini that makes `password` the first one of the user neo4j.

    `neo4j:SHA-256,<hash>,<salt>,1024:` in hex; the field after the last colon would hold flags such as
    password_change_required. Read once, on the first start of an empty /data.
    """
    digest = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(ITERATIONS - 1):
        digest = hashlib.sha256(digest).digest()
    return f"neo4j:SHA-256,{digest.hex()},{salt.hex()},{ITERATIONS}:"


def neo4j_template_values(service: Mapping[str, Any], passwords: Mapping[str, str]) -> dict[str, Any]:
    """Return `advertised` and `initial_password_line`."""
    password = passwords["admin"]
    return {
        "advertised": advertised_addresses(service),
        "initial_password_line": initial_password_line(password, derived_salt(password, "neo4j")),
    }
