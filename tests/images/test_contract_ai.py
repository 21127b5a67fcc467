# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The contract of the image `ai`, line by line (docs/images.md); test_contract_ai_faults.py has what goes wrong."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from docker.models.containers import Container

from tests.images.ai_server import (
    CHAT,
    EMBEDDING,
    ENDLESS,
    KEY,
    OPENED,
    STATUS,
    ask,
    chat,
    completion,
    connection,
    embed,
    manifest,
    start,
)
from tests.images.lab import DEFINITIONS, Lab, process, sh

#: A question and what it is about, the nearest sentence first.
SENTENCES = [
    "How much does the cordless drill cost?",
    "The price of the battery-powered drill is 89 euros.",
    "Our shop sells hammers, saws and other tools.",
    "The garden hose is ten metres long.",
    "Heavy rain is expected in Hamburg tomorrow.",
    "The orchestra played a symphony by Brahms.",
]
#: Their cosines with the first one, and the first numbers of two of them, by a forward pass in numpy (64 bits) over the
#: original weights with Hugging Face's tokenizer.
COSINES = [1.0, 0.68, 0.2976, 0.107, 0.0701, 0.0548]
NUMBERS = {
    0: [-0.0247, 0.0505, -0.0656, 0.0741, -0.0756, -0.0465, -0.077, 0.0448],
    5: [0.0518, 0.0454, 0.0172, 0.0735, -0.0965, 0.0767, -0.079, 0.0043],
}


@pytest.fixture(scope="module")
def checksums(lab: Lab) -> dict[str, str]:
    """Return the manifest of the image."""
    return manifest(lab)


@pytest.fixture(scope="module")
def server(lab: Lab, checksums: dict[str, str]) -> Container:
    """Return a server."""
    return start(lab, checksums)


#: What a model of text can't take.
IMAGE = [{"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/x.png"}}]


def wanted(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the response format of a schema."""
    return {"type": "json_schema", "json_schema": {"name": "colour", "schema": schema}}


def test_ai_hardened(server: Container) -> None:
    """Runs as 10002:10002, without capabilities or new privileges, on a read-only root."""
    status = process(server)
    assert (status["Name"], status["Uid"].split()[0], status["Gid"].split()[0]) == ("tini", "10002", "10002")
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert "Read-only" in sh(server, "touch /x 2>&1 || true")


def test_ai_health_check(server: Container) -> None:
    """The definition's health check, which has bash alone to work with, is green."""
    code, _ = server.exec_run(DEFINITIONS["ai"]["health"]["test"][1:])
    assert code == 0


def test_ai_least_memory(lab: Lab, checksums: dict[str, str]) -> None:
    """With what preflight asks for at least, and the settings of the definition, it starts and answers."""
    its = DEFINITIONS["ai"]
    context = {key: its["settings"][key] for key in ("context_tokens", "parallel")}
    least = its["least"]["memory"]
    container = start(lab, checksums, {"mem_limit": least, "memswap_limit": least}, **context)
    assert completion(container)
    container.reload()
    assert container.attrs["RestartCount"] == 0


def test_ai_models(server: Container) -> None:
    """/v1/models has both."""
    status, answer = ask(server, STATUS, "/v1/models")
    assert (status, answer["object"]) == (200, "list")
    assert [item["id"] for item in answer["data"]] == ["SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"]


@pytest.mark.parametrize(
    ("inside", "path"), [(STATUS, "/v1/models"), (CHAT, "/v1/chat/completions"), (EMBEDDING, "/v1/embeddings")]
)
def test_ai_key(server: Container, inside: int, path: str) -> None:
    """Each port asks for the key before anything else; /health of 8080 alone, which shows nothing, is open."""
    for headers in ({}, {"Authorization": f"Bearer {KEY}x"}, {"Authorization": KEY}, {"Authorization": "Bearer "}):
        for asked in (path, "/nothing"):
            status, answer = ask(server, inside, asked, b"no JSON", headers, "POST")
            assert (status, answer["error"]["code"]) == (401, "invalid_api_key")
    expected = (200, {"status": "ok"}) if inside == STATUS else 401
    found = ask(server, inside, "/health", headers={})
    assert expected in (found, found[0])


def test_ai_no_other_path(server: Container) -> None:
    """What llama.cpp's server has beside OpenAI's paths is not there, whatever the method."""
    for path in ("/", "/slots", "/props", "/metrics", "/lora-adapters", "/v1/models", "/models"):
        assert ask(server, CHAT, path)[0] == 404
    for path in ("/completion", "/tokenize", "/apply-template", "/v1/messages", "/v1/responses", "/v1/embeddings"):
        assert ask(server, CHAT, path, {"prompt": "x"})[0] == 404
    assert ask(server, CHAT, "/v1/chat/completions")[0] == 405
    assert ask(server, STATUS, "/health", {})[0] == 405


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, None),
        (b"[]", 400, None),
        (b"[" * 100000, 400, None),
        (chat("x", model="gpt-4"), 404, "model_not_found"),
        ({"messages": "x"}, 400, None),
        ({"messages": [{"content": "x"}]}, 400, None),  # llama.cpp itself says 500
        ({"messages": [{"role": "user", "content": IMAGE}]}, 400, None),  # and here
        (chat("x", n=99), 400, None),
        (chat("x", response_format={"type": "nothing"}), 400, None),
        (chat("x", logprobs=True, top_logprobs=10**9), 400, None),  # took all memory
        (chat("x", repeat_last_n=200_000_000), 400, None),
        (chat("x", grammar="root ::= " + "(" * 50_000), 400, None),  # ended the process
        (chat("x", response_format=wanted({"type": "string", "pattern": "^(a?){500}$"})), 400, None),  # never ended
        (chat("word " * 600), 400, "context_length_exceeded"),
        (b" " * (4 * 2**20 + 1), 413, None),
    ],
    ids=[
        "half",
        "no object",
        "deep",
        "model",
        "messages",
        "no role",
        "image",
        "n",
        "format",
        "memory",
        "window",
        "grammar",
        "pattern",
        "too long",
        "too large",
    ],
)
def test_ai_bad_request(server: Container, body: Any, status: int, code: str | None) -> None:
    """Is refused in OpenAI's form, and the next request is answered."""
    try:
        found, answer = ask(server, CHAT, "/v1/chat/completions", body)
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413  # refused while it was still being sent
    else:
        assert (found, answer["error"]["code"], answer["error"]["type"]) == (status, code, "invalid_request_error")
        assert answer["error"]["message"]
    assert completion(server)


def test_ai_context(server: Container) -> None:
    """One request may have all of `context_tokens`, and not a slot's share of them."""
    _, answer = ask(server, CHAT, "/v1/completions", {"prompt": "word " * 300, "max_tokens": 2})
    assert answer["usage"]["prompt_tokens"] >= 300
    _, answer = ask(server, CHAT, "/v1/completions", {"prompt": "word " * 520})
    assert "512 tokens; the request has 52" in answer["error"]["message"]


def test_ai_embedding_too_long(server: Container) -> None:
    """A text of more than 512 tokens is refused, alone and among others; llama.cpp itself says 500."""
    for texts in ("word " * 600, ["short", "word " * 600]):
        status, answer = ask(server, EMBEDDING, "/v1/embeddings", {"input": texts})
        assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")
        assert "512 tokens; the request has 602" in answer["error"]["message"]
    assert len(embed(server, ["word " * 510])[0]) == 384
    status, answer = ask(server, EMBEDDING, "/v1/embeddings", {"content": ["x"] * 2049})  # llama.cpp's name for `input`
    assert (status, answer["error"]["param"]) == (400, "content")


def test_ai_chat(server: Container) -> None:
    """Answers, and stops where it is asked to."""
    status, answer = ask(server, CHAT, "/v1/chat/completions", chat("What is the capital of France? One word."))
    assert status == 200
    assert "Paris" in answer["choices"][0]["message"]["content"]
    assert answer["model"] == "SmolLM2-135M-Instruct"
    tools = [{"type": "function", "function": {"name": "capital", "parameters": {"type": "object"}}}]
    asked = chat("What is the capital of France? One word.", tools=tools, tool_choice="auto", user="contract")
    assert "Paris" in ask(server, CHAT, "/v1/chat/completions", asked)[1]["choices"][0]["message"]["content"]
    status, answer = ask(server, CHAT, "/v1/chat/completions", chat("Count to a hundred.", max_tokens=3))
    assert (answer["usage"]["completion_tokens"], answer["choices"][0]["finish_reason"]) == (3, "length")


def test_ai_stream(server: Container) -> None:
    """A stream comes in parts, as they are made, and says the same as the whole answer."""
    asked = chat("What is the capital of France? One word.")
    client = connection(server, CHAT)
    client.request("POST", "/v1/chat/completions", json.dumps({**asked, "stream": True}), OPENED)
    response = client.getresponse()
    assert response.headers["Content-Type"].startswith("text/event-stream")
    times, text, last = [], "", b""
    for line in response:
        if line.startswith(b"data: {"):
            times.append(time.monotonic())
            text += json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
        last = line.strip() or last
    assert last == b"data: [DONE]"
    assert len({round(moment, 2) for moment in times}) >= 3
    whole = ask(server, CHAT, "/v1/chat/completions", asked)[1]
    assert text == whole["choices"][0]["message"]["content"]


def test_ai_json_schema(server: Container) -> None:
    """The answer keeps a JSON schema."""
    schema = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}, "required": ["colour"]}
    asked = chat("Is the sky blue?", response_format=wanted(schema), max_tokens=64)
    _, answer = ask(server, CHAT, "/v1/chat/completions", asked)
    assert json.loads(answer["choices"][0]["message"]["content"])["colour"] in ("red", "blue")


def test_ai_embeddings(server: Container) -> None:
    """Vectors are the model's own: 384 numbers of length 1, as an independent computation has them."""
    vectors = embed(server, SENTENCES)
    assert {len(vector) for vector in vectors} == {384}
    assert [sum(x * y for x, y in zip(vector, vectors[0], strict=True)) for vector in vectors] == pytest.approx(
        COSINES, abs=0.002
    )
    for index, numbers in NUMBERS.items():
        assert vectors[index][:8] == pytest.approx(numbers, abs=0.002)


def test_ai_many_at_once(server: Container) -> None:
    """32 requests wait for the two slots, and each is answered; health is green meanwhile."""
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(completion(server))) for _ in range(32)]
    for thread in threads:
        thread.start()
    healths = [ask(server, STATUS, "/health")[0] for _ in range(5)]
    for thread in threads:
        thread.join()
    assert (len(answers), all(answers)) == (32, True)
    assert healths == [200] * 5


@pytest.mark.parametrize("stream", [True, False])
def test_ai_client_that_leaves(server: Container, stream: bool) -> None:
    """A client that goes away frees its slot: nobody waits for answers that nobody reads."""
    started = time.monotonic()
    endless = {"prompt": "One, two,", **ENDLESS, "stream": stream}
    assert ask(server, CHAT, "/v1/completions", {**endless, "stream": False, "max_tokens": 50})[0] == 200
    part = time.monotonic() - started
    clients = [connection(server, CHAT) for _ in range(4)]
    for client in clients:
        client.request("POST", "/v1/completions", json.dumps(endless), OPENED)
    time.sleep(0.3)
    if stream:
        assert clients[0].getresponse().read(10)
    for client in clients:
        assert client.sock
        client.sock.close()
        client.close()
    started = time.monotonic()
    assert completion(server)
    assert time.monotonic() - started < part * 4  # all four, two at a time, take ten times as long as `part`


def test_ai_log_is_silent(server: Container) -> None:
    """The container's log has nothing of prompts, answers and keys, whatever was wrong with the request."""
    mark = "zebramarker"
    assert ask(server, CHAT, "/v1/chat/completions", chat(f"Repeat: {mark}"))[0] == 200
    assert embed(server, [mark])
    for body in (
        f'{{"messages": "{mark}" {mark}}}'.encode(),
        chat(mark, response_format={"type": mark}),
        chat(mark, response_format={"type": "json_schema", "json_schema": {"schema": {"type": mark}}}),
        chat(mark, grammar=f"root := {mark}"),
        chat(mark, temperature=mark),
        chat("word " * 600 + mark),
    ):
        assert ask(server, CHAT, f"/v1/{mark}?{mark}", body)[0] == 404
        assert ask(server, CHAT, "/v1/chat/completions", body)[0] == 400
    text = server.logs().decode()
    assert "SmolLM2-135M-Instruct is ready" in text
    assert mark not in text.lower()
    assert KEY not in text


def test_ai_secrets_are_nowhere(server: Container) -> None:
    """No key is in an environment or a command line."""
    found = sh(server, "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'")
    assert "/run/ready/ai.json" in found
    assert KEY not in found
    assert not [line for line in found.splitlines() if len(line) == 64]  # those that the processes have among them


def test_ai_licences(lab: Lab) -> None:
    """The licences of all that is in it are in it."""
    script = "cd /usr/share/doc/ready-ai && head -3 *; cat NOTICE"
    _, text = lab.once("ai", ["bash", "-c", script])
    for part in (
        "Apache License",
        "MIT License",
        "SmolLM2-135M-Instruct",
        "all-MiniLM-L6-v2",
        "llama.cpp",
        "xllamacpp",
    ):
        assert part in text


def test_ai_command(lab: Lab) -> None:
    """--version names the server's; without an argument it says what it wants; another command is run as it is."""
    assert lab.once("ai", ["ready-ai", "--version"])[1].startswith("2026.")
    code, text = lab.once("ai", ["ready-ai"])
    assert (code, "expected one. Next: ready-ai /run/ready/ai.json" in text) == (2, True)
    assert lab.once("ai", ["echo", "contract"]) == (0, "contract\n")
