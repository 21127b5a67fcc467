# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the model server of the image `ai` refuses, and in which words; tests/images has it at work."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ready.stack.definitions import load_definitions

from images.ai.ready_ai.answers import RefusalError, translated
from images.ai.ready_ai.asked import BRACKETS, IGNORED, PASSED, passed
from images.ai.ready_ai.config import ConfigError, load
from images.ai.ready_ai.front import BODY_BYTES, ROUTES, STATUS

CHAT_PATH, TEXT_PATH, EMBEDDINGS_PATH = PASSED

IMAGE = Path(__file__).resolve().parents[3] / "images/ai"


def content(directory: Path) -> dict[str, Any]:
    """Return ai.json as it must be."""
    (directory / "key").write_text("k" * 32 + "\n")
    model = {"name": "m", "file": "/m.gguf", "sha256": "0" * 64}
    return {
        "key_file": str(directory / "key"),
        "threads": 1,
        "chat": {**model, "context_tokens": 4096, "parallel": 2},
        "embedding": {**model, "dimensions": 384},
    }


def test_settings(tmp_path: Path) -> None:
    """What fits is taken as it is."""
    (tmp_path / "ai.json").write_text(json.dumps(content(tmp_path)))
    found = load(str(tmp_path / "ai.json"))
    assert (found.key, found.threads) == ("k" * 32, 1)
    assert (found.chat.limits, found.embedding.limits) == ({"context_tokens": 4096, "parallel": 2}, {"dimensions": 384})


@pytest.mark.parametrize(
    ("where", "key", "value", "said"),
    [
        ("chat", "parallel", True, "chat.parallel: found True, expected a whole number from 1 to 64"),
        ("chat", "context_tokens", "many", "chat.context_tokens: found 'many', expected a whole number"),
        ("chat", "sha256", "0" * 63, "expected text of the form [0-9a-f]{64}"),
        ("embedding", "file", "m.gguf", "embedding.file: found 'm.gguf', expected text of the form /.+"),
        ("embedding", "parallel", 2, "expected the keys dimensions, file, name, sha256"),
        ("", "chat", [], "chat: found [], expected the keys"),
        ("", "threads", 0, "threads: found 0"),
    ],
)
def test_settings_that_can_not_be(tmp_path: Path, where: str, key: str, value: Any, said: str) -> None:
    """Are named, with what was found and expected, and the next step."""
    settings = content(tmp_path)
    (settings[where] if where else settings)[key] = value
    (tmp_path / "ai.json").write_text(json.dumps(settings))
    with pytest.raises(ConfigError) as refused:
        load(str(tmp_path / "ai.json"))
    assert said in str(refused.value)
    assert "Next: " in str(refused.value)


def test_a_short_key_is_not_quoted(tmp_path: Path) -> None:
    """The message has no part of a key."""
    (tmp_path / "ai.json").write_text(json.dumps(content(tmp_path)))
    (tmp_path / "key").write_text("zebra")
    with pytest.raises(ConfigError, match="found 5 characters") as refused:
        load(str(tmp_path / "ai.json"))
    assert "zebra" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "message", "expected", "code"),
    [
        (500, "input (705 tokens) is too large to process. increase", 400, "context_length_exceeded"),
        (400, "request (9036 tokens) exceeds the available context size", 400, "context_length_exceeded"),
        (400, "Expected 'messages' to be an array", 400, None),
        (500, "Failed to parse messages: Missing 'role' in message: {}", 400, None),
        (500, "image input is not supported - hint: you may need to provide the mmproj", 400, None),
        (500, "something else", 500, None),
    ],
)
def test_errors_of_the_engine(status: int, message: str, expected: int, code: str | None) -> None:
    """Are OpenAI's, and a text that is too long is the client's fault."""
    found = translated(status, json.dumps({"error": {"code": status, "message": message}}).encode(), 512)
    assert (found.status, found.content["error"]["code"]) == (expected, code)
    assert set(found.content["error"]) == {"message", "type", "param", "code"}
    assert found.content["error"]["type"] == ("server_error" if expected >= 500 else "invalid_request_error")


def test_an_error_without_json() -> None:
    """Is a fault of the process."""
    assert translated(500, b"<html>", 512).status == 502


def look(content: Any, path: str = CHAT_PATH, **more: Any) -> dict[str, Any]:
    """Return what llama.cpp gets of a request, for a model of 512 tokens."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return dict(json.loads(passed(path, body, "m", 512, **more)))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100000, b"null", b'{"temperature": NaN}'])
def test_a_body_that_is_no_object(body: bytes) -> None:
    """Is refused without being quoted."""
    with pytest.raises(RefusalError) as refused:
        look(body)
    assert refused.value.status == 400


def test_another_model() -> None:
    """Is OpenAI's 404; the name that is served, or none, is right."""
    with pytest.raises(RefusalError) as refused:
        look({"model": "gpt"})
    assert (refused.value.status, refused.value.content["error"]["code"]) == (404, "model_not_found")
    assert look({"model": "m"}) == {"model": "m"}
    assert look({}) == {}


@pytest.mark.parametrize("path", PASSED)
@pytest.mark.parametrize(
    "key",
    ["repeat_last_n", "dry_penalty_last_n", "grammar", "json_schema", "content", "n_probs", "samplers", "cache_prompt"],
)
def test_parameters_of_the_engine(path: str, key: str) -> None:
    """Do not reach it: one could take all memory, or end the process. OpenAI's own message names the first."""
    with pytest.raises(RefusalError, match=f"Unrecognized request argument supplied: {key}") as refused:
        look({key: 200000000}, path)
    assert (refused.value.status, refused.value.content["error"]["param"]) == (400, key)


def test_parameters_of_openai() -> None:
    """Are passed on as they are, left out where they say nothing to the model, and null is none."""
    said = {"messages": [{"role": "user", "content": "Grüße 🙂"}], "max_completion_tokens": 3, "seed": 1, "stop": ["x"]}
    ignored: dict[str, Any] = {
        "tools": [{"type": "function"}],
        "tool_choice": "auto",
        "user": "u",
        "metadata": {},
        "top_p": None,
    }
    assert look({**said, **ignored}) == said
    assert look({"prompt": "x", "best_of": 9, "echo": False}, TEXT_PATH) == {"prompt": "x", "echo": False}
    assert look({"input": "x", "user": "u"}, EMBEDDINGS_PATH) == {"input": "x"}


@pytest.mark.parametrize(
    ("path", "file", "name"),
    [
        (CHAT_PATH, "chat/completion_create_params.py", "CompletionCreateParamsBase"),
        (TEXT_PATH, "completion_create_params.py", "CompletionCreateParamsBase"),
        (EMBEDDINGS_PATH, "embedding_create_params.py", "EmbeddingCreateParams"),
    ],
)
def test_what_openais_client_sends_is_known(path: str, file: str, name: str) -> None:
    """What the client's own types name is passed on or left out: none of it is an error."""
    package = importlib.util.find_spec("openai")  # to import it takes seconds
    assert package
    assert package.origin
    parts = ast.parse((Path(package.origin).parent / "types" / file).read_text()).body
    body = next(part.body for part in parts if isinstance(part, ast.ClassDef) and part.name == name)
    found = {part.target.id for part in body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)}
    assert "model" in found
    assert found - PASSED[path] - IGNORED[path] == set()


def test_dimensions() -> None:
    """Are the model's alone: vectors of another length would be a silent fault."""
    assert look({"input": "x", "dimensions": 384}, EMBEDDINGS_PATH, dimensions=384) == {"input": "x"}
    with pytest.raises(RefusalError, match="384 dimensions alone"):
        look({"input": "x", "dimensions": 256}, EMBEDDINGS_PATH, dimensions=384)


DEEP = json.loads('{"a":' * 40 + "1" + "}" * 40)
#: Each definition names the next ten times.
MANY: dict[str, Any] = {
    "$defs": {
        **{f"n{i}": {"anyOf": [{"$ref": f"#/$defs/n{i + 1}"}] * 10} for i in range(8)},
        "n8": {"type": "string"},
    },
    "$ref": "#/$defs/n0",
}


def schema(value: Any) -> dict[str, Any]:
    """Return a response format."""
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": value}}


@pytest.mark.parametrize(
    ("path", "key", "most", "more", "said"),
    [
        (CHAT_PATH, "top_logprobs", 20, 21, "top_logprobs is 21; expected 20 at most"),
        (TEXT_PATH, "logprobs", 20, 1e9, "expected 20 at most"),
        (CHAT_PATH, "logprobs", True, 10**9, "expected 20 at most"),
        (CHAT_PATH, "n", 2, 2**32 + 1, "expected 20 at most"),
        (CHAT_PATH, "n", 1, -1, "expected 20 at most"),
        (CHAT_PATH, "stop", "x" * 256, "x" * 257, "stop has 257 bytes in a text"),
        (CHAT_PATH, "stop", ["x"] * 16, ["x"] * 17, "stop has 17 texts"),
        (CHAT_PATH, "logit_bias", {str(n): 1 for n in range(300)}, {str(n): 1 for n in range(301)}, "301 tokens"),
        (CHAT_PATH, "logit_bias", {"1": -100}, [[1, -100]], "not an object"),
        (CHAT_PATH, "stream_options", {"include_usage": True}, {"a": DEEP}, "nested deeper than 32"),
        (CHAT_PATH, "seed", 1, "1" * 40000, "beside the texts"),
        (CHAT_PATH, "messages", [{"content": "x" * 8100}], [{"content": "x" * 8193}], "context length is 512"),
        (CHAT_PATH, "messages", [{}] * 10, [{}] * 4096, "context length is 512"),
        (CHAT_PATH, "messages", [{"content": [{"text": "x"}]}], [DEEP], "nested deeper"),
        (TEXT_PATH, "prompt", "ü" * 4096, "ü" * 4097, "8192 bytes of text are taken; prompt has 8194"),
        (TEXT_PATH, "prompt", [1] * 512, [1] * 513, "512 tokens; the request has 513"),
        (TEXT_PATH, "prompt", ["x"] * 20, ["x"] * 21, "prompt has 21 texts"),
        (TEXT_PATH, "prompt", [[1], "x"], {"prompt_string": "x"}, "neither a text"),
        (EMBEDDINGS_PATH, "input", ["a"] * 2048, ["a"] * 2049, "input has 2049 texts"),
        (EMBEDDINGS_PATH, "input", [[1]] * 2048, [[1]] * 2049, "input has 2049 texts"),
        (EMBEDDINGS_PATH, "input", ["x", "x" * 8192], ["x", "x" * 8193], "context length is 512"),
        (
            CHAT_PATH,
            "response_format",
            {"type": "json_object"},
            {"type": "json_object", "schema": {}},
            "not as expected",
        ),
        (CHAT_PATH, "response_format", {"type": "text"}, {"type": "grammar"}, "not as expected"),
        (
            CHAT_PATH,
            "response_format",
            schema({"properties": {"pattern": {}}}),
            schema({"pattern": "(a?)*"}),
            "pattern",
        ),
        (CHAT_PATH, "response_format", schema({"enum": [*range(500)]}), schema({"enum": [*range(501)]}), "500 parts"),
        (CHAT_PATH, "response_format", schema({"items": {"$ref": "#"}}), schema(MANY), "500 parts"),
        (CHAT_PATH, "response_format", schema({"type": "object"}), schema(DEEP), "nested deeper"),
    ],
)
def test_requests_that_would_take_too_much(path: str, key: str, most: Any, more: Any, said: str) -> None:
    """What llama.cpp makes room for without a limit has one."""
    assert look({key: most}, path) == {key: most}
    with pytest.raises(RefusalError, match=re.escape(said)) as refused:
        look({key: more}, path)
    assert refused.value.status == 400
    assert refused.value.content["error"]["code"] == (
        "context_length_exceeded" if "512" in said or "8192" in said else None
    )


def test_a_body_of_empty_lists() -> None:
    """Is not taken apart: that would take a hundred MiB."""
    assert look(b'{"tools": [' + b"[]," * (BRACKETS - 3) + b"[]]}") == {}
    with pytest.raises(RefusalError, match="lists and objects"):
        look(b'{"tools": [' + b"[]," * (BRACKETS - 2) + b"[]]}")


def test_half_a_surrogate_pair() -> None:
    """Is no Unicode, which llama.cpp does not take either."""
    with pytest.raises(RefusalError, match="surrogate"):
        look(b'{"prompt": "\\ud83d"}', TEXT_PATH)


def test_the_largest_body_is_the_gateways() -> None:
    """The front takes what the gateway lets through, and no more."""
    assert load_definitions()["ai"]["gateway"]["body_bytes"] == BODY_BYTES


def test_the_image_has_the_ports() -> None:
    """The Containerfile names the ports of the front."""
    assert f"EXPOSE {' '.join(map(str, ROUTES))}\n" in (IMAGE / "Containerfile").read_text()
    assert STATUS == 8080
