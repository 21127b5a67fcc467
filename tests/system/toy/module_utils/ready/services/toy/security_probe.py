# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Security probe of the toy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ...security.attempt import Attempt, RefusedError
from ...security.probe import SecurityProbe, wrong_password
from .probe import ToyProbe


class ToySecurityProbe(SecurityProbe):
    """Who gets in without the app's password."""

    def _ask(self, login: str, password: str) -> str:
        assert isinstance(self.probe, ToyProbe)  # by SECURITY_PROBES
        with self.probe.connect() as client:
            status = client.get("/cgi-bin/word", auth=(login, password)).status_code
        if status == 401:
            raise RefusedError("HTTP 401")
        return f"HTTP {status}"

    def refusal(self, error: Exception) -> bool:
        """No error of HTTP's is a refusal: those are statuses."""
        return False

    def alive(self) -> None:
        """Get in as the app."""
        self._ask(*self.probe.login("app"))

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried."""
        return [
            Attempt(name, title, "curl -u LOGIN:PASSWORD http://HOST:PORT/cgi-bin/word", partial(self._ask, *login))
            for name, title, login in (
                ("no_password", "Nobody gets in without a password", (self.login("app"), "")),
                ("wrong_password", "A wrong password is refused", (self.login("app"), wrong_password())),
                ("unknown_login", "A login that there is not is refused", ("other", wrong_password())),
            )
        ]
