"""The AI service through OpenAI's clients, as an application and as somebody who should not get in."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest
from docker.models.containers import Container
from ready.docker import execute

from tests.clients.running import AI_PROGRAMS, clients, run
from tests.hardening import assert_hardened
from tests.stack import molecule_stack
from tests.waiting import until

STACK = molecule_stack(["chromadb", "ai"])
#: Long enough that something can happen in the middle of the answer.
STORY = "Tell me a long story about a lighthouse."
MARKER = "zanzibar-marker-5531"


def client(account: str = "app", key: str | None = None) -> openai.OpenAI:
    """Return a client of an account, or of whatever key is given."""
    its = STACK.settings("ai", account)
    return openai.OpenAI(
        base_url=its["OPENAI_BASE_URL"],
        api_key=key or its["OPENAI_API_KEY"],
        http_client=httpx2.Client(verify=its.get("OPENAI_CA_FILE") or True, trust_env=False, timeout=60),
        max_retries=0,
    )


def said(question: str, tokens: int = 4) -> str:
    """Return what the chat model answers."""
    answer = client("monitor").chat.completions.create(
        model=STACK.settings("ai")["OPENAI_MODEL"],
        messages=[{"role": "user", "content": question}],
        max_tokens=tokens,
        temperature=0,
    )
    return str(answer.choices[0].message.content)


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    """Return a container with real clients in the stack's network."""
    with clients(STACK) as container:
        yield container


@pytest.mark.parametrize("program", AI_PROGRAMS)
def test_client(container: Container, program: str) -> None:
    """The program ends well; else its name and the service's answer are shown."""
    run(container, program)


@pytest.mark.parametrize("key", ["wrong", "server's"])
def test_keys(key: str) -> None:
    """A wrong key, and the one that the gateway itself has for the server, let nobody in."""
    given = STACK.passwords("ai")["server"] if key == "server's" else key
    with pytest.raises(openai.AuthenticationError):
        client(key=given).models.list()


def test_the_server_is_reached_through_the_gateway_alone() -> None:
    """It publishes no port, and asks for a key inside the stack's network as well."""
    server = STACK.container("ai")
    assert not server.attrs["HostConfig"]["PortBindings"]
    ask = "import urllib.request; urllib.request.urlopen('http://ai:{}/v1/models', timeout=5)"
    for port in (8080, 8081, 8082):
        done = execute.run(server, ["python3", "-c", ask.format(port)])
        assert (done.exit_code, b"HTTP Error 401" in done.output) == (1, True), done.output.decode()


def test_the_rate_limit_is_of_one_key_and_ends() -> None:
    """Beyond it 429 with what the client has to know; another key is not touched."""
    its = client()
    limit = until(lambda: _limit_of_a_fresh_period(its), "a period with one request", seconds=60, pause=0.5)
    answered, refusals = 1, list[openai.RateLimitError]()
    deadline = time.monotonic() + 120
    with ThreadPoolExecutor(8) as pool:
        while not refusals and time.monotonic() < deadline:
            found = list(pool.map(lambda _: _refused(its), range(16)))
            refusals = [error for error in found if error is not None]
            answered += len(found) - len(refusals)
    assert refusals, f"found {answered} requests answered in 120 s, expected a refusal after {limit} in a period"
    assert answered >= limit
    headers = refusals[-1].response.headers
    assert int(headers["retry-after"]) > 0
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert client("monitor").models.list().data
    until(lambda: _refused(its) is None, "the end of the limit", seconds=3 * int(headers["retry-after"]) + 5)


def _limit_of_a_fresh_period(its: openai.OpenAI) -> int | None:
    """Return how many requests a period allows, if this request is its first one."""
    try:
        headers = its.models.with_raw_response.list().headers
    except openai.RateLimitError:
        return None
    limit, left = (int(headers[f"x-ratelimit-{what}-requests"]) for what in ("limit", "remaining"))
    return limit if left == limit - 1 else None


def _refused(its: openai.OpenAI) -> openai.RateLimitError | None:
    try:
        its.models.list()
    except openai.RateLimitError as error:
        return error
    return None


def test_32_at_once() -> None:
    """Each is answered, or refused until later; nothing falls over."""
    before = STACK.identities()

    def ask(number: int) -> int:
        try:
            return 200 if said(f"Say the number {number}.") else 204
        except openai.APIStatusError as error:
            return error.status_code

    with ThreadPoolExecutor(32) as pool:
        found = set(pool.map(ask, range(32)))
    assert found <= {200, 429}
    assert 200 in found
    assert STACK.identities() == before


def test_killed_in_the_middle_of_an_answer() -> None:
    """The client learns that its answer is not whole, and the service restarts without help."""
    parts = client().chat.completions.create(
        model=STACK.settings("ai")["OPENAI_MODEL"],
        messages=[{"role": "user", "content": STORY}],
        max_tokens=1500,
        stream=True,
    )
    next(iter(parts))
    server = STACK.container("ai")
    os.kill(server.attrs["State"]["Pid"], signal.SIGKILL)
    with pytest.raises((openai.APIError, httpx2.HTTPError)):
        list(parts)
    until(lambda: _answers(), "an answer after the restart", seconds=120)
    assert STACK.container("ai").attrs["RestartCount"] > server.attrs["RestartCount"]


def _answers() -> bool:
    try:
        return bool(said("Hello"))
    except openai.APIError:
        return False


def test_neither_keys_nor_prompts_are_logged() -> None:
    """Not by the gateway, not by the server; nor are keys in what Docker shows of the containers."""
    said(f"Repeat: {MARKER}")
    keys = STACK.passwords("ai").values()
    for name in ("ai", "ai_gateway"):
        its = STACK.container(name)
        places = {"log": its.logs().decode(), "inspect": str(its.attrs), "processes": str(its.top())}
        for place, text in places.items():
            assert MARKER not in text, f"the prompt is in the {place} of {name}"
            assert not any(key in text for key in keys), f"a key is in the {place} of {name}"
    assert b"/v1/chat/completions" in STACK.container("ai_gateway").logs()


@pytest.mark.parametrize("name", ["ai", "ai_gateway"])
def test_hardened(name: str) -> None:
    """Non-root, no capabilities, read-only, limited."""
    assert_hardened(STACK, name)
