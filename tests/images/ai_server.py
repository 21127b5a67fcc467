# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real server of the image `ai`, and how its tests ask it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from docker.models.containers import Container

from tests.images.lab import Lab, port, until

KEY = "contract-" + "k" * 32
OPENED = {"Authorization": f"Bearer {KEY}"}
STATUS, CHAT, EMBEDDING = 8080, 8081, 8082
#: In a stack nothing of it is published.
PUBLISHED = {f"{port}/tcp": ("127.0.0.1", None) for port in (STATUS, CHAT, EMBEDDING)}
MODELS = "/opt/ready-ai/models"
#: llama.cpp's end of a text and of a message, never chosen: the answer is as long as was asked for.
ENDLESS = {"logit_bias": {"0": -100, "2": -100}}


def settings(checksums: dict[str, str], **chat: Any) -> dict[str, Any]:
    """Return ai.json as Ready writes it, for the models of the image; `chat` is what differs."""
    names = {"chat": "SmolLM2-135M-Instruct", "embedding": "all-MiniLM-L6-v2"}
    files = {kind: next(file for file in checksums if file.startswith(name)) for kind, name in names.items()}
    model = {
        kind: {"name": names[kind], "file": f"{MODELS}/{file}", "sha256": checksums[file]}
        for kind, file in files.items()
    }
    return {
        "key_file": "/run/ready/secrets/server",
        "threads": 1,
        "chat": {**model["chat"], "context_tokens": 512, "parallel": 2, **chat},
        "embedding": {**model["embedding"], "dimensions": 384},
    }


def volume(lab: Lab, content: dict[str, Any], **more: tuple[str | bytes, int]) -> list[str]:
    """Return the mount of a config volume, as Ready fills it."""
    files: dict[str, tuple[str | bytes, int]] = {"ai.json": (json.dumps(content), 0o400), **more}
    files["secrets/server"] = (KEY, 0o400)
    return [f"{lab.volume('ai', files, '10002:10002')}:/run/ready:ro"]


def manifest(lab: Lab) -> dict[str, str]:
    """Return the manifest of the image: file -> SHA-256."""
    code, text = lab.once("ai", ["cat", f"{MODELS}/SHA256SUMS"])
    assert code == 0
    return {file: digest for digest, file in (line.split() for line in text.splitlines())}


def start(
    lab: Lab, checksums: dict[str, str], limits: Mapping[str, Any] = MappingProxyType({}), **chat: Any
) -> Container:
    """Return a hardened server that answers; `chat` is what differs in its settings, `limits` in its container's."""
    mounts = volume(lab, settings(checksums, **chat))
    container = lab.start("ai", volumes=mounts, restart_policy={"Name": "always"}, ports=PUBLISHED, **limits)
    until(lambda: ask(container, STATUS, "/health")[0] == 200, container, 60)
    return container


def connection(container: Container, inside: int, seconds: float = 60) -> http.client.HTTPConnection:
    """Return a connection to one of the ports."""
    return http.client.HTTPConnection("127.0.0.1", port(container, inside), timeout=seconds)


def ask(
    container: Container, inside: int, path: str, body: Any = None, headers: dict[str, str] = OPENED, method: str = ""
) -> tuple[int, Any]:
    """Return the status and the JSON of an answer; `body` is JSON unless it is bytes."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    client = connection(container, inside)
    try:
        client.request(method or ("GET" if body is None else "POST"), path, data, headers)
        response = client.getresponse()
        return response.status, json.loads(response.read())
    finally:
        client.close()


def chat(text: str, **more: Any) -> dict[str, Any]:
    """Return a request for a chat."""
    return {"messages": [{"role": "user", "content": text}], "max_tokens": 16, "temperature": 0, **more}


def completion(container: Container) -> str:
    """Return the answer to the shortest question."""
    status, answer = ask(container, CHAT, "/v1/completions", {"prompt": "One, two, three,", "max_tokens": 2})
    assert status == 200, answer
    return str(answer["choices"][0]["text"])


def embed(container: Container, texts: list[str]) -> list[list[float]]:
    """Return the vectors of texts."""
    status, answer = ask(container, EMBEDDING, "/v1/embeddings", {"model": "all-MiniLM-L6-v2", "input": texts})
    assert status == 200, answer
    return [item["embedding"] for item in answer["data"]]
