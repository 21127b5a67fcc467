# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands in containers, with a daemon that answers as badly as Docker's API allows."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container
from ready.docker import execute

BEGIN, END = b"Uid:\t999\n", b"refused\n"


def frame(stream: int, content: bytes) -> bytes:
    """Return a frame as the daemon sends it."""
    return struct.pack(">BxxxL", stream, len(content)) + content


class Daemon(BaseHTTPRequestHandler):
    """Sends the first frame together with the response's head, as happens on a busy machine."""

    protocol_version = "HTTP/1.1"
    body = frame(1, BEGIN) + frame(2, b"beware\n") + frame(1, END)
    exit_codes: list[int | None]
    status = 200
    reset = False

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _json(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        """Answer an inspection."""
        codes = type(self).exit_codes
        self._json(200, {"ExitCode": codes.pop(0) if len(codes) > 1 else codes[0]})

    def do_POST(self) -> None:
        """Make a command, or run it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        if not self.path.endswith("/start"):
            self._json(201, {"Id": "one"})
        elif self.status != 200:
            self._json(self.status, {"message": "the container is not running"})
        else:
            upgraded = "Upgrade" in self.headers
            head = "101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp" if upgraded else "200 OK"
            self.wfile.write(f"HTTP/1.1 {head}\r\nContent-Type: x/raw-stream\r\n\r\n".encode() + self.body)
            self.close_connection = True
            if self.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())


@pytest.fixture
def daemon() -> type[Daemon]:
    """The daemon, to be told what to answer."""
    return type("Told", (Daemon,), {"exit_codes": [0]})


@pytest.fixture
def container(daemon: type[Daemon]) -> Iterator[Container]:
    """A container of it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), daemon) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = DockerClient(base_url=f"tcp://127.0.0.1:{server.server_port}", version="1.41", timeout=5)
        yield Container({"Id": "c"}, client)
        client.close()
        server.shutdown()


def test_nothing_is_lost_at_the_beginning(container: Container) -> None:
    """Whatever came with the response's head is there, in order, and errors can be told from output."""
    assert execute.run(container, ["look"]) == (0, BEGIN + b"beware\n" + END, b"beware\n")


def test_output_as_it_comes(container: Container) -> None:
    """Errors are kept apart from what is written."""
    written: list[bytes] = []
    assert execute.run(container, ["dump"], write=written.append) == (0, b"beware\n", b"beware\n")
    assert written == [BEGIN, END]


def test_exit_code_is_waited_for(container: Container, daemon: type[Daemon]) -> None:
    """The daemon may know it a moment later than the end of the output."""
    daemon.exit_codes = [None, None, 3]
    assert execute.run(container, ["fail"]).exit_code == 3


def test_exit_code_that_never_comes(
    container: Container, daemon: type[Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is no success."""
    monkeypatch.setattr(execute, "_SETTLE", 0.05)
    daemon.exit_codes = [None]
    with pytest.raises(ConnectionError, match="does not tell"):
        execute.run(container, ["hang"])


@pytest.mark.parametrize("missing", [1, len(END) + 3])
def test_connection_lost_in_the_middle(container: Container, daemon: type[Daemon], missing: int) -> None:
    """Half a frame is no output, whatever the exit code."""
    daemon.body = Daemon.body[:-missing]
    with pytest.raises(ConnectionError, match="lost in the middle"):
        execute.run(container, ["look"])


def test_connection_reset(container: Container, daemon: type[Daemon]) -> None:
    """A daemon that goes away is told as that, and not by an exception of the library beneath."""
    daemon.body, daemon.reset = Daemon.body[:-1], True
    with pytest.raises(ConnectionError, match="was lost"):
        execute.run(container, ["look"])


def test_refused(container: Container, daemon: type[Daemon]) -> None:
    """The daemon's own words are kept."""
    daemon.status = 409
    with pytest.raises(APIError, match="not running"):
        execute.run(container, ["look"])
