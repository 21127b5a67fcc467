# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A gateway before a stub that streams: both in containers, in one network."""

from __future__ import annotations

import copy
import http.client
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, NamedTuple

from docker.models.containers import Container
from ready.common.labels import LABEL_STACK
from ready.docker.reload import reload_files
from ready.docker.state import write_volume
from ready.secrets import certificates
from ready.stack.definitions import load_definitions, resolve_stack
from ready.stack.render import render_files

from tests.images.lab import PREFIX, Lab, port, until

#: account -> its key
KEYS = {name: f"{name}-{uuid.uuid4().hex}" for name in ("app", "monitor", "throttle", "server")}
#: What stands behind: it says which key it was sent, and answers as the request's `mode` wants. A stream without a
#: `pause` ends when GET /v1/models?next says that its last part has arrived.
STUB = r"""
import json, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

arrived = threading.Semaphore(0)

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, {"status": "ok"})
        if self.path.endswith("?next"):
            arrived.release()
        self.answer(200, {"port": self.server.server_port, "headers": {k.lower(): v for k, v in self.headers.items()}})
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked.get("mode") == "drop":
            self.close_connection = True
            return
        time.sleep(asked.get("before", 0))
        if asked.get("mode") != "stream":
            return self.do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(asked["chunks"]):
            data = b"data: %d\n\n" % number
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            if "pause" in asked:
                time.sleep(asked["pause"])
            elif not arrived.acquire(timeout=30):
                break
        self.wfile.write(b"0\r\n\r\n")

servers = [ThreadingHTTPServer(("", port), Handler) for port in (8080, 8081, 8082)]
for server in servers:
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever).start()
"""


class Answer(NamedTuple):
    """What a gateway answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error in the form of the OpenAI API."""
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found


def read(connection: http.client.HTTPConnection) -> Answer:
    """Return the answer to a request that was sent."""
    found = connection.getresponse()
    return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())


def definition(**changes: Any) -> dict[str, Any]:
    """Return a gateway as the AI service's sidecar has it: resolved, without TLS, with small limits."""
    variables = {
        "stack_name": "front",
        "ready_services": ["chromadb", "gateway"],
        "ready_bind_address": "127.0.0.1",
    }
    service: dict[str, Any] = copy.deepcopy(resolve_stack(load_definitions(), variables)["services"]["gateway"])
    service |= {
        "fronts": {
            "service": "stub",
            "health": {"port": 8080, "path": "/health"},
            "routes": [
                {"path": "/v1/models", "port": 8080, "answer_seconds": 10},
                {"path": "/v1/chat/completions", "port": 8081, "answer_seconds": 12},
                {"path": "/v1/embeddings", "port": 8082, "answer_seconds": 10},
            ],
            "form": "openai",
        },
        "rate": {"requests": 20, "seconds": 3},
        "gateway": {"connections": 64, "body_bytes": 1000, "at_once": 4},
        "key_overlap": 20,
        "tls": {**service["tls"], "enabled": False},
        **changes,
    }
    return service


def certificate() -> certificates.Served:
    """Return a certificate for a gateway."""
    now = datetime.now(timezone.utc)
    authority = certificates.make_authority("front", now)
    pair = certificates.make_leaf(authority, "front", ["localhost"], now)
    return certificates.Served(pair.certificate, pair.key, authority.certificate)


def files(
    service: Mapping[str, Any],
    keys: Mapping[str, str],
    previous: Mapping[str, str] | None = None,
    rotated: int = 0,
) -> dict[str, tuple[int, bytes]]:
    """Return a gateway's config volume: path -> (mode, content)."""
    before = previous or {}
    rendered = render_files(service, keys, before, certificate(), rotated=dict.fromkeys(before, rotated))
    return {file.path: (file.mode, file.content) for file in rendered}


def write(lab: Lab, volume: str, service: Mapping[str, Any], its: Mapping[str, tuple[int, bytes]]) -> None:
    """Write a gateway's config volume."""
    write_volume(lab.client, lab.image("gateway"), volume, service["image"]["user"], its, {LABEL_STACK: "front"})


class Front:
    """A running gateway.

    Args:
        lab: makes the containers.
        service: the gateway, as `definition` returns it.
        network: where the stub answers.
    """

    def __init__(self, lab: Lab, service: Mapping[str, Any], network: str) -> None:
        self.lab, self.service = lab, service
        self.volume = lab.volume("gateway")
        write(lab, self.volume, service, files(service, KEYS))
        self.container: Container = lab.start(
            "gateway", list(service["command"]), volumes=[f"{self.volume}:/run/ready:ro"], network=network
        )
        until(lambda: self.ask("/v1/models").status == 200, self.container)

    def reload(self, its: Mapping[str, tuple[int, bytes]]) -> None:
        """Let HAProxy take other files over, as a run of Ready does."""
        service = {**self.service, "container": self.container.name, "config_volume": self.volume}
        reload_files(self.lab.client, "front", service, self.lab.image("gateway"), its)

    @contextmanager
    def open(self, timeout: float = 60) -> Iterator[http.client.HTTPConnection]:
        """Return a connection."""
        connection = http.client.HTTPConnection("127.0.0.1", port(self.container, 8443), timeout=timeout)
        try:
            yield connection
        finally:
            connection.close()

    def ask(
        self,
        path: str,
        asked: Mapping[str, Any] | None = None,
        key: str | None = KEYS["app"],
        method: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to one request on a new connection."""
        given = dict(headers or {}) | ({} if key is None else {"Authorization": f"Bearer {key}"})
        with self.open() as connection:
            body = None if asked is None else json.dumps(asked)
            connection.request(method or ("GET" if asked is None else "POST"), path, body, given)
            return read(connection)

    def fresh_period(self) -> None:
        """Wait for the beginning of a period, so that its count is whole."""
        seconds = self.service["rate"]["seconds"]
        time.sleep(seconds - time.time() % seconds + 0.2)


@contextmanager
def stub(lab: Lab) -> Iterator[str]:
    """Start the stub; return the name of its network."""
    network = lab.client.networks.create(f"{PREFIX}{uuid.uuid4().hex[:12]}", driver="bridge")
    container = lab.client.containers.create(
        lab.image("chromadb"), ["-u", "-c", STUB], entrypoint=["python3"], name=f"{PREFIX}{uuid.uuid4().hex[:12]}"
    )
    lab.containers.append(container)
    try:
        lab.client.networks.get("bridge").disconnect(container)
        network.connect(container, aliases=["stub"])
        container.start()
        yield str(network.name)
    finally:
        lab.close()
        network.remove()
