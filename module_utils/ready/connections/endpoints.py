# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide where a service is reached, as whom, and by which CA its certificate is verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What is bound to every address is reached on loopback.
_EVERY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class CheckError(Exception):
    """What a service answered is not what it should have."""


class FaultError(CheckError):
    """A fault in one line: `whose: asked: found …, expected …. Next: step`. Its parts are attributes."""

    def __init__(self, whose: str, asked: str, found: str, expected: str, step: str) -> None:
        self.whose, self.asked, self.found, self.expected, self.step = whose, asked, found, expected, step
        super().__init__(f"{whose}: {asked}: found {found}, expected {expected}. Next: {step}")


class UnknownError(CheckError):
    """The settings name no such account or port, so what needs it can't be asked."""


def _port(service: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = next((item for item in service["ports"] if item["name"] == name), None)
    if found is None:
        raise UnknownError(f"the settings name no port {name}")
    return found


def public_address(service: Mapping[str, Any], port: str) -> tuple[str, int]:
    """Return host and port as applications get them.

    A given certificate is for the names that the inventory states with it, so the first of those is the host; Ready's
    own ones are for the address as well.
    """
    found, tls = _port(service, port), service.get("tls", {})
    return tls["names"][0] if tls.get("enabled") and tls["certificate"] else found["bind"], found["host"]


class Endpoint:
    """A service as it is reached from its host, or by an application's settings.

    Args:
        service: the resolved service, of which ports, accounts and tls are read.
        passwords: account -> password; empty for a service without accounts.
        ca: certificates (PEM) that the service's own must be signed by, where it speaks TLS.
    """

    def __init__(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None = None) -> None:
        self.service, self.passwords, self.ca = service, passwords, ca
        self.tls = bool(service.get("tls", {}).get("enabled"))
        #: Ready's own certificates are for the address that is connected to; given ones for `tls.names`, which may
        #: be known elsewhere only, so `certificate` compares them with those.
        self.check_names = self.tls and not service["tls"]["certificate"]

    def address(self, port: str) -> tuple[str, int]:
        """Return host and port to connect to; what is bound to every address is asked on loopback."""
        found = _port(self.service, port)
        return _EVERY.get(found["bind"], found["bind"]), int(found["host"])

    def login(self, account: str) -> tuple[str, str]:
        """Return user and password of an account. Raises CheckError when its password is unknown."""
        if account not in self.service["accounts"]:
            raise UnknownError(f"the settings name no account {account}")
        if account not in self.passwords:
            raise CheckError(
                f"the password of the account {account} is neither in the service's config volume nor in the settings"
            )
        return self.service["accounts"][account]["login"], self.passwords[account]

    def authority(self) -> str:
        """Return the CA certificate to verify with, PEM. Raises CheckError when it is unknown."""
        if self.ca is None:
            raise CheckError("the CA certificate is neither in the service's config volume nor in the settings")
        return self.ca
