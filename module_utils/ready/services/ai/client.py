# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked of an endpoint with the OpenAI API, each answer under a deadline for the whole of it."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ...checks.probe import CheckError, FaultError
from .faults import ENDPOINT, LateError, Steps, content_fault, network_fault, status_fault

if TYPE_CHECKING:
    from openai import OpenAI

T = TypeVar("T")
#: Tokens that a completion must have, and no more are asked for.
TOKENS = 16
#: Pieces of text after which an endpoint does not keep to that, and is not listened to.
_MOST_PIECES = 2 * TOKENS
_JSON, _EVENTS = "application/json", "text/event-stream"


@dataclass(frozen=True)
class Endpoint:
    """Where an API is, and how to get there.

    Attributes:
        base_url: what paths such as /models are appended to; on Azure the resource's address.
        verify: what its certificate is verified with; False for plain HTTP.
        proxies: whether the environment's proxies are asked for it.
        proxy: URL of the one that is, whatever the environment has; "" for none.
        api_version: of Azure; "" for any other API.
        steps: the next step for each kind of fault.
    """

    base_url: str
    verify: ssl.SSLContext | bool
    proxies: bool
    api_version: str
    steps: Steps
    proxy: str = ""


@dataclass(frozen=True)
class Completion:
    """A streamed completion.

    Attributes:
        text: what the model wrote.
        tokens: how many it generated; of an endpoint that does not count, how many pieces came.
        prompt_tokens: how many it was asked with; 0 where it does not count.
        first_seconds: until the first piece of text or the answer's end.
        seconds: until the end.
        finish: why it ended.
        headers: the answer's.
    """

    text: str
    tokens: int
    prompt_tokens: int
    first_seconds: float
    seconds: float
    finish: str
    headers: Mapping[str, str]


def within(seconds: float, call: Callable[[], T], give_up: Callable[[], object]) -> T:
    """Return what a call returns. Raises what it raises, and LateError when it has not ended in time.

    A timeout of the driver is for each piece of an answer: one that drips would never end. Nor is there one for names.

    Args:
        seconds: for the whole of it.
        call: runs in a separate daemon thread.
        give_up: called when it is late; ends the call's connection, and its thread with that.
    """
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(call())
        except BaseException as error:  # raised below, where it is waited for
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if returned:
        return returned[0]
    if raised:
        raise raised[0]
    give_up()
    raise LateError(f"no whole answer within {seconds:g} s")


def open_client(endpoint: Endpoint, key: str, timeout: float) -> OpenAI:
    """Return the openai client, without its retries: they would hide what is looked for.

    Args:
        endpoint: where.
        key: the account's.
        timeout: seconds for each step.
    """
    import httpx2
    import openai  # half a second, which a cheap round does without

    http = httpx2.Client(
        verify=endpoint.verify, trust_env=endpoint.proxies, proxy=endpoint.proxy or None, timeout=timeout
    )
    if endpoint.api_version:
        return openai.AzureOpenAI(
            azure_endpoint=endpoint.base_url,
            api_version=endpoint.api_version,
            api_key=key,
            max_retries=0,
            timeout=timeout,
            http_client=http,
        )
    return openai.OpenAI(base_url=endpoint.base_url, api_key=key, max_retries=0, timeout=timeout, http_client=http)


def ask(client: OpenAI, call: Callable[[OpenAI], T], asked: str, seconds: float, steps: Steps) -> T:
    """Return what a call returns; whatever goes wrong is a CheckError that says whose fault it is.

    Args:
        client: of `open_client`; it is closed where the answer is late.
        call: what to ask.
        asked: the same in words.
        seconds: for the whole answer.
        steps: the next steps.
    """
    try:
        return within(seconds, lambda: call(client), client.close)
    except LateError as error:
        raise network_fault(error, asked, steps) from None
    except CheckError:
        raise
    except Exception as error:
        raise as_fault(error, asked, steps) from error


def as_fault(error: Exception, asked: str, steps: Steps) -> FaultError:
    """Return what an error of the openai client says, in one line and without the endpoint's own text."""
    import openai

    if isinstance(error, openai.APIStatusError):
        headers = error.response.headers
        return status_fault(error.status_code, str(error.code or ""), headers.get("retry-after", ""), asked, steps)
    return network_fault(error, asked, steps)


def expect_content(headers: Mapping[str, str], expected: str, asked: str, steps: Steps) -> None:
    """Raise CheckError unless an answer is of the kind that was asked for."""
    if not (found := headers.get("content-type", "")).startswith(expected):
        raise content_fault(found, expected, asked, steps)


def listed(client: OpenAI, steps: Steps) -> tuple[list[str], Mapping[str, str]]:
    """Return the models that an endpoint lists, and the answer's headers. Raises as openai does, or CheckError."""
    answer = client.models.with_raw_response.list()
    expect_content(answer.headers, _JSON, "the list of models", steps)
    page = answer.parse()
    names = [str(model.id) for model in page.data or []]
    return names, answer.headers


def complete(client: OpenAI, model: str, prompt: str, steps: Steps, options: Mapping[str, Any]) -> Completion:
    """Return a streamed completion. Raises as openai does, or CheckError.

    Args:
        client: of `open_client`.
        model: its name, on Azure the deployment's.
        prompt: what the user says.
        steps: the next steps.
        options: further parameters; the limit of `TOKENS` is among them, under the name that the endpoint knows.
    """
    asked = f"a completion of {model}"
    started = time.perf_counter()
    answer = client.chat.completions.with_raw_response.create(
        model=model,
        messages=[{"role": "user", "content": prompt}],
        stream=True,
        stream_options={"include_usage": True},
        **options,
    )
    expect_content(answer.headers, _EVENTS, asked, steps)
    pieces: list[str] = []
    first = 0.0
    finish, counted = "", None
    with answer.parse() as stream:
        for event in stream:
            for choice in event.choices:
                if choice.delta.content:
                    first = first or time.perf_counter() - started
                    pieces.append(choice.delta.content)
                finish = choice.finish_reason or finish
            counted = event.usage or counted
            if len(pieces) > _MOST_PIECES:  # each of them may be paid for
                found = f"over {_MOST_PIECES} tokens"
                raise FaultError(ENDPOINT, asked, found, f"{TOKENS} as asked", steps.endpoint)
    seconds = time.perf_counter() - started
    if not finish:
        found = f"a stream that ends after {len(pieces)} pieces of text"
        raise FaultError(ENDPOINT, asked, found, "its last event", steps.endpoint)
    return Completion(
        "".join(pieces),
        counted.completion_tokens if counted else len(pieces),
        counted.prompt_tokens if counted else 0,
        first or seconds,
        seconds,
        finish,
        dict(answer.headers),
    )


def expect_whole(found: Completion, asked: str, steps: Steps) -> None:
    """Raise FaultError unless a completion is as long as it was to be, and has text: a short one takes less time."""
    if found.tokens < TOKENS:
        seen = f"{found.tokens} tokens ({found.finish})"
        raise FaultError(ENDPOINT, asked, seen, f"at least {TOKENS}", steps.endpoint)
    if not found.text.strip():
        seen = f"{found.tokens} tokens without text ({found.finish})"
        expected = f"text; a model that reasons first writes none within {TOKENS} tokens"
        raise FaultError(ENDPOINT, asked, seen, expected, steps.endpoint)


def error_code(body: bytes) -> str:
    """Return the error's code in the JSON of an answer that refuses, "" where it has none."""
    try:
        code = json.loads(body)["error"]["code"]
    except (ValueError, LookupError, TypeError):
        return ""
    return code if isinstance(code, str) else ""


def embed(client: OpenAI, model: str, texts: Sequence[str], steps: Steps) -> tuple[list[list[float]], int]:
    """Return the vector of each text, in their order, and the tokens that it took; 0 where the endpoint does not count.

    Raises as openai does, or CheckError.
    """
    answer = client.embeddings.with_raw_response.create(model=model, input=list(texts))
    expect_content(answer.headers, _JSON, f"embeddings of {model}", steps)
    found = answer.parse()
    return [item.embedding for item in sorted(found.data, key=lambda item: item.index)], _total(found.usage)


def _total(usage: Any) -> int:
    return int(getattr(usage, "total_tokens", None) or 0)


def choose(
    client: OpenAI, model: str, instruction: str, text: str, labels: Sequence[str], limit: int
) -> tuple[str, int]:
    """Return the model's answer when its form is a JSON object {"label": one of `labels`}, and the tokens that it took.

    Raises as openai does.
    """
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "system", "content": instruction}, {"role": "user", "content": text}],
        response_format={
            "type": "json_schema",
            "json_schema": {
                "name": "label",
                "strict": True,
                "schema": {
                    "type": "object",
                    "properties": {"label": {"type": "string", "enum": list(labels)}},
                    "required": ["label"],
                    "additionalProperties": False,
                },
            },
        },
        max_completion_tokens=limit,
    )
    return answer.choices[0].message.content or "", _total(answer.usage)
