# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Security probe of the gateway before ChromaDB, over HTTPS.

By the standard library, so that nothing is put right on the way.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping, Sequence
from contextlib import closing

from ...security.attempt import Attempt, RefusedError
from ...security.probe import FOREIGN_HOST, SecurityProbe, wrong_password

_HEARTBEAT = "/api/v2/heartbeat"


class GatewaySecurityProbe(SecurityProbe):
    """What it lets through without its token, or past ChromaDB's own API."""

    def _status(self, path: str, headers: Mapping[str, str], method: str = "GET") -> int:
        host, port = self.probe.address("https")
        client = http.client.HTTPSConnection(host, port, timeout=self.probe.timeout, context=self.probe.context())
        with closing(client):
            client.request(method, path, headers=dict(headers))
            answer = client.getresponse()
            answer.read(65536)
            return answer.status

    def _bearer(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def refusal(self, error: Exception) -> bool:
        """No error of HTTP's is a refusal: those are statuses."""
        return False

    def alive(self) -> None:
        """Get through with the token."""
        status = self._status(_HEARTBEAT, self._bearer(self.probe.login("app")[1]))
        if status != 200:
            raise ConnectionError(f"HTTP {status} with the token")

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried."""

        def get(path: str, headers: Mapping[str, str], refusals: set[int], method: str = "GET") -> str:
            status = self._status(path, headers, method)
            if status in refusals:
                raise RefusedError(f"HTTP {status}")
            return f"HTTP {status}"

        def with_token(path: str, refusals: set[int], method: str = "GET", **headers: str) -> str:
            return get(path, self._bearer(self.probe.login("app")[1]) | headers, refusals, method)

        curl = "curl --cacert CA https://HOST:PORT"
        return [
            Attempt(
                "no_password",
                "Nobody gets through without the token",
                f"{curl}{_HEARTBEAT}",
                lambda: get(_HEARTBEAT, {}, {401}),
            ),
            Attempt(
                "wrong_password",
                "A wrong token is refused",
                f"{curl}{_HEARTBEAT} -H 'Authorization: Bearer wrong'",
                lambda: get(_HEARTBEAT, self._bearer(wrong_password()), {401}),
            ),
            Attempt(
                "foreign_host",
                "A web page under its own name, made to lead here (DNS rebinding), gets nothing without the token",
                f"{curl}{_HEARTBEAT} -H 'Host: {FOREIGN_HOST}'",
                lambda: get(_HEARTBEAT, {"Host": FOREIGN_HOST}, {401}),
            ),
            Attempt(
                "beyond_api",
                "Nothing but ChromaDB's API is forwarded, with the token either",
                f"{curl}/docs -H 'Authorization: Bearer TOKEN'",
                lambda: with_token("/docs", {404}),
            ),
            Attempt(
                "other_method",
                "Methods that the API does not have are refused",
                f"{curl}{_HEARTBEAT} -X TRACE -H 'Authorization: Bearer TOKEN'",
                lambda: with_token(_HEARTBEAT, {405}, "TRACE"),
            ),
        ]
