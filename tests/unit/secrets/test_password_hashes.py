# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Known answers: what the servers themselves wrote for a known password and salt."""

from __future__ import annotations

import base64
import hmac

import pytest
from ready.secrets.password_hashes import scram_sha_256
from ready.services.neo4j.template_values import initial_password_line


def test_neo4j_line_is_what_neo4j_admin_wrote() -> None:
    """Recorded from `neo4j-admin dbms set-initial-password abcdefgh1` of 5.12.0."""
    recorded = (
        "neo4j:SHA-256,cc167efd9f7377b2f048f4c9aaf6b054e9415817502e7d437c3cce0483655b14,"
        "69eab76d6562327158d60e73f2855066da387418d066ece0c1fd032251c77303,1024:"
    )
    salt = bytes.fromhex(recorded.split(",")[2])
    assert initial_password_line("abcdefgh1", salt) == recorded
    assert initial_password_line("abcdefgh2", salt) != recorded


def test_scram_verifier_is_what_postgresql_wrote() -> None:
    """Recorded from PostgreSQL 15.20's pg_authid after `ALTER ROLE ... PASSWORD 'abcdefgh1'`."""
    recorded = (
        "SCRAM-SHA-256$4096:"
        "fV+pAPPdlejQpPLI6n4NOA==$5tfk1wPSURnrIR/yplLRojvdOb163etxRXJvpSMz+iM=:whp5moAp4zySM1b/TcACcdlUzUmSk/XXQ1CErI5MbDI="
    )
    salt = base64.b64decode(recorded.split("$")[1].split(":")[1])
    assert scram_sha_256("abcdefgh1", salt) == recorded
    assert scram_sha_256("abcdefgh2", salt) != recorded


def test_rfc_7677_vector() -> None:
    """The server signature of RFC 7677's exchange follows from the verifier's server key."""
    verifier = scram_sha_256("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    server_key = base64.b64decode(verifier.rpartition(":")[2])
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    message = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
    signature = base64.b64encode(hmac.digest(server_key, message.encode(), "sha256")).decode()
    assert signature == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_password_that_needs_normalising_is_refused() -> None:
    """PostgreSQL would SASLprep it; a wrong verifier would lock everybody out."""
    with pytest.raises(ValueError, match="ASCII"):
        scram_sha_256("pässword", b"salt")
