# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ports of the container: who may ask what, and the way to the model's process.

Own, not the ports of llama.cpp: those also have paths that show prompts and settings, answer for any model's name, say
500 where a text is too long, and allow every web page.
"""

from __future__ import annotations

import contextlib
import hmac
import http.client
import io
import json
import os
import select
import socket
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .answers import RefusalError, translated
from .asked import passed
from .children import Child, SilentError

#: Bytes of a request: as many as the gateway lets through (services/ai.yml).
BODY_BYTES = 4 << 20
#: Seconds that a kept connection may be idle, or a client slow to read.
IDLE = 75
#: Seconds for the first request until it has shown its key, for a body, and for what a client still sends once refused.
KEY_SECONDS, BODY_SECONDS, LINGER_SECONDS = 10, 300, 2
#: Seconds for which llama.cpp may be silent within an answer.
SILENCE = 300
#: Connections that have not shown the key yet, on all ports together: of one address, and of all.
STRANGERS_OF_ONE, STRANGERS = 40, 80

STATUS, CHAT, EMBEDDING = 8080, 8081, 8082
#: Port -> path -> method.
ROUTES = {
    STATUS: {"/health": "GET", "/v1/models": "GET"},
    CHAT: {"/v1/chat/completions": "POST", "/v1/completions": "POST"},
    EMBEDDING: {"/v1/embeddings": "POST"},
}
KINDS = {CHAT: "chat", EMBEDDING: "embedding"}
#: Requests of more bytes wait until fewer than two such are at work: each takes llama.cpp tens of MiB.
LARGE_BYTES, LARGE = 256 << 10, threading.BoundedSemaphore(2)
#: One body at a time is taken apart: empty lists take twenty-five times the bytes that they have as JSON.
PARSING = threading.Lock()


class Patient(io.RawIOBase):
    """What a connection sends, until a moment: one byte at a time gives nobody more."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.until = connection, 0.0

    def readable(self) -> bool:
        """Return that this can be read."""
        return True

    def allow(self, seconds: float) -> None:
        """Set the moment."""
        self.until = time.monotonic() + seconds

    def readinto(self, buffer: Any) -> int:
        """Read what is there. Raises TimeoutError."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)
        try:
            return self.connection.recv_into(buffer)
        finally:
            self.connection.settimeout(IDLE)


class Strangers:
    """The connections that have not shown the key yet: few, so that they leave threads for those who have it."""

    def __init__(self) -> None:
        self._lock, self._peers = threading.Lock(), dict[socket.socket, str]()

    def enter(self, connection: socket.socket, peer: str) -> bool:
        """Count a new connection; return whether it may stay."""
        with self._lock:
            if len(self._peers) >= STRANGERS or Counter(self._peers.values())[peer] >= STRANGERS_OF_ONE:
                return False
            self._peers[connection] = peer
            return True

    def leave(self, connection: socket.socket) -> None:
        """Count it no more: it has shown the key, or is closed."""
        with self._lock:
            self._peers.pop(connection, None)

    def __contains__(self, connection: socket.socket) -> bool:
        with self._lock:
            return connection in self._peers


class Handler(BaseHTTPRequestHandler):
    """One connection to one of the ports."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "ready-ai", ""
    timeout = IDLE
    disable_nagle_algorithm = True
    server: Front

    def setup(self) -> None:
        """Read from the connection with patience alone."""
        super().setup()
        self.rfile.close()
        self.patient = Patient(self.connection)
        self.rfile = io.BufferedReader(self.patient)

    def handle_one_request(self) -> None:
        """Answer one request, which has to come in time."""
        self.patient.allow(KEY_SECONDS if self.connection in self.server.strangers else IDLE)
        super().handle_one_request()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # of any method, also one that is not HTTP's; the routes know which one a path has
            return self.answer
        raise AttributeError(name)

    def handle_expect_100(self) -> bool:
        """Say nothing yet: the key comes first."""
        return True

    def answer(self) -> None:
        """Answer a request. The key is looked at first, and the body of one without it is not kept."""
        self.started = False
        self.path = self.path.partition("?")[0]  # as at the gateway; nothing here takes a query
        try:
            self._check()
            length = self._length()
            if self.server.child:
                with LARGE if length > LARGE_BYTES else contextlib.nullcontext():
                    self._forward(self.server.child, self._body(length))
            else:
                self._body(length)
                self._answer(200, STATUS_ANSWERS[self.path](self.server.children))
        except RefusalError as refusal:
            self._refuse(refusal)

    def log_message(self, *args: Any) -> None:
        """Log nothing: requests are the gateway's to log, and what they hold is nobody's."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not HTTP, in OpenAI's form too."""
        self.unread = True
        self._refuse(RefusalError(code, message or "The request is not HTTP."))

    def _refuse(self, refusal: RefusalError) -> None:
        """Refuse. Where the body has not been read, the connection is closed, and not so that the answer is lost."""
        self.close_connection |= self.unread
        self._answer(refusal.status, refusal.content)
        if self.unread:
            self._linger()

    def _linger(self) -> None:
        """Let the client read the answer: closing at once, with more of the request to come, would take it away."""
        self.patient.allow(LINGER_SECONDS)
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while self.patient.readinto(bytearray(1 << 16)):
                pass

    def _length(self) -> int:
        """Return the bytes of the body. Raises RefusalError."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise RefusalError(411, "The request has no Content-Length.")
        if len(length) > 20 or int(length) > BODY_BYTES:
            raise RefusalError(413, f"The request has {length:.20} bytes; expected {BODY_BYTES} at most.")
        return int(length)

    def _body(self, length: int) -> bytes:
        """Return the body, read before any answer so that the connection can be kept. Raises RefusalError."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        self.patient.allow(BODY_SECONDS)
        body = self.rfile.read(length)
        if len(body) < length:
            raise RefusalError(400, "The request ended early.")
        self.unread = False
        return body

    def _check(self) -> None:
        """Raise RefusalError unless the caller may ask this."""
        self.unread = "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0"
        key = f"Bearer {self.server.key}".encode()
        known = hmac.compare_digest(self.headers.get("Authorization", "").encode("utf-8", "surrogateescape"), key)
        open_path = not self.server.child and self.path == "/health"
        if not known and not open_path:
            raise RefusalError(401, "The API key is missing or wrong.", "invalid_api_key")
        if known:
            self.server.strangers.leave(self.connection)
        method = self.server.routes.get(self.path)
        if method is None:
            raise RefusalError(404, "There is nothing at this path.", "unknown_url")
        if method != self.command:
            raise RefusalError(405, f"This path takes {method} alone.")

    def _answer(self, status: int, content: object) -> None:
        self._send(status, json.dumps(content).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def _forward(self, child: Child, body: bytes) -> None:
        """Hand the request to the model's process, and its answer to the client as it comes. Raises RefusalError."""
        with PARSING:
            body = passed(self.path, body, child.model.name, child.tokens, child.model.limits.get("dimensions"))
        if not child.port:
            raise RefusalError(503, f"{child.model.name} is not loaded yet.", "service_unavailable")
        connection = http.client.HTTPConnection("127.0.0.1", child.port, timeout=SILENCE)
        headers = {"Authorization": f"Bearer {child.key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", self.path, body, headers)
            if not self._waited(connection.sock):
                self.close_connection = True  # the client has gone; closing ends its work
                return
            response = connection.getresponse()
            if response.status != 200:
                raise translated(response.status, response.read(), child.tokens)
            self._copy(response)
        except (http.client.HTTPException, ConnectionError) as error:
            self.close_connection = True  # in the middle of an answer its end is missing, which the client sees
            if not self.started:
                raise RefusalError(502, f"{child.model.name} broke off.", "service_unavailable") from error
        finally:
            connection.close()

    def _waited(self, upstream: socket.socket) -> bool:
        """Wait until the answer begins; return False when the client closes its connection before that."""
        waiting = select.poll()
        waiting.register(upstream, select.POLLIN)
        waiting.register(self.connection, select.POLLIN)
        while True:
            ready = {number for number, _ in waiting.poll()}
            if upstream.fileno() in ready:
                return True
            try:
                if not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    return False
            except OSError:
                return False
            waiting.unregister(self.connection)  # the next request is here already

    def _copy(self, response: http.client.HTTPResponse) -> None:
        kind = response.headers.get("Content-Type", "application/json")
        if not response.chunked:
            body = response.read()
            self.started = True
            self._send(200, body, kind)
            return
        chunked = self.request_version != "HTTP/1.0"
        self.started = True
        self.close_connection |= not chunked
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-cache")
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        self.end_headers()
        while data := response.read1(1 << 16):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")


class Front(ThreadingHTTPServer):
    """One port: that of a model, or the one that speaks for both."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        port: int,
        key: str,
        children: dict[str, Child],
        strangers: Strangers,
        address: tuple[str, int] | None = None,
    ) -> None:
        """Listen on `port` of all addresses, or on another address what that port is for."""
        self.strangers = strangers
        self.key, self.children, self.routes = key, list(children.values()), ROUTES[port]
        self.child = children[KINDS[port]] if port in KINDS else None
        super().__init__(address or ("0.0.0.0", port), Handler)  # noqa: S104

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection its thread, unless too many have one that they show no key for."""
        if self.strangers.enter(request, client_address[0]):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, whatever has become of it."""
        self.strangers.leave(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log where an answer failed, and nothing of what it was about; a client that went away is no fault."""
        error = sys.exc_info()[1]
        if error and not isinstance(error, ConnectionError | TimeoutError):
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{os.path.basename(last.filename)}:{last.lineno}"
            print(f"ready-ai: {type(error).__name__} in {where}", file=sys.stderr, flush=True)


def _all(children: list[Child], ask: Callable[[Child], Any]) -> list[Any]:
    """Ask all processes at once. Raises RefusalError when one of them does not answer."""
    with ThreadPoolExecutor(len(children)) as pool:
        try:
            return list(pool.map(ask, children))
        except SilentError as error:
            raise RefusalError(503, str(error), "service_unavailable") from error


def health(children: list[Child]) -> dict[str, Any]:
    """Return that all processes answer. Raises RefusalError."""
    _all(children, lambda child: child.get("/health"))
    return {"status": "ok"}


def models(children: list[Child]) -> dict[str, Any]:
    """Return the models as their processes describe them. Raises RefusalError."""
    found = _all(children, Child.describe)
    keys = ("id", "object", "created", "owned_by")
    return {"object": "list", "data": [{key: item[key] for key in keys} for item in found]}


STATUS_ANSWERS = {"/health": health, "/v1/models": models}
