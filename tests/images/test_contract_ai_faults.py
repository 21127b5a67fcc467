# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The contract of the image `ai` where something goes wrong: memory, a process that ends, files, settings."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from docker.models.containers import Container

from images.ai.ready_ai.asked import BRACKETS, TOKEN_BYTES
from images.ai.ready_ai.engine import EMBEDDING_TOKENS
from tests.images.ai_server import (
    CHAT,
    EMBEDDING,
    ENDLESS,
    MODELS,
    OPENED,
    STATUS,
    ask,
    completion,
    connection,
    manifest,
    settings,
    start,
    volume,
)
from tests.images.lab import DEFINITIONS, Lab, port, sh, until


@pytest.fixture(scope="module")
def checksums(lab: Lab) -> dict[str, str]:
    """Return the manifest of the image."""
    return manifest(lab)


@pytest.fixture(scope="module")
def server(lab: Lab, checksums: dict[str, str]) -> Container:
    """Return a server as Ready sets it up."""
    return start(lab, checksums, context_tokens=DEFINITIONS["ai"]["settings"]["context_tokens"])


def worker(container: Container, kind: str) -> int:
    """Return the process id, in the container, of a model's process: they were started in this order."""
    script = "grep -lz -e '^--serve$' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | sort -n"
    return int(sh(container, script).split()[["chat", "embedding"].index(kind)])


def words(size: int) -> str:
    """Return a text of so many bytes, with a token for every other one."""
    return "a " * (size // 2)


def largest() -> list[tuple[int, str, Any]]:
    """Return requests as large as the gateway lets through, or as the front lets reach llama.cpp: port, path, body."""
    body = int(DEFINITIONS["ai"]["gateway"]["body_bytes"])
    text = int(DEFINITIONS["ai"]["settings"]["context_tokens"]) * TOKEN_BYTES
    return [
        (CHAT, "/v1/chat/completions", {"messages": [{"role": "user", "content": words(body - 100)}]}),
        (CHAT, "/v1/chat/completions", b'{"messages": [[]' + b",[]" * (BRACKETS - 3) + b"]}"),
        (CHAT, "/v1/completions", {"prompt": [words(text)] * 20}),
        (EMBEDDING, "/v1/embeddings", {"input": words(body - 100)}),
        (EMBEDDING, "/v1/embeddings", {"input": [words(EMBEDDING_TOKENS * TOKEN_BYTES), *[words(2030)] * 2047]}),
    ]


def test_ai_memory(server: Container) -> None:
    """The largest requests, two of each at once, are refused with room to spare below the limit on memory."""
    asked = [request for request in largest() for _ in range(2)]
    with ThreadPoolExecutor(len(asked)) as pool:
        found = list(pool.map(lambda request: ask(server, *request), asked))
    assert [(status, answer["error"]["code"]) for status, answer in found] == [(400, "context_length_exceeded")] * len(
        asked
    )
    peaks = sh(server, "cat /proc/[0-9]*/status").splitlines()
    taken = sum(int(line.split()[1]) << 10 for line in peaks if line.startswith("VmHWM"))
    assert taken < 0.9 * server.attrs["HostConfig"]["Memory"]
    assert completion(server)
    server.reload()
    assert server.attrs["RestartCount"] == 0


def test_ai_idle_connections(server: Container) -> None:
    """One peer that opens connections and says nothing leaves room for others, such as the health check."""
    opened = [
        socket.create_connection(("127.0.0.1", port(server, inside))) for inside in (STATUS, CHAT) for _ in range(60)
    ]
    try:
        for one in opened:
            one.sendall(b"GET /hea")
        code, _ = server.exec_run(DEFINITIONS["ai"]["health"]["test"][1:])
        assert code == 0
    finally:
        for one in opened:
            one.close()
    until(lambda: completion(server), server)


@pytest.mark.parametrize("kind", ["chat", "embedding"])
def test_ai_a_process_that_hangs(server: Container, kind: str) -> None:
    """Health and /v1/models say so without waiting for it, in OpenAI's form, and are green again when it answers."""
    pid = worker(server, kind)
    sh(server, f"kill -STOP {pid}")
    try:
        for path in ("/health", "/v1/models"):
            started = time.monotonic()
            status, answer = ask(server, STATUS, path)
            assert (status, answer["error"]["type"]) == (503, "server_error")
            assert kind in answer["error"]["message"]
            assert time.monotonic() - started < 30  # it waits for PATIENCE; without that until the process continues
    finally:
        sh(server, f"kill -CONT {pid}")
    until(lambda: ask(server, STATUS, "/health")[0] == 200, server)
    assert server.attrs["RestartCount"] == 0


def broken(container: Container, act: Callable[[], object]) -> bytes:
    """Begin a stream, do something to the container, and return what came; the end of the stream must be missing."""
    client = connection(container, CHAT)
    asked = {"prompt": "One, two,", **ENDLESS, "stream": True}
    client.request("POST", "/v1/completions", json.dumps(asked), OPENED)
    response = client.getresponse()
    began = response.read(20)
    act()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    return began


def test_ai_killed_in_the_middle_of_an_answer(server: Container) -> None:
    """The client sees that its answer broke off; the container ends and Docker starts it again."""
    assert broken(server, lambda: sh(server, f"kill -KILL {worker(server, 'chat')}")).startswith(b"data: {")

    def restarted() -> bool:
        server.reload()
        return int(server.attrs["RestartCount"]) == 1

    until(restarted, server)
    until(lambda: ask(server, STATUS, "/health")[0] == 200, server)
    assert "chat: found killed by SIGKILL, as when memory is short after it was ready" in server.logs().decode()
    assert completion(server)


def test_ai_stops_in_time(server: Container) -> None:
    """SIGTERM ends it, in the middle of an answer too, with 0."""
    started = time.monotonic()
    assert broken(server, lambda: server.stop(timeout=60))
    assert time.monotonic() - started < 30
    assert server.wait()["StatusCode"] == 0


@pytest.fixture
def refused(lab: Lab) -> Callable[..., str]:
    """Return what starts a server that must not come up: it returns its log."""

    def refuse(code: int, mounts: list[str], **options: Any) -> str:
        hardened = {"user": "10002:10002", "read_only": True, "network_mode": "none", **options}
        found, text = lab.once("ai", ["ready-ai", "/run/ready/ai.json"], volumes=mounts, **hardened)
        assert (found, "is ready" in text) == (code, False), text
        return text

    return refuse


def test_ai_model_file(lab: Lab, checksums: dict[str, str], refused: Callable[..., str]) -> None:
    """A model that is missing, truncated or another one keeps the server from listening, and it says which."""
    right = settings(checksums)
    missing = refused(2, volume(lab, settings(checksums, file=f"{MODELS}/none.gguf")))
    assert "none.gguf: found No such file or directory, expected the model SmolLM2" in missing
    other = refused(2, volume(lab, settings(checksums, sha256="0" * 64)))
    assert f"found SHA-256 {right['chat']['sha256']} of 98362432 bytes, expected 000" in other
    cut = settings(checksums, file="/run/ready/cut.gguf")
    truncated = refused(2, volume(lab, cut, **{"cut.gguf": (b"GGUF\3\0\0\0", 0o400)}))
    assert "cut.gguf: found SHA-256" in truncated
    assert "of 8 bytes" in truncated
    assert all("Next: " in text for text in (missing, other, truncated))


def test_ai_model_that_does_not_fit(lab: Lab, checksums: dict[str, str], refused: Callable[..., str]) -> None:
    """A file of the right checksum that is no model, or has other dimensions, ends the server too."""
    text = b"no model"
    digest = hashlib.sha256(text).hexdigest()
    content = settings(checksums, file="/run/ready/no.gguf", sha256=digest)
    assert "chat: /run/ready/no.gguf can't be loaded" in refused(1, volume(lab, content, **{"no.gguf": (text, 0o400)}))
    content = settings(checksums)
    content["embedding"]["dimensions"] = 768
    _, log = lab.once("ai", ["ready-ai", "/run/ready/ai.json"], volumes=volume(lab, content), user="10002:10002")
    assert (
        "found 384 dimensions in /opt/ready-ai/models/all-MiniLM-L6-v2.F16.gguf, expected 768. Next: correct what"
        in log
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threads": 0}, "threads: found 0, expected a whole number from 1 to 256"),
        ({"colour": 1}, "expected the keys chat, embedding, key_file, threads"),
        ({"key_file": "/run/ready/none"}, "/run/ready/none: found FileNotFoundError, expected the server's key"),
    ],
)
def test_ai_settings(
    lab: Lab, checksums: dict[str, str], refused: Callable[..., str], change: dict[str, Any], said: str
) -> None:
    """Settings that can't be are named."""
    assert said in refused(2, volume(lab, settings(checksums) | change))


def test_ai_short_of_memory(lab: Lab, checksums: dict[str, str], refused: Callable[..., str]) -> None:
    """With too little memory it ends, and says of what; it never becomes healthy."""
    text = refused(1, volume(lab, settings(checksums)), mem_limit="96m", memswap_limit="96m")
    assert "killed by SIGKILL, as when memory is short, expected none. Next: give the container more" in text
