# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hash passwords in the forms that servers take, so that the plain ones stay out of argv and SQL."""

from __future__ import annotations

import base64
import hashlib
import hmac


def derived_salt(password: str, purpose: str) -> bytes:
    """Return 16 bytes that differ by password and purpose but not by run, so that a no-op run renders the same files.

    The passwords are random with >= 128 bits, so a derived salt gives an attacker nothing.
    """
    return hashlib.sha256(f"ready:{purpose}:{password}".encode()).digest()[:16]


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
