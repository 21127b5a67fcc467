# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers and refusals in the form of OpenAI's API."""

from __future__ import annotations

import json
import re
from typing import Any

INVALID, SERVER = "invalid_request_error", "server_error"
TOO_LONG = "context_length_exceeded"


class RefusalError(Exception):
    """A request is refused: `status` is HTTP's, `content` OpenAI's error."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        kind = SERVER if status >= 500 else INVALID
        self.status = status
        self.content = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def translated(status: int, body: bytes, tokens: int) -> RefusalError:
    """Return llama.cpp's error in OpenAI's form; `tokens` is what one request may have."""
    try:
        found: dict[str, Any] = json.loads(body)["error"]
        message = str(found["message"])
    except (ValueError, LookupError, TypeError):
        return RefusalError(502, "The model's process gave an answer that is no JSON.")
    # Of a text to embed llama.cpp says so with status 500, of a chat with 400.
    long = re.match(r"(?:input|request) \((\d+) tokens\) (?:is too large|exceeds)", message)
    if long:
        text = f"This model's maximum context length is {tokens} tokens; the request has {long[1]}."
        return RefusalError(400, text, TOO_LONG)
    # Of these it says 500 too, which clients send again and a check calls a fault of the service.
    if message.startswith("Failed to parse messages:"):
        return RefusalError(400, message)
    if other := re.match(r"(\w+) input is not supported", message):
        return RefusalError(400, f"This model takes text alone: {other[1]} input is not supported.")
    return RefusalError(status, message)
