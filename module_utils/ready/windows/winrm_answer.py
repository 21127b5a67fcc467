# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An address of WinRM, and what came of a request to it. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal[
    "answer",
    "unresolved",
    "refused",
    "connect_timeout",
    "read_timeout",
    "route",
    "proxy",
    "reset",
    "trust",
    "tls",
    "other",
]
#: Kinds that mean that nothing at all answered there.
UNREACHABLE: frozenset[str] = frozenset({"unresolved", "refused", "connect_timeout", "route", "proxy"})


@dataclass(frozen=True)
class Endpoint:
    """The address of WinRM, and what is trusted: a file of certificates, "" for the system's, None for anything."""

    address: str
    port: int
    secure: bool = True
    path: str = "wsman"
    trust: str | None = ""
    proxy: str | None = None
    ignore_proxy: bool = False
    timeout: float = 10.0

    @property
    def url(self) -> str:
        """Return the address that is asked; an IPv6 one in brackets."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http{'s' if self.secure else ''}://{host}:{self.port}/{self.path}"


@dataclass(frozen=True)
class ServerCertificate:
    """The certificate that a server shows: its names, until when it is good, and whether it signed itself."""

    names: tuple[str, ...]
    not_after: datetime
    self_signed: bool


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    `code` is OpenSSL's number of what is wrong with a certificate, `source` this machine's address towards it.
    """

    kind: Kind
    detail: str = ""
    status: int = 0
    auth_methods: tuple[str, ...] = ()
    code: int = 0
    source: str = ""
    certificate: ServerCertificate | None = field(default=None, compare=False)
