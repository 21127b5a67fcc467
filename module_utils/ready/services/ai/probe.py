# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AI service, asked by the openai client: the stack's own models behind their gateway, or an endpoint elsewhere."""

from __future__ import annotations

import math
import secrets
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx

from ...checks.probe import FaultError, Probe, UnknownError
from ...common.addresses import host_port
from ...common.tls_client import client_context
from ...stack.external import is_near
from .client import (
    TOKENS,
    Completion,
    Endpoint,
    ask,
    complete,
    embed,
    error_code,
    expect_content,
    expect_whole,
    listed,
    open_client,
    within,
)
from .faults import ENDPOINT, EXTERNAL, LOCAL, OURS, network_fault, status_fault

if TYPE_CHECKING:
    from openai import OpenAI

T = TypeVar("T")
#: Seconds for a whole completion; with both processors busy 16 tokens took 0.6 s.
ANSWER_SECONDS = 10.0
#: Any model can go on with this for longer than it is asked to.
PROMPT = "Count from 1 to 30, separated by commas."
#: A sentence, and others by how near they are to it, the nearest first.
SENTENCE = "A cat sleeps on the sofa."
NEIGHBOURS = (
    "A kitten naps on the couch.",
    "A dog lies on the carpet.",
    "The train to Vienna leaves at noon.",
)
#: Requests without a 429 after which the account `throttle` has no small limit.
_MOST = 50
_LIMIT, _REMAINING, _RESET = (f"x-ratelimit-{part}-requests" for part in ("limit", "remaining", "reset"))
#: Statuses by which a request was neither let through nor refused: too many of them, or the service behind is ill.
UNDECIDED = (429, 502, 503, 504)
#: The code of a 429 that the limit of a key is used up; by the same status a gateway refuses for other reasons.
_LIMIT_MET = "rate_limit_exceeded"
#: What the account with a small limit is called, and the one that pays for what costs.
THROTTLE, MONITOR = "throttle", "monitor"


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how near two vectors are: 1 for the same direction."""
    norms = math.sqrt(sum(value * value for value in one) * sum(value * value for value in other))
    return sum(first * second for first, second in zip(one, other, strict=True)) / norms if norms else 0.0


class AIProbe(Probe):
    """Checks: `connectivity` (models, keys), `completion` (streamed), `embedding` (neighbours), `rate_limit`.

    Of an endpoint elsewhere (`backend: external`) no 429 is provoked, and each check says how many tokens it may take.
    """

    checks: tuple[str, ...] = ("connectivity", "completion", "embedding", "rate_limit")

    def __init__(
        self, service: Mapping[str, Any], passwords: Mapping[str, str], timeout: float = 5.0, ca: str | None = None
    ) -> None:
        self.external = service.get("backend") == "external"
        super().__init__({**service, "tls": {}} if self.external else service, passwords, timeout, ca)
        self.steps = EXTERNAL if self.external else LOCAL
        #: Parameters of a completion; models of OpenAI's that reason want another name for the limit.
        self.options: dict[str, Any] = {"max_tokens": TOKENS}
        if not self.external:
            self.options["temperature"] = 0  # the same words each time

    def address(self, port: str) -> tuple[str, int]:
        """Return host and port to connect to, elsewhere those of the base URL."""
        if not self.external:
            return super().address(port)
        url = urlsplit(str(self.service["base_url"]))
        return str(url.hostname), url.port or (443 if url.scheme == "https" else 80)

    def login(self, account: str) -> tuple[str, str]:
        """Return user and key of an account. Raises CheckError when its key is unknown."""
        if self.external and account not in self.passwords:
            raise FaultError(OURS, "the key of the endpoint", "none", "the provider's", self.steps.key)
        return super().login(account)

    def has(self, kind: str) -> bool:
        """Return whether there is a model, `chat` or `embedding`."""
        return bool(self.service.get("models", {}).get(kind))

    def model(self, kind: str) -> str:
        """Return the name to ask a model by, `chat` or `embedding`: on Azure its deployment's."""
        if not self.has(kind):
            raise UnknownError(f"the settings name no model for {kind}")
        its = self.service["models"][kind]
        return str(its.get("deployment") or its["name"])

    @property
    def payer(self) -> str:
        """The account for what costs time or tokens."""
        return MONITOR if MONITOR in self.service["accounts"] else "app"

    @property
    def endpoint(self) -> Endpoint:
        """Where the API is."""
        if self.external:
            base, proxy = str(self.service["base_url"]).rstrip("/"), str(self.service.get("proxy") or "")
            context = client_context(self.ca) if self.ca else ssl.create_default_context()
            url = urlsplit(base)
            return Endpoint(
                base,
                context if url.scheme == "https" else False,
                not proxy and not is_near(str(url.hostname)),
                str(self.service.get("api_version") or ""),
                self.steps,
                proxy,
            )
        host, port = self.address("api")
        scheme = "https" if self.tls else "http"
        path = urlsplit(str(self.service.get("base_url", ""))).path.rstrip("/") or "/v1"
        return Endpoint(
            f"{scheme}://{host_port(host, port)}{path}", self.context() if self.tls else False, False, "", self.steps
        )

    def connect(self, account: str = "app") -> OpenAI:
        """Return an openai client of an account."""
        return open_client(self.endpoint, self.login(account)[1], self.timeout)

    def http(self, key: str | None) -> httpx.Client:
        """Return a plain HTTP client with a key, or without one; it asks `self.models_url`."""
        endpoint = self.endpoint
        name, value = ("api-key", "{}") if endpoint.api_version else ("Authorization", "Bearer {}")
        headers = {} if key is None else {name: value.format(key)}
        return httpx.Client(
            headers=headers,
            verify=endpoint.verify,
            timeout=self.timeout,
            trust_env=endpoint.proxies,
            proxy=endpoint.proxy or None,
        )

    def url(self, path: str) -> str:
        """Return the address of a path of the API, such as /models."""
        endpoint = self.endpoint
        if not endpoint.api_version:
            return endpoint.base_url + path
        return f"{endpoint.base_url}/openai{path}?api-version={endpoint.api_version}"

    def ask(
        self, call: Callable[[OpenAI], T], asked: str, account: str | None = None, seconds: float | None = None
    ) -> T:
        """Return what a call of the openai client returns, over a separate connection. Raises CheckError."""
        client = self.connect(account or self.payer)
        try:
            return ask(client, call, asked, seconds or self.timeout, self.steps)
        finally:
            client.close()

    def complete(self, client: OpenAI, prompt: str) -> Completion:
        """Return a streamed completion of the chat model. Raises as openai does, or CheckError."""
        import openai

        try:
            return complete(client, self.model("chat"), prompt, self.steps, self.options)
        except openai.BadRequestError as error:
            if error.code != "unsupported_parameter" or "max_tokens" not in self.options:
                raise
        self.options = {"max_completion_tokens": TOKENS}
        return complete(client, self.model("chat"), prompt, self.steps, self.options)

    def open(self) -> httpx.Client:
        """Return an HTTP client with the app's key; the openai client takes half a second to load."""
        return self.http(self.login("app")[1])

    def ping(self, connection: httpx.Client) -> Mapping[str, Any]:
        """Ask for the list of models, which costs no tokens."""
        asked = "the list of models"
        try:
            answer = within(self.timeout, lambda: connection.get(self.url("/models")), connection.close)
        except Exception as error:
            raise network_fault(error, asked, self.steps) from error
        if answer.status_code != 200:
            raise self._status_fault(answer, asked)
        expect_content(answer.headers, "application/json", asked, self.steps)
        try:
            names = [str(item["id"]) for item in answer.json()["data"]]
        except (ValueError, LookupError, TypeError) as error:
            raise network_fault(error, asked, self.steps) from error
        self._expect_models(names)
        return {"models": len(names)}

    def _status_fault(self, answer: httpx.Response, asked: str) -> FaultError:
        wait = answer.headers.get("retry-after", "")
        return status_fault(answer.status_code, error_code(answer.content), wait, asked, self.steps)

    def _expect_models(self, names: Sequence[str]) -> None:
        """Raise CheckError unless the configured models are listed; Azure lists no deployments."""
        if self.endpoint.api_version:
            return
        kinds = [kind for kind in ("chat", "embedding") if self.has(kind)]
        missing = [name for name in map(self.model, kinds) if name not in names]
        if missing:
            found = ", ".join(names[:5]) or "none"
            expected = f"{' and '.join(missing)} among them"
            raise FaultError(OURS, "the list of models", found, expected, self.steps.model)

    def models_by(self, client: OpenAI) -> list[str]:
        """Return the models that a client lists, the configured ones among them. Raises CheckError."""
        asked = "the list of models"
        names, _ = ask(client, lambda its: listed(its, self.steps), asked, self.timeout, self.steps)
        self._expect_models(names)
        return names

    def connectivity(self) -> Mapping[str, Any]:
        """List the models with a key; without one, and with a wrong one, nothing is answered."""
        client = self.connect("app")
        try:
            names = self.models_by(client)
        finally:
            client.close()
        for what, key in (("without a key", None), ("with a wrong key", secrets.token_hex(24))):
            status = self.refusal(key)
            if status not in ({401, 403} if self.external else {401}):
                expected = "HTTP 401"
                raise FaultError(ENDPOINT, f"a request {what}", f"HTTP {status}", expected, self.steps.endpoint)
        return {"models": len(names)}

    def refusal(self, key: str | None) -> int:
        """Return the status of a request with a key that is nobody's, or without one.

        Raises CheckError where nothing was decided about the key: a limit was met before, or the endpoint is ill.
        Elsewhere the list of models may be public, so a completion of one token is asked for there.
        """
        asked = "a request without a valid key"

        def call(client: httpx.Client) -> httpx.Response:
            if not self.external:
                return client.get(self.url("/models"))
            name = self.model("chat")
            path = f"/deployments/{name}/chat/completions" if self.endpoint.api_version else "/chat/completions"
            body = {"model": name, "messages": [{"role": "user", "content": "1"}], "max_tokens": 1}
            return client.post(self.url(path), json=body)

        with self.http(key) as client:
            try:
                answer = within(self.timeout, partial(call, client), client.close)
            except Exception as error:
                raise network_fault(error, asked, self.steps) from error
        if answer.status_code in UNDECIDED:
            raise self._status_fault(answer, asked)
        return answer.status_code

    def completion(self) -> Mapping[str, Any]:
        """Stream a completion; what the model does at its first request only is over by then."""
        asked = f"a completion of {self.model('chat')}"

        def call(client: OpenAI) -> Completion:
            if not self.external:
                self.complete(client, PROMPT)
            return self.complete(client, PROMPT)

        found = self.ask(call, asked, seconds=ANSWER_SECONDS)
        expect_whole(found, asked, self.steps)
        return {
            "first_token_seconds": round(found.first_seconds, 4),
            "total_seconds": round(found.seconds, 4),
            "completion_tokens": found.tokens,
            "prompt_tokens": found.prompt_tokens,
            "limit_tokens": TOKENS,
            "finish_reason": found.finish,
        }

    def embedding(self) -> Mapping[str, Any]:
        """Embed sentences, and find the neighbours of one in their order."""
        model = self.model("embedding")
        asked = f"embeddings of {model}"
        texts = [SENTENCE, *NEIGHBOURS]
        vectors, _ = self.ask(lambda client: embed(client, model, texts, self.steps), asked)
        sizes = sorted({len(vector) for vector in vectors})
        wanted = self.service["models"]["embedding"].get("dimensions") or sizes[0]
        if len(vectors) != len(texts) or sizes != [wanted]:
            seen = f"{len(vectors)} vectors of {' and '.join(map(str, sizes))} dimensions"
            alike = len(vectors) == len(texts) and len(sizes) == 1
            whose = OURS if self.external and alike else ENDPOINT  # there the number is the inventory's word alone
            raise FaultError(whose, asked, seen, f"{len(texts)} of {wanted}", self.steps.dimensions)
        near = [round(cosine(vectors[0], vector), 4) for vector in vectors[1:]]
        if near != sorted(near, reverse=True) or len(set(near)) < len(near):
            order = " > ".join(str(number) for _, number in sorted(zip(near, count(1), strict=False), reverse=True))
            raise FaultError(ENDPOINT, asked, f"the neighbours in the order {order}", "1 > 2 > 3", self.steps.endpoint)
        return {"dimensions": sizes[0], "texts": len(texts), "nearest_cosine": near[0], "farthest_cosine": near[-1]}

    def rate_limit(self) -> Mapping[str, Any]:
        """Read the limit from an answer; with an account that has a small one, go beyond it on purpose."""
        if self.external:
            return self._limits_elsewhere()
        asked = "the limit of requests"
        _, headers = self.ask(lambda client: listed(client, self.steps), asked, "app")
        limits = self._limits(headers, "the account app")
        if "rate" in self.service and limits[0] != (wanted := int(self.service["rate"]["requests"])):
            raise FaultError(ENDPOINT, asked, f"{limits[0]} requests of one key", str(wanted), "./ready up")
        sent, refused = self._until_refused()
        retry = refused.get("retry-after", "")
        if not retry.isdigit() or int(retry) < 1:
            found = f"a 429 with Retry-After {retry[:10]}" if retry else "a 429 without Retry-After"
            raise FaultError(ENDPOINT, asked, found, "seconds to wait", self.steps.endpoint)
        small = self._limits(refused, f"the account {THROTTLE}")
        if small[1]:
            found = f"a 429 ({_LIMIT_MET}) with {small[1]} requests left"
            raise FaultError(ENDPOINT, asked, found, "none left", self.steps.endpoint)
        # One key's limit is no other's.
        self.ask(lambda client: listed(client, self.steps), f"{asked}, of the app beside {THROTTLE}", "app")
        return {
            "limit_requests": limits[0],
            "remaining_requests": limits[1],
            f"{THROTTLE}_limit_requests": small[0],
            f"{THROTTLE}_sent_requests": sent,
            "retry_after_seconds": int(retry),
        }

    def _limits(self, headers: Mapping[str, str], whose: str) -> tuple[int, int]:
        """Return limit and remaining requests. Raises CheckError where an answer does not say them."""
        asked, step = "the limit of requests", self.steps.endpoint
        absent = [name for name in (_LIMIT, _REMAINING, _RESET) if not headers.get(name)]
        if absent:
            found = f"an answer to {whose} without {', '.join(absent)}"
            raise FaultError(ENDPOINT, asked, found, "them", step)
        if words := [name for name in (_LIMIT, _REMAINING) if not headers[name].isdigit()]:
            raise FaultError(ENDPOINT, asked, f"no number in {' and '.join(words)}", "one", step)
        return int(headers[_LIMIT]), int(headers[_REMAINING])

    def _until_refused(self) -> tuple[int, Mapping[str, str]]:
        """Return how many requests it took to be refused, and the refusal's headers.

        Raises as `ask` does what a 429 of another reason says: it is not the limit that was met on purpose.
        """
        import openai

        def call(client: OpenAI) -> tuple[int, Mapping[str, str]]:
            for number in range(1, _MOST + 1):
                try:
                    listed(client, self.steps)
                except openai.RateLimitError as error:
                    if error.code != _LIMIT_MET:
                        raise
                    return number, error.response.headers
            return 0, {}

        asked = f"requests beyond the limit of the account {THROTTLE}"
        sent, headers = self.ask(call, asked, THROTTLE, ANSWER_SECONDS)
        if not sent:
            found, expected = f"{_MOST} requests of the account {THROTTLE} answered", "HTTP 429 before"
            raise FaultError(ENDPOINT, "the limit of requests", found, expected, "./ready up")
        return sent, headers

    def _limits_elsewhere(self) -> Mapping[str, Any]:
        """Return what the answer to a small request says about limits; none is met on purpose."""
        asked = "the limit of requests"
        found = self.ask(lambda client: self.complete(client, "1"), asked, seconds=ANSWER_SECONDS)
        headers = found.headers
        stated = {name: value for name in (_LIMIT, _REMAINING, _RESET) if (value := headers.get(name))}
        if _LIMIT not in stated:
            raise UnknownError("the endpoint tells no limit of requests (no x-ratelimit headers), and none is provoked")
        keys = {_LIMIT: "limit_requests", _REMAINING: "remaining_requests", _RESET: "reset"}
        return {
            **{keys[name]: value for name, value in stated.items()},
            "completion_tokens": found.tokens,
            "prompt_tokens": found.prompt_tokens,
            "limit_tokens": TOKENS,
        }
