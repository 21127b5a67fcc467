# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Security probe of ChromaDB, over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence

from ...security.attempt import Attempt, RefusedError
from ...security.probe import FOREIGN_HOST, SecurityProbe
from .probe import ChromaDBProbe

_ORIGIN = "https://attacker.invalid"
_PAGE = "/api/v2/auth/identity"


class ChromaDBSecurityProbe(SecurityProbe):
    """It has no authentication: what matters is who can reach it, a web page in a browser among them.

    That a reset is refused is not tried, because one that succeeds takes all data: the configuration is read instead.
    """

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str], str]:
        host, port = self.probe.address("http")
        connection = http.client.HTTPConnection(host, port, timeout=self.probe.timeout)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, names, answer.read(65536).decode(errors="replace")
        finally:
            connection.close()

    def refusal(self, error: Exception) -> bool:
        """No error of HTTP's is a refusal: those are statuses."""
        return False

    def alive(self) -> None:
        """Ask whether it is ready, through the client that knows how to get there."""
        assert isinstance(self.probe, ChromaDBProbe)  # by SECURITY_PROBES
        self.probe.connect().heartbeat()

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried."""

        def old_api() -> str:
            status, _, _ = self._get("/api/v1/heartbeat")
            if status in {404, 405, 410}:
                raise RefusedError(f"HTTP {status}")
            return f"HTTP {status}"

        def web_page() -> str:
            _, headers, _ = self._get("/api/v2/heartbeat", {"Origin": _ORIGIN})
            if (allowed := headers.get("access-control-allow-origin")) in {"*", _ORIGIN}:
                return f"Access-Control-Allow-Origin: {allowed}"
            raise RefusedError(f"Access-Control-Allow-Origin: {allowed or 'absent'}")

        def foreign_host() -> str:
            own, _, _ = self._get(_PAGE)
            if own != 200:
                raise LookupError(f"{_PAGE}: found HTTP {own} under its own name, expected 200")
            # Without an Origin, as a browser asks the host that a page came from: that name may lead here by now.
            status, _, _ = self._get(_PAGE, {"Host": FOREIGN_HOST})
            if status in {400, 403, 404, 421}:
                raise RefusedError(f"HTTP {status}")
            return f"HTTP {status} under the name {FOREIGN_HOST}"

        def reset() -> str:
            if json.loads(self.configuration()["config.yaml"]).get("allow_reset", False):
                return "allow_reset is true: POST /api/v2/reset would remove everything"
            raise RefusedError("allow_reset is false in the configuration")

        def unauthenticated() -> str:
            status, _, body = self._get(_PAGE)
            if status in {401, 403}:
                raise RefusedError(f"HTTP {status}")
            user = json.loads(body).get("user_id", "") if status == 200 else ""
            return f"HTTP {status}, as the user {user!r}"

        curl = "curl http://HOST:PORT"
        return [
            Attempt(
                "no_password",
                "Nobody beyond this machine gets in without a password",
                f"{curl}{_PAGE}",
                unauthenticated,
                "refused, or published on loopback alone",
            ),
            Attempt("old_api", "The API before 1.0 is gone", f"{curl}/api/v1/heartbeat", old_api),
            Attempt(
                "reset",
                "Nobody can empty it by one request",
                "docker exec CONTAINER cat /run/ready/config.yaml; where there are no data: "
                "curl -X POST http://HOST:PORT/api/v2/reset",
                reset,
            ),
            Attempt(
                "web_page",
                "No web page of another origin can read it",
                f"curl -i -H 'Origin: {_ORIGIN}' http://HOST:PORT/api/v2/heartbeat",
                web_page,
            ),
            Attempt(
                "foreign_host",
                "No web page gets in under its own name, made to lead here (DNS rebinding)",
                f"curl -i -H 'Host: {FOREIGN_HOST}' http://HOST:PORT{_PAGE}",
                foreign_host,
            ),
        ]
