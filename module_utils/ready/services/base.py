# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the probes of all services share: where the service is, and how a check's outcome is told."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .transport import client_context, judge, served_certificate

#: Everything that a probe makes in a service begins with this, so that leftovers are told from user data.
MARK = "ready-probe"
#: Leftovers of an interrupted run are removed once they are older than this; younger ones may be another run's.
LEFTOVER_SECONDS = 600
#: Share of a limit (connections, memory) beyond which a service is no longer called healthy.
FULL = 0.9
_DETAIL = 300


class CheckError(Exception):
    """What a service answered is not what it should have."""


@dataclass
class Check:
    """The outcome of one check; `figures` are measured, in the unit that their name ends with."""

    verdict: str
    seconds: float
    detail: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def expect(what: str, found: Any, expected: Any) -> None:
    """Raise CheckError unless both are equal."""
    if found != expected:
        raise CheckError(f"{what}: found {found!r}, expected {expected!r}")


def attempt(check: Callable[[], Mapping[str, Any]], secrets: Iterable[str] = ()) -> Check:
    """Run a check to its outcome. Whatever it raises is its failure, told in one line without any of `secrets`."""
    started = time.monotonic()
    try:
        figures = dict(check())
    except Exception as error:  # a probe reports: no driver's error may end it
        text = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, CheckError):
            text = f"{type(error).__name__}: {text}"
        for secret in secrets:
            text = text.replace(secret, "***")
        return Check("fail", round(time.monotonic() - started, 4), text[:_DETAIL])
    return Check("pass", round(time.monotonic() - started, 4), "", figures)


class Probe:
    """A service, asked by its real driver. Touches nothing but what it made itself, and removes that.

    Args:
        service: the resolved service, of which ports, accounts, image and database are read.
        passwords: account -> password; empty for a service without accounts.
        timeout: seconds that any single step may take.
        ca: certificates (PEM) that the service's own must be signed by, where it speaks TLS.
    """

    #: Name of each check -> the method that makes it.
    checks: tuple[str, ...]

    def __init__(
        self,
        service: Mapping[str, Any],
        passwords: Mapping[str, str],
        timeout: float = 5.0,
        ca: str | None = None,
    ) -> None:
        self.service, self.passwords, self.timeout, self.ca = service, passwords, timeout, ca
        self.tls = bool(service.get("tls", {}).get("enabled"))
        #: Ready's own certificates are for the address that is connected to; given ones for `tls.names`, which may
        #: be known elsewhere only, so `certificate` holds them against those.
        self.check_names = self.tls and not service["tls"]["certificate"]
        if self.tls:
            self.checks = ("certificate", *self.checks)  # the cause, before what follows of it

    def address(self, port: str) -> tuple[str, int]:
        """Return host and port to connect to; what is bound to every address is asked on loopback."""
        found = next(item for item in self.service["ports"] if item["name"] == port)
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found["bind"], found["bind"]), int(found["host"])  # noqa: S104

    def login(self, account: str) -> tuple[str, str]:
        """Return user and password of an account. Raises CheckError when its password is unknown."""
        if account not in self.passwords:
            raise CheckError(f"the password of the account {account} is not in the service's config volume")
        return self.service["accounts"][account]["login"], self.passwords[account]

    def authority(self) -> str:
        """Return the CA certificate to verify with, PEM. Raises CheckError when it is unknown."""
        if self.ca is None:
            raise CheckError("the CA certificate is not in the service's config volume")
        return self.ca

    def context(self) -> ssl.SSLContext:
        """Return what to verify the service's certificate with."""
        return client_context(self.authority(), self.check_names)

    def certificate(self) -> Mapping[str, Any]:
        """Check the served certificate: CA, names, and that enough days are left."""
        port, given = self.service["ports"][0], not self.check_names
        step = "replace the given file, then ./ready up" if given else "./ready up renews it"
        address = self.address(port["name"])
        served: dict[str, Any] = {}
        for name in self.service["tls"]["names"] if given else [address[0]]:
            try:
                served = served_certificate(address, port["protocol"], self.authority(), name, self.timeout)
            except ssl.SSLCertVerificationError as error:
                raise CheckError(
                    f"the certificate under the name {name}: {error.verify_message}. Next: {step}"
                ) from error
        fault, figures = judge(served, time.time(), step)
        if fault:
            raise CheckError(fault)
        return figures

    def deep(self) -> dict[str, dict[str, Any]]:
        """Return check -> outcome: verdict, seconds, detail, figures."""
        secrets = list(self.passwords.values())
        return {name: asdict(attempt(getattr(self, name), secrets)) for name in self.checks}
