# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Security probe of the AI service through its gateway. The standard library, so that nothing is put right on the way.

That prompts and answers are in no log can't be seen from here, where no log is read: tests look for them.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

from ...security.attempt import Attempt, RefusedError
from ...security.probe import FOREIGN_HOST, SecurityProbe, wrong_password
from .client import error_code
from .faults import status_fault
from .probe import UNDECIDED, AIProbe

_MODELS, _CHAT = "/v1/models", "/v1/chat/completions"
#: What llama.cpp's server has beside the API: other people's prompts, figures, the server's own settings.
_BEYOND = (
    "/slots",
    "/metrics",
    "/props",
    "/completion",
    "/health",
    "/v1/health",
    "/",
    "/v1/slots",
    "/v1/../slots",
    "/v1/models/../../slots",
    "/v1/%2e%2e/slots",
    "//slots",
)
_METHODS = ("TRACE", "DELETE", "PUT", "OPTIONS", "CONNECT")
#: Bytes of an answer that are looked at.
_MOST = 4096
_ORIGIN = f"https://{FOREIGN_HOST}"


class AISecurityProbe(SecurityProbe):
    """What it lets through without the key of an account, or past the API.

    An endpoint elsewhere is not ours to attack: it is asked without a key and with a wrong one alone.
    """

    probe: AIProbe

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self.probe.address("api")
        if self.probe.tls:
            return http.client.HTTPSConnection(host, port, timeout=self.probe.timeout, context=self.probe.context())
        return http.client.HTTPConnection(host, port, timeout=self.probe.timeout)

    def _answer(
        self, path: str, headers: Mapping[str, str], method: str = "GET"
    ) -> tuple[int, http.client.HTTPMessage]:
        """Return status and headers of the answer to a request without a body. Raises CheckError if undecided."""
        with closing(self._connection()) as client:
            client.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in headers.items():
                client.putheader(name, value)
            client.endheaders()
            answer = client.getresponse()
            if answer.status in UNDECIDED:  # it neither got through nor was refused for what it is
                wait = answer.headers.get("retry-after", "")
                raise status_fault(answer.status, error_code(answer.read(_MOST)), wait, path, self.probe.steps)
            return answer.status, answer.headers

    def _bearer(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def _allowed(self) -> dict[str, str]:
        """Return the key of Ready's own checks: the applications' limit is left to them."""
        return self._bearer(self.probe.login(self.probe.payer)[1])

    def refusal(self, error: Exception) -> bool:
        """No error of HTTP's is a refusal: those are statuses."""
        return False

    def alive(self) -> None:
        """Get through with a valid key."""
        with self.probe.http(self.probe.login(self.probe.payer)[1]) as client:
            self.probe.ping(client)

    def _refused(self, path: str, headers: Mapping[str, str], refusals: Iterable[int], method: str = "GET") -> str:
        status, _ = self._answer(path, headers, method)
        if status in refusals:
            raise RefusedError(f"HTTP {status}")
        return f"HTTP {status}"

    def _elsewhere(self, key: str | None) -> str:
        status = self.probe.refusal(key)
        if status in {401, 403}:
            raise RefusedError(f"HTTP {status}")
        return f"HTTP {status}"

    def _all_refused(self, requests: Mapping[str, tuple[str, str]], refusals: Iterable[int]) -> str:
        """Return what got through with a valid key: name -> (path, method). Raises RefusedError if nothing did."""
        statuses = {name: self._answer(path, self._allowed(), method)[0] for name, (path, method) in requests.items()}
        through = [f"{name}: HTTP {status}" for name, status in statuses.items() if status not in refusals]
        if not through:
            raise RefusedError(f"HTTP {', '.join(sorted(str(status) for status in set(statuses.values())))}")
        return "; ".join(through)

    def _internal_key(self) -> str:
        key = self.probe.passwords.get("server")
        if not key:
            raise LookupError("the key between gateway and model server is not known here")
        return self._refused(_MODELS, self._bearer(key), {401})

    def _too_large(self) -> str:
        """Say that more is coming than the gateway takes, and send none of it."""
        most = int(self.probe.service["gateway"]["body_bytes"])
        return self._refused(_CHAT, {**self._allowed(), "Content-Length": str(most + 1)}, {413}, "POST")

    def _endless(self) -> str:
        """Begin a body that has no length, and send none of it."""
        return self._refused(_CHAT, {**self._allowed(), "Transfer-Encoding": "chunked"}, {411, 413}, "POST")

    def _web_page(self) -> str:
        _, headers = self._answer(_MODELS, {**self._allowed(), "Origin": _ORIGIN})
        if (allowed := headers.get("Access-Control-Allow-Origin")) in {"*", _ORIGIN}:
            return f"Access-Control-Allow-Origin: {allowed}"
        raise RefusedError(f"Access-Control-Allow-Origin: {allowed or 'absent'}")

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried."""
        curl = "curl --cacert CA https://HOST:PORT"
        key = "-H 'Authorization: Bearer KEY'"
        if self.probe.external:
            curl = 'curl BASE_URL/chat/completions -d \'{"model": "MODEL", "messages": [], "max_tokens": 1}\''
            return [
                Attempt("no_password", "Nobody is answered without a key", curl, lambda: self._elsewhere(None)),
                Attempt(
                    "wrong_password",
                    "A wrong key is refused",
                    f"{curl} -H 'Authorization: Bearer wrong'",
                    lambda: self._elsewhere(wrong_password()),
                ),
            ]
        own = len(self.probe.passwords.get("app", "")) or 32
        return [
            Attempt(
                "no_password",
                "Nobody gets through without a key",
                f"{curl}{_MODELS}",
                lambda: self._refused(_MODELS, {}, {401}),
            ),
            Attempt(
                "wrong_password",
                "A wrong key is refused",
                f"{curl}{_MODELS} -H 'Authorization: Bearer wrong'",
                lambda: self._refused(_MODELS, self._bearer(wrong_password()), {401}),
            ),
            Attempt(
                "foreign_key",
                "A key of another stack is refused: one of the same form that is nobody's here",
                f"{curl}{_MODELS} -H 'Authorization: Bearer KEY_OF_ANOTHER_STACK'",
                lambda: self._refused(_MODELS, self._bearer((wrong_password() * own)[:own]), {401}),
            ),
            Attempt(
                "internal_key",
                "The key between gateway and model server opens nothing from outside",
                f"{curl}{_MODELS} -H 'Authorization: Bearer KEY_OF_server'",
                self._internal_key,
            ),
            Attempt(
                "foreign_host",
                "A web page under its own name, made to lead here (DNS rebinding), gets nothing without a key",
                f"{curl}{_MODELS} -H 'Host: {FOREIGN_HOST}'",
                lambda: self._refused(_MODELS, {"Host": FOREIGN_HOST}, {401}),
            ),
            Attempt(
                "web_page",
                "No web page of another origin can read its answers",
                f"{curl}{_MODELS} -i {key} -H 'Origin: {_ORIGIN}'",
                self._web_page,
            ),
            Attempt(
                "beyond_api",
                "Nothing of the model server but the API is forwarded, with a key either",
                f"{curl}/slots --path-as-is {key}; as well {', '.join(_BEYOND[1:])}",
                lambda: self._all_refused({path: (path, "GET") for path in _BEYOND}, {400, 404}),
            ),
            Attempt(
                "other_method",
                "Methods that the API does not have are refused",
                f"{curl}{_MODELS} -X TRACE {key}; as well {', '.join(_METHODS[1:])}",
                lambda: self._all_refused({method: (_MODELS, method) for method in _METHODS}, {400, 405}),
            ),
            Attempt(
                "too_large",
                "A request beyond the limit of its size is refused before it is sent",
                f"{curl}{_CHAT} {key} -H 'Content-Length: 999999999' -X POST",
                self._too_large,
            ),
            Attempt(
                "endless",
                "A request without a length is refused before it is sent",
                f"{curl}{_CHAT} {key} -H 'Transfer-Encoding: chunked' -X POST",
                self._endless,
            ),
        ]
