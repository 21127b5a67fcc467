"""The file of a site's own model: whole, truncated, another one, no file at all; by path and from a server."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from ready.docker import model_source
from ready.docker.model_source import ModelError, look, opened

CONTENT = b"GGUF" + bytes(range(256)) * 8192
SHA = hashlib.sha256(CONTENT).hexdigest()
Answer = Callable[[BaseHTTPRequestHandler], None]


def by_path(path: Path, sha256: str = SHA) -> dict[str, Any]:
    """Return a model of a file."""
    return {"name": "Own", "sha256": sha256, "source": {"file": str(path)}}


def by_url(sha256: str = SHA) -> dict[str, Any]:
    """Return a model of a server."""
    return {"name": "Own", "sha256": sha256, "source": {"url": "masked"}}


def read(model: dict[str, Any], url: str = "") -> bytes:
    """Return all of a model's file."""
    with opened(model, {model["sha256"]: url}) as source:
        return b"".join(source)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a whole file."""
    path = tmp_path / "own.gguf"
    path.write_bytes(CONTENT)
    return path


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Give the URL of a server that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}/own.gguf"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def sends(content: bytes, length: int | None = None, status: int = 200) -> Answer:
    """Return an answer of this content, that says this length."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)

    return answer


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the server itself."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def test_a_whole_file(file: Path) -> None:
    """All of it is given, and its size is known before."""
    assert read(by_path(file)) == CONTENT
    assert look(by_path(file), {}) == {"bytes": len(CONTENT), "fault": ""}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (CONTENT[:-1], "found SHA-256 .*, expected " + SHA),
        (CONTENT + b"x", "found SHA-256 .*, expected " + SHA),
        (b"", "found an empty file, expected a GGUF file"),
        (b"<!doctype html>", "found HTML or XML, expected a GGUF file"),
        (b"PK\3\4", "found a file that begins with .*, expected a GGUF file"),
    ],
)
def test_another_file(file: Path, content: bytes, found: str) -> None:
    """What was found is said with the path."""
    file.write_bytes(content)
    with pytest.raises(ModelError, match=f"{file}: {found}"):
        read(by_path(file))
    assert look(by_path(file), {})["fault"].startswith(f"{file}: found")


def test_no_file(tmp_path: Path) -> None:
    """Nothing there, a directory, and a pipe, which nobody writes to, are no model."""
    os.mkfifo(tmp_path / "pipe")
    assert "No such file or directory, expected a file" in look(by_path(tmp_path / "x"), {})["fault"]
    assert "expected one on the host" in look(by_path(tmp_path / "pipe"), {})["fault"]
    assert "found no regular file" in look(by_path(tmp_path), {})["fault"]


def test_a_file_that_shrinks(file: Path) -> None:
    """What is cut off while it is read is found out."""
    with opened(by_path(file), {}) as source:
        file.write_bytes(CONTENT[:100])
        with pytest.raises(ModelError, match=rf"found \d+ bytes, expected {len(CONTENT)}: it is truncated"):
            list(source)


def test_from_a_server() -> None:
    """User and password go into a header; of a look only the beginning is read."""
    asked: list[tuple[str, str | None]] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append((request.path, request.headers["Authorization"]))
        sends(CONTENT)(request)

    with server(answer) as url:
        with_login = url.replace("//", "//me:s%20cret@") + "?t=1"
        assert read(by_url(), with_login) == CONTENT
        assert look(by_url(), {SHA: with_login}) == {"bytes": len(CONTENT), "fault": ""}
    assert asked == [("/own.gguf?t=1", "Basic bWU6cyBjcmV0")] * 2


def test_a_login_stays_with_its_server() -> None:
    """Whoever a server sends to does not learn the password."""
    asked: list[str | None] = []

    def other(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.headers["Authorization"])
        sends(CONTENT)(request)

    with server(other) as there:

        def moved(request: BaseHTTPRequestHandler) -> None:
            request.send_response(302)
            request.send_header("Location", there)
            request.send_header("Content-Length", "0")
            request.end_headers()

        with server(moved) as url:
            assert read(by_url(), url.replace("//", "//me:secret@")) == CONTENT
    assert asked == [None]


def without_length(request: BaseHTTPRequestHandler) -> None:
    """Answer without Content-Length."""
    request.send_response(200)
    request.end_headers()
    request.wfile.write(CONTENT)


def elsewhere(request: BaseHTTPRequestHandler) -> None:
    """Send to a file."""
    request.send_response(302)
    request.send_header("Location", "file:///etc/passwd")
    request.send_header("Content-Length", "0")
    request.end_headers()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (sends(b"<html>sign in</html>"), "found HTML or XML, expected a GGUF file"),
        (sends(b"no", status=404), "found the answer 404, expected the file"),
        (sends(b"no", status=401), "found the answer 401, expected the file"),
        (sends(CONTENT[:5000], len(CONTENT)), f"found 5000 bytes, expected {len(CONTENT)}: it is truncated"),
        (sends(CONTENT[:-1] + b"x"), "found SHA-256"),
        (without_length, "expected Content-Length"),
        (elsewhere, "found the answer 302"),
    ],
)
def test_a_server_that_gives_something_else(answer: Answer, found: str) -> None:
    """Each is named with the address, and without what is secret in it."""
    with server(answer) as url:
        secret = url.replace("//", "//me:s3cret7@") + "?token=t0ken77"
        with pytest.raises(ModelError) as caught:
            read(by_url(), secret)
    text = str(caught.value)
    assert found in text
    assert "/own.gguf" in text
    assert "s3cret7" not in text
    assert "t0ken77" not in text


def test_a_silent_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for so long, and no longer; nobody there is another fault."""
    monkeypatch.setattr(model_source, "SILENCE", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/own.gguf"
        assert "found no answer for 1 s, expected an answer" in look(by_url(), {SHA: url})["fault"]
    assert "found Connection refused, expected an answer" in look(by_url(), {SHA: url})["fault"]


def test_the_proxy_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that only the host's proxy knows is asked through it."""
    asked: list[str] = []

    def proxy(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        sends(CONTENT)(request)

    with server(proxy) as address:
        monkeypatch.setenv("http_proxy", address.rpartition("/")[0])
        assert read(by_url(), "http://models.invalid/own.gguf") == CONTENT
    assert asked == ["http://models.invalid/own.gguf"]
