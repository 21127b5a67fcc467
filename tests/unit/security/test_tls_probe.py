"""What counts as a refusal of plain text, by what servers really answered."""

from __future__ import annotations

import pytest
from ready.security.tls_probe import _GREETINGS, refused_in_plain
from ready.stack.definitions import load_definitions


@pytest.mark.parametrize(
    ("protocol", "answer", "refused"),
    [
        ("postgresql", b"E\x00\x00\x00\x9bSFATAL", True),
        ("postgresql", b"R\x00\x00\x00\x17\x00\x00\x00\nSCRAM-SHA-256", False),
        ("redis", b"", True),
        ("redis", b"-NOAUTH Authentication required.\r\n", False),
        ("redis", b"\x15\x03\x01\x00\x02\x02F", True),
        ("bolt", b"\x00\x00\x04\x05", False),
        ("https", b"HTTP/1.1 400 Bad Request\r\n", True),
        ("http", b"HTTP/1.1 200 OK\r\n", False),
    ],
)
def test_refusal(protocol: str, answer: bytes, refused: bool) -> None:
    """Nothing, an alert, or the protocol's own error; a request for a password is none."""
    assert refused_in_plain(protocol, answer) is refused


def test_every_protocol_has_a_greeting() -> None:
    """Of every service that can speak TLS."""
    speaking = [definition for definition in load_definitions().values() if "tls" in definition]
    assert {port["protocol"] for definition in speaking for port in definition["ports"]} <= set(_GREETINGS)
