# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the one gateway does before a service: keys, limits, streams, the form of its answers, and a reload."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import docker
import pytest
from ready.docker.state import EngineError, read_files
from ready.stack.gateway_files import FAILURES, THROTTLED

from tests.images.front import KEYS, Answer, Front, definition, files, read, stub, write
from tests.images.lab import Lab, port, sh, until

MODELS, CHAT, EMBEDDINGS = "/v1/models", "/v1/chat/completions", "/v1/embeddings"


@pytest.fixture(scope="module")
def network(client: docker.DockerClient) -> Iterator[tuple[Lab, str]]:
    """Return a new lab, and the network in which the stub answers."""
    lab = Lab(client)
    with stub(lab) as name:
        yield lab, name


@pytest.fixture(scope="module")
def front(network: tuple[Lab, str]) -> Front:
    """Return a gateway before the stub."""
    return Front(network[0], definition(), network[1])


def refused(answer: Answer, status: int, code: str) -> None:
    """Expect an error in the form of the OpenAI API."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.error["code"] == code
    assert set(answer.error) == {"message", "type", "param", "code"}


def answer(connection: http.client.HTTPConnection, key: str) -> Answer:
    """Return the answer to a request on a connection that stays open."""
    connection.request("GET", MODELS, headers={"Authorization": f"Bearer {key}"})
    return read(connection)


def status(connection: http.client.HTTPConnection, key: str) -> int:
    """Return its status."""
    return answer(connection, key).status


def answered(front: Front, key: str, count: int) -> list[Answer]:
    """Return the answers to so many requests, on one connection: they come quickly enough for a limit."""
    with front.open() as connection:
        return [answer(connection, key) for _ in range(count)]


def test_each_path_has_its_port(front: Front) -> None:
    """By the path alone; the query does not change it."""
    front.fresh_period()
    assert json.loads(front.ask(f"{MODELS}?x=1").body)["port"] == 8080
    assert json.loads(front.ask(CHAT, {}).body)["port"] == 8081
    assert json.loads(front.ask(EMBEDDINGS, {}).body)["port"] == 8082


def test_whose_key_goes_on(front: Front) -> None:
    """The client's ends at the gateway; what is behind gets the gateway's own. Azure's header is a bearer too."""
    for given in ({"Authorization": f"Bearer {KEYS['app']}"}, {"api-key": KEYS["app"]}):
        answer = front.ask(MODELS, key=None, headers=given)
        headers = json.loads(answer.body)["headers"]
        assert headers["authorization"] == f"Bearer {KEYS['server']}"
        assert KEYS["app"] not in answer.body.decode()


def test_who_gets_in(front: Front) -> None:
    """Nobody without a key, with another, with the gateway's own, or with one in another form."""
    for key in (None, "x" * 32, KEYS["server"], KEYS["app"][:-1], KEYS["app"].swapcase()):
        answer = front.ask(MODELS, key=key)
        refused(answer, 401, "invalid_api_key")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "x-ratelimit-limit-requests" not in answer.headers
    refused(front.ask(MODELS, key=None, headers={"api-key": "x" * 32}), 401, "invalid_api_key")
    refused(front.ask(f"{MODELS}?key={KEYS['app']}", key=None), 401, "invalid_api_key")


def test_what_is_let_through(front: Front) -> None:
    """The API's paths and methods, and bodies up to a size that is stated."""
    front.fresh_period()
    for path in ("/", "/v1/models/x", "/v1/files", "/health"):
        refused(front.ask(path), 404, "not_found")
    answer = front.ask(MODELS, method="DELETE")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"
    refused(front.ask(CHAT, {"text": "x" * 1000}), 413, "request_too_large")
    assert front.ask(CHAT, {"text": "x" * 900}).status == 200
    for length in (2**31, 2**32 + 1, 2**62):  # where a number of 32 bits begins again
        stated = {"Content-Length": str(length)}
        refused(front.ask(CHAT, method="POST", headers=stated), 413, "request_too_large")
    with front.open() as connection:
        headers = {"Authorization": f"Bearer {KEYS['app']}"}
        connection.request("POST", CHAT, iter([b"{", b"}"]), headers, encode_chunked=True)
        refused(read(connection), 411, "length_required")


def raw(front: Front, head: bytes) -> Answer:
    """Return the answer to bytes as they are."""
    with socket.create_connection(("127.0.0.1", port(front.container, 8443)), timeout=60) as connection:
        connection.sendall(head)
        found = http.client.HTTPResponse(connection)
        found.begin()
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())


def test_errors_of_what_is_behind(front: Front) -> None:
    """They have the form of the API."""
    front.fresh_period()
    refused(front.ask(CHAT, {"mode": "drop"}), 502, "bad_gateway")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 400),
        (b"GET /v1/models HTTP/1.1\r\nHost: x\r\n", 408),
        (b"POST /v1/models HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 422),
    ],
)
def test_errors_before_there_is_a_request(front: Front, head: bytes, status: int) -> None:
    """The form is HAProxy's own: docs/roles/ai.md says so. One that takes the texts of its configuration fails here."""
    answer = raw(front, head)
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html")


def test_limit_of_a_key(front: Front) -> None:
    """Each answer says what remains; beyond the limit 429 says when; another key has its own; then it works again."""
    front.fresh_period()
    answers = answered(front, KEYS["throttle"], THROTTLED + 2)
    assert [answer.status for answer in answers] == [200] * THROTTLED + [429] * 2
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert {answer.headers["x-ratelimit-limit-requests"] for answer in answers} == {str(THROTTLED)}
    refused(answers[-1], 429, "rate_limit_exceeded")
    wait = int(answers[-1].headers["retry-after"])
    assert f"{wait}s" == answers[-1].headers["x-ratelimit-reset-requests"]
    assert 1 <= wait <= 3
    other = front.ask(MODELS)
    assert (other.status, other.headers["x-ratelimit-limit-requests"]) == (200, "20")
    assert int(other.headers["x-ratelimit-remaining-requests"]) >= 18
    time.sleep(wait)
    assert front.ask(MODELS, key=KEYS["throttle"]).status == 200


def test_a_stream_is_not_held_back(front: Front) -> None:
    """Each chunk arrives before the next one is sent: that one is sent when the last one has arrived."""
    front.fresh_period()
    with front.open() as connection:
        asked = json.dumps({"mode": "stream", "chunks": 4})
        connection.request("POST", CHAT, asked, {"Authorization": f"Bearer {KEYS['app']}"})
        found, arrived = connection.getresponse(), []
        while line := found.readline():
            if line.startswith(b"data"):
                arrived.append(line)
                assert front.ask(f"{MODELS}?next", key=KEYS["monitor"]).status == 200
    assert arrived == [b"data: %d\n" % number for number in range(4)]


def test_a_slow_first_byte(front: Front) -> None:
    """It may take as long as the route says; then 504, in the service's form. One that breaks off is 502."""
    front.fresh_period()
    assert front.ask(CHAT, {"before": 4}).status == 200
    refused(front.ask(CHAT, {"before": 20}), 504, "gateway_timeout")
    refused(front.ask(CHAT, {"mode": "drop"}), 502, "bad_gateway")


def test_more_at_once_than_may_wait(front: Front) -> None:
    """Four are let through, the others are to come later; all get an answer."""
    front.fresh_period()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: front.ask(CHAT, {"before": 6}), range(12)))
    assert Counter(answer.status for answer in answers) == {200: 4, 429: 8}
    last = next(answer for answer in answers if answer.status == 429)
    refused(last, 429, "queue_full")
    assert last.headers["retry-after"] == "3"
    assert front.ask(EMBEDDINGS, {}).status == 200


def logged(front: Front, text: str) -> bool:
    """Return whether the gateway's log has it."""
    return text in front.container.logs().decode()


def test_log(front: Front) -> None:
    """Path and account; no key, no query, nothing of a body."""
    front.fresh_period()
    front.ask(f"{CHAT}?secret-query", {"prompt": "secret-prompt"})
    front.ask(MODELS, key=None, headers={"api-key": KEYS["monitor"]})
    for line in (f'"POST {CHAT} HTTP/1.1" app', f'"GET {MODELS} HTTP/1.1" monitor'):
        until(partial(logged, front, line), front.container)
    log = front.container.logs().decode()
    for secret in (*KEYS.values(), "secret-query", "secret-prompt"):
        assert secret not in log
    shown = json.dumps(front.container.attrs) + sh(front.container, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert not [name for name, key in KEYS.items() if key in shown]


def test_wrong_keys_are_slowed(network: tuple[Lab, str]) -> None:
    """Beyond so many wrong keys their address has to wait; right ones of that address work all the time."""
    gateway = Front(network[0], definition(rate={"requests": 10**6, "seconds": 3}), network[1])
    assert {its.status for its in answered(gateway, KEYS["app"], FAILURES + 20)} == {200}
    found = Counter(its.status for its in answered(gateway, "x" * 32, FAILURES + 20))
    assert found[401] >= FAILURES
    assert found[429] >= 10
    refused(gateway.ask(MODELS, key="x" * 32), 429, "too_many_wrong_keys")
    assert gateway.ask(MODELS).status == 200
    refused(gateway.ask(MODELS, key=None), 429, "too_many_wrong_keys")
    until(lambda: gateway.ask(MODELS, key="x" * 32).status == 401, gateway.container)


def test_rotation(front: Front) -> None:
    """A reload takes new keys over: no request is refused, no stream ends, and the old key ends by itself."""
    statuses: list[int] = []
    new = {**KEYS, "app": "a-new-key-of-app", "monitor": "a-new-key-of-monitor"}
    running = True

    def keep_asking() -> None:
        with front.open() as connection:
            while running:
                statuses.append(status(connection, KEYS["app"]))
                time.sleep(0.2)

    def stream() -> int:
        with front.open(30) as connection:
            asked = json.dumps({"mode": "stream", "chunks": 20, "pause": 0.25})
            connection.request("POST", CHAT, asked, {"Authorization": f"Bearer {KEYS['app']}"})
            return connection.getresponse().read().count(b"data: ")

    front.fresh_period()
    with ThreadPoolExecutor(2) as pool:
        streamed, asking = pool.submit(stream), pool.submit(keep_asking)
        time.sleep(0.5)
        rotated = int(time.time())
        before = {name: KEYS[name] for name in ("app", "monitor")}
        with front.open() as idle:  # its connection is the worker's of before
            assert status(idle, KEYS["app"]) == 200
            front.reload(files(front.service, new, before, rotated))
            assert status(idle, new["app"]) == 200
        assert front.ask(MODELS, key=new["app"]).status == 200
        running = False
        asking.result()
        assert streamed.result() == 20
    assert set(statuses) == {200}
    assert front.ask(MODELS, key=KEYS["monitor"]).status == 200
    time.sleep(max(0.0, rotated + front.service["key_overlap"] - time.time()) + 1.1)
    assert front.ask(MODELS, key=KEYS["app"]).status == 401
    assert front.ask(MODELS, key=new["app"]).status == 200


def test_a_reload_that_is_refused(network: tuple[Lab, str]) -> None:
    """It says why; the files of before are back, and their keys work."""
    gateway = Front(network[0], definition(), network[1])
    before = sorted(read_files(gateway.container))
    other = files(gateway.service, {**KEYS, "app": "another-key-of-app"}) | {"limits.map": (0o400, b"app many\n")}
    with pytest.raises(
        EngineError, match=r"take over its new files \(\[ALERT\] .* unable to parse .many.*\); expected"
    ):
        gateway.reload(other)
    assert sorted(read_files(gateway.container)) == before
    assert gateway.ask(MODELS).status == 200
    assert gateway.ask(MODELS, key="another-key-of-app").status == 401


@pytest.mark.parametrize("form", ["text", "openai"])
@pytest.mark.parametrize("tls", [True, False])
def test_haproxy_takes_it(network: tuple[Lab, str], form: str, tls: bool) -> None:
    """Each form, with TLS and without, and no warning."""
    service = definition()
    service["fronts"]["form"], service["tls"]["enabled"] = form, tls
    lab, name = network
    volume = lab.volume("gateway")
    write(lab, volume, service, files(service, KEYS))
    code, output = lab.once(
        "gateway", ["-c", "-f", "/run/ready/haproxy.cfg"], volumes=[f"{volume}:/run/ready:ro"], network=name
    )
    assert (code, "WARNING" in output, "Configuration file is valid" in output) == (0, False, True), output
