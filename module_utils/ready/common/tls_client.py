# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TLS as a client of a service speaks it, and what the served certificate says. Standard library only."""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from typing import Any

#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for: for whoever judges the dates himself.
NO_CHECK_TIME = 0x200000
#: Days left below which a check fails; `up` renews Ready's own certificates long before (certificates.RENEW_BEFORE).
FEWEST_DAYS = 14
_DAY = 86400
#: PostgreSQL's SSLRequest: length 8, code 80877103; the server answers S when it is going to speak TLS.
_SSL_REQUEST = struct.pack("!II", 8, 80877103)


def client_context(ca: str, check_names: bool = True) -> ssl.SSLContext:
    """Return what a client verifies with: TLS 1.2 or newer, certificates that `ca` (PEM) signed, and their names."""
    context = ssl.create_default_context(cadata=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = check_names
    return context


class MemoryFile:
    """A file that lives in memory alone, for drivers that take certificates by path; gone with the process at last.

    Attributes:
        path: what this process opens it by.
    """

    def __init__(self, content: str) -> None:
        self._descriptor = os.memfd_create("ca")
        os.write(self._descriptor, content.encode())
        self.path = f"/proc/self/fd/{self._descriptor}"

    def __del__(self) -> None:
        """Close it."""
        os.close(self._descriptor)


def ask_for_tls(plain: socket.socket, protocol: str) -> None:
    """Bring a new connection to where TLS begins: PostgreSQL wants to be asked first. Raises OSError if it refuses."""
    if protocol == "postgresql":
        plain.sendall(_SSL_REQUEST)
        if plain.recv(1) != b"S":
            raise OSError("the server refuses TLS")


def served_certificate(
    address: tuple[str, int], protocol: str, ca: str, name: str | None, timeout: float
) -> dict[str, Any]:
    """Return the served certificate as ssl.SSLSocket.getpeercert() does, and `protocol`; its dates are not judged.

    Args:
        address: where to connect.
        protocol: of the port, as the definition has it; PostgreSQL is asked for TLS first.
        ca: certificates (PEM) that it must be signed by.
        name: what it must be for; None takes any name.
        timeout: seconds for each step.

    Raises:
        ssl.SSLCertVerificationError: wrong CA or name.
        OSError: nothing answers, or not in TLS.
    """
    context = client_context(ca, name is not None)
    context.verify_flags |= NO_CHECK_TIME
    with socket.create_connection(address, timeout) as plain:
        ask_for_tls(plain, protocol)
        with context.wrap_socket(plain, server_hostname=name or address[0]) as secure:
            return {**(secure.getpeercert() or {}), "protocol": secure.version()}


def _field(name: Sequence[Sequence[Sequence[str]]], key: str) -> str:
    return next((value for part in name for field, value in part if field == key), "")


def judge(certificate: Mapping[str, Any], now: float, step: str) -> tuple[str, dict[str, Any]]:
    """Return (fault, figures) of a served certificate; the fault is "" when there is none.

    Args:
        certificate: as `served_certificate` returns it.
        now: seconds since 1970.
        step: what renews it, for the message.
    """
    begins, ends = (ssl.cert_time_to_seconds(certificate[key]) for key in ("notBefore", "notAfter"))
    days = (ends - now) / _DAY
    figures = {
        "days_left": int(days),
        "issuer": _field(certificate["issuer"], "commonName"),
        "protocol": certificate["protocol"],
        "names": ", ".join(name for _, name in certificate.get("subjectAltName", ())),
    }
    fault = ""
    if days <= 0:
        fault = f"the certificate expired {-days:.1f} days ago ({certificate['notAfter']})"
    elif begins > now:
        fault = f"the certificate is not valid before {certificate['notBefore']}"
    elif days < FEWEST_DAYS:
        fault = f"the certificate: found {days:.1f} days left, expected at least {FEWEST_DAYS}"
    return (f"{fault}. Next: {step}" if fault else ""), figures
