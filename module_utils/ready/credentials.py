# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Passwords in the hashed forms that servers take, so that the plain one is in no argv, environment or SQL text."""

from __future__ import annotations

import base64
import hashlib
import hmac

#: What `neo4j-admin dbms set-initial-password` of 5.12 writes: SHA-256 over salt and password, 1024 rounds.
NEO4J_ITERATIONS = 1024
NEO4J_SALT_BYTES = 32


def initial_password_line(password: str, salt: bytes) -> str:
    """Return the line of Neo4j's data/dbms/auth.ini that makes `password` the first one of the user neo4j.

    `neo4j:SHA-256,<hash>,<salt>,1024:` in hex; the field after the last colon would hold flags such as
    password_change_required. Read once, on the first start of an empty /data.
    """
    digest = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(NEO4J_ITERATIONS - 1):
        digest = hashlib.sha256(digest).digest()
    return f"neo4j:SHA-256,{digest.hex()},{salt.hex()},{NEO4J_ITERATIONS}:"


def scram_sha_256(password: str, salt: bytes, iterations: int = 4096) -> str:
    """Return PostgreSQL's SCRAM verifier (RFC 5803 keys), as `ALTER ROLE ... PASSWORD` takes it.

    ASCII passwords only: others would have to be normalised by SASLprep first.
    """
    if not password.isascii():
        raise ValueError("a password with characters outside ASCII can't be hashed here; choose an ASCII one")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored = base64.b64encode(hashlib.sha256(client_key).digest()).decode()
    server = base64.b64encode(hmac.digest(salted, b"Server Key", "sha256")).decode()
    return f"SCRAM-SHA-256${iterations}:{base64.b64encode(salt).decode()}${stored}:{server}"
