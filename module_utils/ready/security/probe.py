# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the security probes of all services share: how attempts are run, and how their outcome is reported."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..checks.probe import Probe
from ..secrets.redaction import without_secrets
from .attempt import Attempt, RefusedError
from .tls_probe import transport_attempts

REFUSED, SUCCEEDED, UNKNOWN = "refused", "succeeded", "unknown"
#: A name that is nobody's, as a web page has that makes its name lead here (DNS rebinding).
FOREIGN_HOST = "attacker.invalid"
_DETAIL = 200


class SecurityProbe:
    """Tries what an attacker would, so that an attempt that succeeds does no harm and leaves nothing.

    Args:
        probe: the service's probe, with the passwords of its accounts.
        configuration: returns the files of the service's config volume, path -> content.
    """

    def __init__(self, probe: Probe, configuration: Callable[[], Mapping[str, bytes]]) -> None:
        self.probe, self.configuration = probe, configuration

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried, in this order."""
        raise NotImplementedError

    def refusal(self, error: Exception) -> bool:
        """Return whether a driver's error is the service's own refusal, not a fault on the way to it."""
        raise NotImplementedError

    def alive(self) -> None:
        """Log in as the app does, so that a refusal is known to come from a service that answers. Raises."""
        raise NotImplementedError

    def impostor(self, login: str, password: str, **changed: Any) -> Probe:
        """Return a probe of the same service whose one account `impostor` logs in with these.

        Keys of the service may be changed. How to connect (address, TLS) stays the probe's own business.
        """
        service = {**self.probe.service, "accounts": {"impostor": {"login": login}}, **changed}
        return type(self.probe)(service, {"impostor": password}, self.probe.timeout, self.probe.ca)

    def login(self, account: str) -> str:
        """Return an account's name to log in with."""
        return str(self.probe.service["accounts"][account]["login"])

    def run(self) -> list[dict[str, str]]:
        """Return of each attempt: id, title, how, expected, outcome, found."""

        def safe(text: str) -> str:
            return without_secrets(" ".join(text.split()), self.probe.passwords.values())[:_DETAIL]

        dead = ""
        try:
            self.alive()
        except Exception as error:  # a probe reports: no driver's error may end it
            dead = safe(f"could not be tried, because the service does not let the app in: {error}")
        results = []
        for attempt in (*self.attempts(), *transport_attempts(self.probe)):
            outcome, found = UNKNOWN, dead
            if not dead:
                try:
                    outcome, found = SUCCEEDED, safe(attempt.run())
                except RefusedError as error:
                    outcome, found = REFUSED, safe(str(error))
                except Exception as error:  # as above
                    outcome = REFUSED if self.refusal(error) else UNKNOWN
                    found = safe(f"{type(error).__name__}: {error}")
            results.append(
                {
                    "id": attempt.name,
                    "title": attempt.title,
                    "how": attempt.how,
                    "expected": attempt.expected,
                    "outcome": outcome,
                    "found": found,
                }
            )
        return results


def wrong_password() -> str:
    """Return a password that is nobody's."""
    return secrets.token_hex(16)


def rights(found: Mapping[str, bool]) -> str:
    """Return which rights somebody has, in words. Raises RefusedError when there are none."""
    had = [name for name, has in found.items() if has]
    if not had:
        raise RefusedError(f"none of {', '.join(found)}")
    return f"has {', '.join(had)}"
