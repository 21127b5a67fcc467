# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is tried on a port that speaks TLS: to do without it, and an old version of it. Standard library only."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from ..checks.probe import Probe
from ..common.tls_client import ask_for_tls
from .attempt import Attempt, RefusedError

#: What a client says first in plain text, by the port's protocol. PostgreSQL: a start-up message of protocol 3.0.
_STARTUP = struct.pack("!I", 196608) + b"user\0nobody\0\0"
_GET = b"GET / HTTP/1.0\r\n\r\n"
_GREETINGS = {
    "postgresql": struct.pack("!I", len(_STARTUP) + 4) + _STARTUP,
    "bolt": b"\x60\x60\xb0\x17" + struct.pack("!4I", 0x00000405, 0, 0, 0),
    "redis": b"PING\r\n",
    "https": _GET,
    "http": _GET,  # of a port that speaks TLS when the service does
}
#: Type of a TLS record that says no.
_ALERT = b"\x15"


def refused_in_plain(protocol: str, answer: bytes) -> bool:
    """Return whether an answer to a greeting in plain text says no: nothing, a TLS alert, or the protocol's own error.

    PostgreSQL answers E when no line of pg_hba.conf admits a plain connection, and R when it goes on to ask for a
    password. A server of HTTPS may say 400 to plain HTTP.
    """
    if not answer or answer.startswith(_ALERT):
        return True
    if protocol == "postgresql":
        return answer.startswith(b"E")
    return protocol in {"http", "https"} and answer.split(b" ")[1:2] == [b"400"]


def _in_plain(address: tuple[str, int], protocol: str, timeout: float) -> str:
    try:
        with socket.create_connection(address, timeout) as connection:
            connection.sendall(_GREETINGS[protocol])
            answer = connection.recv(64)
    except ConnectionResetError:
        answer = b""
    if refused_in_plain(protocol, answer):
        raise RefusedError("closed, or refused because it is not TLS")
    return f"port {address[1]} answers in plain text"


def _by_old_tls(address: tuple[str, int], protocol: str, timeout: float) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # else this side would refuse the old version itself
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        with socket.create_connection(address, timeout) as plain:
            ask_for_tls(plain, protocol)
            with context.wrap_socket(plain) as secure:
                return f"port {address[1]} speaks {secure.version()}"
    except (ssl.SSLError, ConnectionResetError) as error:
        raise RefusedError(f"port {address[1]}: {error}") from error


def transport_attempts(probe: Probe) -> Sequence[Attempt]:
    """Return what is tried on every port of a service that speaks TLS; nothing for one that does not."""
    service: Mapping[str, Any] = probe.service
    if not service.get("tls", {}).get("enabled"):
        return ()
    ports = [(probe.address(port["name"]), port["protocol"]) for port in service["ports"]]

    def each(attempt: Any) -> str:
        answer = ""
        for address, protocol in ports:
            try:
                return str(attempt(address, protocol, probe.timeout))
            except RefusedError as error:
                answer = str(error)
        raise RefusedError(answer)

    return (
        Attempt(
            "plaintext",
            "Nobody is let in without TLS",
            "psql sslmode=disable; redis-cli without --tls; curl http:// instead of https://",
            lambda: each(_in_plain),
        ),
        Attempt(
            "old_tls",
            "TLS before 1.2 is refused",
            "openssl s_client -connect HOST:PORT -tls1_1 -cipher ALL:@SECLEVEL=0 (-starttls postgres)",
            lambda: each(_by_old_tls),
        ),
    )
