"""An endpoint with the OpenAI API that can be made to fail. Its right answers were recorded from the real models."""

from __future__ import annotations

import base64
import json
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ready.secrets.certificates import make_authority, make_leaf

ANSWERS: dict[str, Any] = json.loads((Path(__file__).parent / "ai_answers.json").read_text())
CHAT, EMBEDDING, DIMENSIONS = "SmolLM2-135M-Instruct", "all-MiniLM-L6-v2", 384
#: Account -> key; that of `server` is between gateway and models, and opens nothing from outside.
KEYS = {name: f"{name}-Xk3vQ9mT2bLw7RzN5cHs8JdF4gYp6AeU" for name in ("app", "monitor", "throttle", "server")}
#: Requests with one key until the answer is 429.
LIMITS = {"app": 100, "monitor": 100, "throttle": 3}
BODY_BYTES = 4096
#: Of an answer for which no limit of tokens counts.
USAGE = {"prompt_tokens": 100, "completion_tokens": 4900, "total_tokens": 5000}
#: Seconds between the bytes of an answer that drips.
DRIP = 0.05
PAGE = b"<!doctype html><title>Sign in</title><p>This is the proxy's page."
#: What a fault of each name does to an answer of the API.
STATUSES = {"500": (500, "server_error"), "401": (401, "invalid_api_key"), "quota": (429, "insufficient_quota")}
STATUSES |= {"429": (429, "rate_limit_exceeded"), "503": (503, "unavailable"), "400": (400, "context_length_exceeded")}
STATUSES |= {
    "queue": (429, "queue_full"),
    "wrong keys": (429, "too_many_wrong_keys"),
    "early": (429, "rate_limit_exceeded"),
}
STATUSES |= {"413": (413, "request_too_large"), "407": (407, ""), "422": (422, "invalid_value")}
STATUSES |= {"model": (404, "model_not_found"), "404": (404, ""), "307": (307, "")}


def vector(text: str) -> list[float]:
    """Return the recorded vector of a sentence."""
    return list(struct.unpack(f"<{DIMENSIONS}e", base64.b64decode(ANSWERS["vectors"][text])))


class Stub(ThreadingHTTPServer):
    """The endpoint.

    Attributes:
        fault: what is wrong with its answers, "" for nothing.
        only: paths that the fault is for, all of them without any.
        whose: the account that it is for, "" for everybody.
        asked: method, path, account ("" for no right key) and body of each request.
        headers: what its answers carry beside the rest.
        lax: what it lets through: statuses of refusals that are none.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault, self.only, self.whose = "", (), ""
        self.asked: list[tuple[str, str, str, bytes]] = []
        self.used: Counter[str] = Counter()
        self.stopped = threading.Event()
        self.headers: dict[str, str] = {}
        self.lax: set[int] = set()
        self.scheme = "http"

    fault: str
    only: tuple[str, ...]
    whose: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients hang up on purpose."""

    def service(self, **changed: Any) -> dict[str, Any]:
        """Return it as a service of the stack."""
        port = {"name": "api", "host": self.port, "bind": "127.0.0.1", "container": 8090, "protocol": "http"}
        return {
            "name": "ai",
            "backend": "local",
            "ports": [port],
            "accounts": {name: {"login": "bearer"} for name in KEYS},
            "models": {"chat": {"name": CHAT}, "embedding": {"name": EMBEDDING, "dimensions": DIMENSIONS}},
            "gateway": {"body_bytes": BODY_BYTES},
            "rate": {"requests": LIMITS["app"], "seconds": 10},
            "objectives": {"completion_p95_ms": 2000, "embedding_p95_ms": 500, "classification_p95_ms": 500},
            "tls": {"enabled": self.scheme == "https", "certificate": "", "names": []},
        } | changed

    def elsewhere(self, **changed: Any) -> dict[str, Any]:
        """Return it as an endpoint outside of the stack."""
        service = self.service(backend="external", base_url=f"{self.scheme}://127.0.0.1:{self.port}/v1")
        return service | {"ports": [], "accounts": {"app": {"login": "bearer"}}} | changed


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Stub
    protocol_version = "HTTP/1.1"
    timeout = 30
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, **self.server.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _error(self, status: int, code: str, **headers: str) -> None:
        body = {"error": {"message": f"no; key {KEYS['app']}", "type": "invalid_request_error", "code": code}}
        self._send(status, json.dumps(body).encode(), **headers)

    def _account(self) -> str:
        key = self.headers.get("api-key") or (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        return next((name for name, its in KEYS.items() if its == key and name != "server"), "")

    def __getattr__(self, name: str) -> Any:
        """Return what answers a request, whatever its method."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        path, account = self.path.partition("?")[0], self._account()
        limits = self._limits(account)
        refusal = self._refusal(account, limits)
        if refusal and refusal[0] not in self.server.lax:
            self.server.asked.append((self.command, path, account, b""))
            if self.command == "POST":  # its body is not read
                limits["Connection"] = "close"
            return self._error(refusal[0], refusal[1], **limits)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) if not refusal else b""
        self.server.asked.append((self.command, path, account, body))
        what = path.rpartition("/")[2]
        meant = what in (self.server.only or (what,)) and account in {self.server.whose or account}
        if self.server.fault and meant and self._faulty(limits):
            return None
        answers = {"models": self._models, "completions": self._completion, "embeddings": self._embeddings}
        if what in answers and path.startswith(("/v1/", "/openai/")):
            return answers[what](json.loads(body or b"{}"), limits)
        return self._error(200 if 404 in self.server.lax else 404, "not_found", **limits)

    def _refusal(self, account: str, limits: dict[str, str]) -> tuple[int, str] | None:
        """Return status and code of what the gateway refuses, None for what it lets through."""
        if not account:
            return 401, "invalid_api_key"
        if int(limits["x-ratelimit-remaining-requests"]) < 0 and self.server.fault != "no 429":
            limits["x-ratelimit-remaining-requests"] = "0"
            if self.server.fault != "no Retry-After":
                limits["Retry-After"] = "7"
            return 429, "rate_limit_exceeded"
        if self.command not in ("GET", "POST"):
            return 405, "method_not_allowed"
        if int(self.headers.get("Content-Length") or 0) > BODY_BYTES:
            return 413, "request_too_large"
        return (411, "length_required") if self.headers.get("Transfer-Encoding") else None

    def _limits(self, account: str) -> dict[str, str]:
        self.server.used[account] += 1
        limit = LIMITS.get(account, 100)
        names = ("limit", "remaining", "reset")
        values = (limit, limit - self.server.used[account], "7s")
        return {f"x-ratelimit-{name}-requests": str(value) for name, value in zip(names, values, strict=True)}

    def _faulty(self, limits: dict[str, str]) -> bool:
        """Answer as the fault does; return whether that was all."""
        fault = self.server.fault
        if fault in STATUSES:
            status, code = STATUSES[fault]
            self._error(status, code, **limits, **({"Retry-After": "7"} if status == 429 else {}))
        elif fault == "hang":
            self.server.stopped.wait(30)
        elif fault == "html":
            self._send(200, PAGE, "text/html; charset=utf-8")
        elif fault == "no limits":
            limits.clear()
            return False
        elif fault == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            self._drip(b": a comment, that no driver hands on\n\n")
        elif fault == "drip headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            self._drip(b"a")
        else:
            return False
        self.close_connection = True
        return True

    def _drip(self, piece: bytes) -> None:
        while not self.server.stopped.is_set():
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(DRIP)

    def _models(self, _: Mapping[str, Any], limits: Mapping[str, str]) -> None:
        names = ["llama-of-somebody-else"] if self.server.fault == "other models" else [CHAT, EMBEDDING]
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "ready"} for name in names]
        self._send(200, json.dumps({"object": "list", "data": data}).encode(), **limits)

    def _completion(self, asked: Mapping[str, Any], limits: Mapping[str, str]) -> None:
        if "max_tokens" in asked and self.server.fault == "max_tokens":
            self._error(400, "unsupported_parameter")
            return
        if not asked.get("stream"):
            label = ANSWERS["label"] | ({"usage": USAGE} if self.server.fault == "greedy" else {})
            label |= {"usage": None} if self.server.fault == "uncounted" else {}
            self._send(200, json.dumps(label).encode(), **limits)
            return
        self.send_response(200)
        for name, value in {**limits, **self.server.headers, "Content-Type": "text/event-stream"}.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        for number, event in enumerate(self._events()):
            if number == 5 and self.server.fault == "close":
                return
            if number == 5 and self.server.fault == "no end":
                break
            if number == 5 and self.server.fault == "error":
                event = {"error": {"message": f"no; key {KEYS['app']}", "type": "server_error", "code": 500}}
            self._chunk(f"data: {json.dumps(event)}\n\n".encode())
        else:
            self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _chunk(self, piece: bytes) -> None:
        self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.flush()

    def _events(self) -> Iterator[dict[str, Any]]:
        events = ANSWERS["stream"]
        if self.server.fault == "endless":
            yield from (events[1] for _ in range(1000))
        if self.server.fault == "silent":
            yield from (event for event in events if not any(its["delta"].get("content") for its in event["choices"]))
        elif self.server.fault == "short":
            usage = {"completion_tokens": 3, "prompt_tokens": 43, "total_tokens": 46}
            yield from (*events[:4], events[-2], events[-1] | {"usage": usage})
        elif self.server.fault == "greedy":
            yield from (*events[:-1], events[-1] | {"usage": USAGE})
        elif self.server.fault == "uncounted":
            yield from events[:-1]
        else:
            yield from events

    def _embeddings(self, asked: Mapping[str, Any], limits: Mapping[str, str]) -> None:
        vectors = [vector(text) for text in asked["input"]]
        if self.server.fault == "dimensions":
            vectors = [its[:-1] for its in vectors]
        if self.server.fault == "neighbours":
            vectors[1:] = reversed(vectors[1:])
        data = [{"object": "embedding", "index": number, "embedding": its} for number, its in enumerate(vectors)]
        usage: dict[str, int] | None = {"prompt_tokens": 9 * len(data), "total_tokens": 9 * len(data)}
        if self.server.fault in ("greedy", "uncounted"):
            usage = USAGE if self.server.fault == "greedy" else None
        body = {"object": "list", "model": EMBEDDING, "data": data, "usage": usage}
        self._send(200, json.dumps(body).encode(), **limits)


@contextmanager
def running(tls: Path | None = None) -> Iterator[tuple[Stub, str]]:
    """Start an endpoint; yield it and the CA certificate (PEM) that signed its own.

    Args:
        tls: a directory for its key, where it is to speak TLS.
    """
    now = datetime.now(timezone.utc)
    authority = make_authority("ready", now)
    with Stub() as stub:
        if tls is not None:
            leaf = make_leaf(authority, "ai", ["127.0.0.1"], now)
            (tls / "server.pem").write_text(leaf.certificate + leaf.key)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "server.pem")
            stub.socket = context.wrap_socket(stub.socket, server_side=True)
            stub.scheme = "https"
        thread = threading.Thread(target=stub.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield stub, authority.certificate
        finally:
            stub.stopped.set()
            stub.shutdown()
            thread.join()
