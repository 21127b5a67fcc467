# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a request reaches llama.cpp: OpenAI's parameters alone, and no more of them than the memory is for.

llama.cpp takes some hundred further parameters from a request, and makes room for whatever they name: windows of
penalties, grammars, probabilities. A text beyond the context takes two hundred times its size before it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from .answers import TOO_LONG, RefusalError

_SAMPLING = {
    *("max_tokens", "temperature", "top_p", "n", "stop", "seed", "presence_penalty", "frequency_penalty"),
    *("logit_bias", "logprobs", "stream", "stream_options"),
}
#: Path -> the parameters that are passed on.
PASSED = {
    "/v1/chat/completions": {
        *("model", "messages", "max_completion_tokens", "top_logprobs", "response_format"),
        *_SAMPLING,
    },
    "/v1/completions": {"model", "prompt", "echo", *_SAMPLING},
    "/v1/embeddings": {"model", "input", "encoding_format"},
}
#: Path -> OpenAI's parameters that clients send, and that say nothing to these models.
IGNORED = {
    "/v1/chat/completions": {
        *("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "user", "safety_identifier"),
        *("metadata", "store", "service_tier", "reasoning_effort", "verbosity", "modalities", "audio", "prediction"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "web_search_options", "moderation"),
    },
    "/v1/completions": {"user", "best_of", "suffix"},
    "/v1/embeddings": {"user", "dimensions"},
}
#: Bytes of text for each token of the context. A token of usual text has four.
TOKEN_BYTES = 16
#: How many of a kind a request may have; texts to embed and probabilities as at OpenAI.
TEXTS, PROMPTS, ALTERNATIVES, STOPS, BIASES = 2048, 20, 20, 16, 300
#: Bytes of a text to stop at, and of all parameters but the texts.
STOP_BYTES, REST_BYTES = 256, 32 << 10
#: Lists and objects of a body, and brackets in its texts. An empty list takes twenty-five times its bytes.
BRACKETS = 1 << 18
#: Lists and objects within each other. llama.cpp goes down into them on its stack.
DEPTH = 32
#: Objects and values of enumerations that a schema may have. With 1000 values a token takes seconds.
SCHEMA_PARTS = 500
#: Keys of a JSON schema whose value is data, not a schema.
DATA = {"const", "default", "enum", "examples"}


def _body(body: bytes) -> dict[str, Any]:
    def refuse(found: str) -> float:
        raise ValueError(found)

    if body.count(b"[") + body.count(b"{") > BRACKETS:
        raise RefusalError(400, f"The body has more than {BRACKETS} lists and objects, or their brackets in texts.")
    try:
        content = json.loads(body, parse_constant=refuse)  # NaN and Infinity are Python's own
    except (ValueError, RecursionError):  # the exception quotes the body
        raise RefusalError(400, "The body is not JSON; expected a JSON object in UTF-8.") from None
    if not isinstance(content, dict):
        raise RefusalError(400, "The body is not a JSON object.")
    return content


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _most(key: str, found: object, most: int, what: str) -> RefusalError:
    return RefusalError(400, f"{key} has {found} {what}; expected {most} at most.", param=key)


def _fits(key: str, size: int, tokens: int) -> None:
    """Raise RefusalError for a text that has far more bytes than the context can have tokens."""
    if size > tokens * TOKEN_BYTES:
        message = (
            f"This model's maximum context length is {tokens} tokens, for which {tokens * TOKEN_BYTES} bytes of text "
            f"are taken; {key} has {size}."
        )
        raise RefusalError(400, message, TOO_LONG, key)


def _shallow(key: str, value: Any) -> None:
    """Raise RefusalError for what is nested too deeply."""
    level = [value]
    for _ in range(DEPTH + 1):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    if level:
        raise RefusalError(400, f"{key} is nested deeper than {DEPTH} levels.", param=key)


def _texts(key: str, value: Any, tokens: int, most: int) -> None:
    """Look at what may be a text, the tokens of one, or a list of such."""

    def numbers(item: Any) -> bool:
        return isinstance(item, list) and all(isinstance(number, int) for number in item)

    items = [value] if isinstance(value, str) or (value and numbers(value)) else value
    if not isinstance(items, list) or not all(isinstance(item, str) or numbers(item) for item in items):
        raise RefusalError(400, f"{key} is neither a text, nor the tokens of one, nor a list of such.", param=key)
    if len(items) > most:
        raise _most(key, len(items), most, "texts")
    for item in items:
        if isinstance(item, str):
            _fits(key, _bytes(item), tokens)
        elif len(item) > tokens:
            message = f"This model's maximum context length is {tokens} tokens; the request has {len(item)}."
            raise RefusalError(400, message, TOO_LONG, key)


def _messages(key: str, value: Any, tokens: int) -> None:
    if not isinstance(value, list):
        raise RefusalError(400, f"{key} is not a list.", param=key)
    _shallow(key, value)
    _fits(key, _bytes(json.dumps(value, ensure_ascii=False)), tokens)


def _count(key: str, value: Any, tokens: int) -> None:
    if not isinstance(value, int) or not 0 <= value <= ALTERNATIVES:
        raise RefusalError(400, f"{key} is {value!r:.40}; expected {ALTERNATIVES} at most.", param=key)


def _stop(key: str, value: Any, tokens: int) -> None:
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise RefusalError(400, f"{key} is neither a text nor a list of texts.", param=key)
    if len(texts) > STOPS:
        raise _most(key, len(texts), STOPS, "texts")
    if (longest := max(map(_bytes, texts), default=0)) > STOP_BYTES:
        raise _most(key, longest, STOP_BYTES, "bytes in a text")


def _biases(key: str, value: Any, tokens: int) -> None:
    if not isinstance(value, dict) or not all(isinstance(bias, int | float) for bias in value.values()):
        raise RefusalError(400, f"{key} is not an object of tokens, each with a number.", param=key)
    if len(value) > BIASES:
        raise _most(key, len(value), BIASES, "tokens")


def _followed(root: Any, value: Any, on: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield a schema's parts as often as its grammar has them: what `$ref` names is followed, except into itself."""
    if isinstance(value, list):
        for item in value:
            yield from _followed(root, item, on)
    elif isinstance(value, dict):
        yield value
        for key, item in value.items():
            if key not in DATA and (key not in ("$defs", "definitions") or value is not root):
                yield from _followed(root, item, on)
        where = value.get("$ref")
        if isinstance(where, str) and where.startswith("#/") and where not in on:
            named = root
            for part in where[2:].split("/"):
                named = named.get(part) if isinstance(named, dict) else None
            yield from _followed(root, named, (*on, where))


def _schema(key: str, schema: Any) -> None:
    """Raise RefusalError for a schema whose grammar has so many ways that the model is occupied for ever."""
    number = 0
    for part in _followed(schema, schema):
        values = part.get("enum")
        number += len(values) if isinstance(values, list) else 1
        if isinstance(part.get("pattern"), str) or "patternProperties" in part:
            raise RefusalError(400, "A schema's pattern and patternProperties are not taken here.", param=key)
        if number > SCHEMA_PARTS:
            message = f"The schema has more than {SCHEMA_PARTS} parts, those counted again that $ref names."
            raise RefusalError(400, message, param=key)


def _format(key: str, value: Any, tokens: int) -> None:
    kinds = {"text": {"type"}, "json_object": {"type"}, "json_schema": {"type", "json_schema"}}
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or not kinds.get(kind, set()) >= set(value):
        raise RefusalError(
            400, f"{key} is not as expected: a type (text, json_object or json_schema, with json_schema).", param=key
        )
    _shallow(key, value)
    wanted = value.get("json_schema", {})
    if not isinstance(wanted, dict):
        raise RefusalError(400, "json_schema is not an object.", param=key)
    _schema(key, wanted.get("schema"))


#: Parameter -> what looks at it. The others are single values, which llama.cpp refuses itself where they are wrong.
CHECKS: dict[str, Callable[[str, Any, int], None]] = {
    "messages": _messages,
    "prompt": lambda key, value, tokens: _texts(key, value, tokens, PROMPTS),
    "input": lambda key, value, tokens: _texts(key, value, tokens, TEXTS),
    "n": _count,
    "logprobs": _count,
    "top_logprobs": _count,
    "stop": _stop,
    "logit_bias": _biases,
    "response_format": _format,
}


def passed(path: str, body: bytes, model: str, tokens: int, dimensions: int | None = None) -> bytes:
    """Return the body that llama.cpp gets of a request.

    `model` is the name that is served, `tokens` what a text of it may have, and `dimensions` those of its vectors.
    A parameter that is null counts as left out. Raises RefusalError.
    """
    content = {key: value for key, value in _body(body).items() if value is not None}
    asked = content.get("model", model)
    if asked != model:
        raise RefusalError(
            404,
            f"The model {asked!r:.200} does not exist at this path; expected {model!r}.",
            "model_not_found",
            "model",
        )
    unknown = sorted(set(content) - PASSED[path] - IGNORED[path])
    if unknown:
        raise RefusalError(400, f"Unrecognized request argument supplied: {unknown[0]:.64}", param=unknown[0][:64])
    if path == "/v1/embeddings" and dimensions and content.get("dimensions", dimensions) != dimensions:
        raise RefusalError(400, f"This model's vectors have {dimensions} dimensions alone.", param="dimensions")
    found = {key: value for key, value in content.items() if key in PASSED[path]}
    for key, value in found.items():
        if key in CHECKS:
            CHECKS[key](key, value, tokens)
        else:
            _shallow(key, value)
    rest = {key: value for key, value in found.items() if key not in ("messages", "prompt", "input")}
    if (size := len(json.dumps(rest))) > REST_BYTES:
        raise RefusalError(400, f"The parameters beside the texts have {size} bytes; expected {REST_BYTES} at most.")
    try:
        return json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise RefusalError(400, "A text has half a surrogate pair; expected Unicode.") from None
