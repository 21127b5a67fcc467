# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the model server of the image `ai` meets its processes and whoever connects; tests/images has it at work."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from images.ai.ready_ai import children
from images.ai.ready_ai.asked import PASSED
from images.ai.ready_ai.children import Child
from images.ai.ready_ai.config import Model
from images.ai.ready_ai.front import BODY_BYTES, CHAT, STATUS, Front, Strangers

CHAT_PATH = next(iter(PASSED))
KEY = "k" * 32


class Slow(BaseHTTPRequestHandler):
    """llama.cpp on a host that has much else to do."""

    asked = 0

    def do_GET(self) -> None:
        """Hang up twice before there is an answer."""
        type(self).asked += 1
        if self.asked > 2:
            body = json.dumps({"data": [{"meta": {"n_ctx": 512, "n_embd": 384}}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Write nothing."""


def child(script: str, dimensions: int = 384) -> Child:
    """Return a process of a model whose program is a script."""
    return Child(Model("embedding", "m", "/m.gguf", "0" * 64, {"dimensions": dimensions}), ["bash", "-c", script], 1)


def until(check: Callable[[], Any]) -> Any:
    """Return the first true answer."""
    end = time.monotonic() + 10
    while not (found := check()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@pytest.fixture
def engine() -> Iterator[str]:
    """Return the first line of a process whose engine answers slowly."""
    Slow.asked = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield json.dumps({"address": f"http://127.0.0.1:{server.server_address[1]}"})
        server.shutdown()


def test_an_engine_that_is_slow_at_first(engine: str) -> None:
    """Is asked again, and is none before it has been compared; what ends it later is not in the log."""
    found = child(f"read -r job; echo '{engine}'; read -r end; exit 3")
    assert not found.port
    until(lambda: found.port)
    assert (Slow.asked, found.failure, found.ended()) == (3, "", "")
    assert found.process.stdin
    found.process.stdin.close()
    said = until(found.ended)
    assert "exit code 3 after it was ready" in said
    assert "Docker starts it again" in said
    assert "lines before" not in said


def test_an_engine_that_is_another(engine: str) -> None:
    """Ends it, never had a port, and says which setting."""
    found = child(f"read -r job; echo '{engine}'; read -r end", 768)
    assert "found 384 dimensions in /m.gguf, expected 768. Next: correct what the settings say" in until(found.ended)
    assert not found.port


def test_an_engine_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is no fault of the settings."""
    monkeypatch.setattr(children, "LOADED", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = child(f'read -r job; echo \'{{"address": "http://127.0.0.1:{port}"}}\'; read -r end')
    said = until(found.ended)
    assert "expected an answer about the model. Next: see what else takes" in said
    assert "correct" not in said


@pytest.fixture
def front() -> Iterator[tuple[Front, Front]]:
    """Return two ports of a front before models that are loading."""
    models = {kind: child("read -r job; read -r end") for kind in ("chat", "embedding")}
    strangers = Strangers()
    made = [Front(port, KEY, models, strangers, ("127.0.0.1", 0)) for port in (STATUS, CHAT)]
    for one in made:
        threading.Thread(target=one.serve_forever, daemon=True).start()
    yield made[0], made[1]
    for one in made:
        one.shutdown()
        one.server_close()
    for model in models.values():
        model.process.kill()
        model.process.wait()


def dial(server: Front) -> socket.socket:
    """Return a connection."""
    return socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=5)


def refusal(connection: socket.socket) -> str:
    """Return a whole answer that is a refusal: its head comes before its body."""
    answer = b""
    while not answer.endswith(b"}}"):
        answer += (more := connection.recv(1 << 16))
        assert more, answer
    return answer.decode()


def say(server: Front, request: str) -> tuple[socket.socket, str]:
    """Return a connection and the status line, headers and body that come for raw bytes."""
    connection = dial(server)
    connection.sendall(request.encode())
    return connection, refusal(connection)


@pytest.mark.parametrize(
    "head",
    [
        f"POST {CHAT_PATH} HTTP/1.1\r\nContent-Length: 4000000\r\n",
        f"POST {CHAT_PATH} HTTP/1.1\r\nContent-Length: 99999999999\r\n",
        f"POST {CHAT_PATH} HTTP/1.1\r\nContent-Length: many\r\n",
        f"POST {CHAT_PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
        f"POST {CHAT_PATH} HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n",
        "BREW /nothing HTTP/1.1\r\n",
    ],
)
def test_the_key_comes_first(front: tuple[Front, Front], head: str) -> None:
    """Without it the answer is 401 before any of the body is there, and the connection is closed."""
    connection, answer = say(front[1], f"{head}Host: x\r\n\r\n")
    assert answer.startswith("HTTP/1.1 401 ")
    if "BREW" not in head:
        assert "Connection: close" in answer
    connection.close()


def test_the_answer_is_not_lost(front: tuple[Front, Front]) -> None:
    """A client that sends all of its body first reads the refusal."""
    client = http.client.HTTPConnection("127.0.0.1", front[1].server_address[1], timeout=5)
    client.request("POST", CHAT_PATH, b" " * (3 << 20))
    assert client.getresponse().status == 401
    client.close()


def test_a_body_that_is_too_large(front: tuple[Front, Front]) -> None:
    """Is refused with the key too, before it is read."""
    opened = f"POST {CHAT_PATH} HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\n"
    for head, status in ((f"Content-Length: {BODY_BYTES + 1}", 413), ("Transfer-Encoding: chunked", 411)):
        connection, answer = say(front[1], f"{opened}{head}\r\n\r\n")
        assert answer.startswith(f"HTTP/1.1 {status} ")
        connection.close()


def test_a_query(front: tuple[Front, Front]) -> None:
    """Changes nothing: some clients send one, and the gateway lets it through."""
    for server, line in ((front[0], "GET /v1/models?limit=20"), (front[1], f"POST {CHAT_PATH}?api-version=1")):
        opened = f"{line} HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 2\r\n\r\n{{}}"
        connection, answer = say(server, opened)
        assert answer.startswith("HTTP/1.1 503 ")  # the models are loading
        connection.close()


def test_connections_without_the_key(front: tuple[Front, Front], monkeypatch: pytest.MonkeyPatch) -> None:
    """Are few, on all ports together; one that has shown the key is none of them; they end by themselves."""
    monkeypatch.setattr("images.ai.ready_ai.front.STRANGERS_OF_ONE", 3)
    monkeypatch.setattr("images.ai.ready_ai.front.KEY_SECONDS", 1)
    opened = f"GET /v1/models HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    known = [say(front[0], opened)[0] for _ in range(5)]
    waiting = [dial(front[n % 2]) for n in range(3)]
    time.sleep(0.2)
    with dial(front[0]) as more, contextlib.suppress(ConnectionError):
        more.sendall(opened.encode())
        assert more.recv(1) == b""
    known[0].sendall(opened.encode())
    assert refusal(known[0]).startswith("HTTP/1.1 503 ")  # the models are loading
    for moment in range(8):  # a byte now and then gives it no more time
        with contextlib.suppress(OSError):
            waiting[0].sendall(b"GET /hea"[moment : moment + 1])
        time.sleep(0.15)
    ends = time.monotonic() + 3  # a busy host's; each byte by itself would give them another second
    assert [one.recv(1) if n else b"" for n, one in enumerate(waiting)] == [b"", b"", b""]
    assert time.monotonic() < ends
    assert say(front[0], opened)[1].startswith("HTTP/1.1 503 ")
    for one in known + waiting:
        one.close()
