# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the server is to serve: ai.json, the key, and the checksums of the models' files."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AGAIN = "Next: run ./ready up, which writes the file"


class ConfigError(Exception):
    """The server can't start; the message says what was found, what was expected, and the next step."""


@dataclass(frozen=True)
class Model:
    """One model. `limits` are whole numbers: context_tokens and parallel of chat, dimensions of embedding."""

    kind: str
    name: str
    file: str
    sha256: str
    limits: dict[str, int]

    def check(self) -> None:
        """Compare the file with its checksum. Raises ConfigError."""
        digest, size = hashlib.sha256(), 0
        try:
            with Path(self.file).open("rb") as handle:
                while data := handle.read(1 << 20):
                    digest.update(data)
                    size += len(data)
        except OSError as error:
            raise ConfigError(
                f"{self.file}: found {error.strerror}, expected the model {self.name}. "
                "Next: give a file that is there as the model's `file`."
            ) from None
        if digest.hexdigest() != self.sha256:
            raise ConfigError(
                f"{self.file}: found SHA-256 {digest.hexdigest()} of {size} bytes, expected {self.sha256}. "
                f"Next: copy the file of {self.name} again, or correct the model's `sha256`."
            )


@dataclass(frozen=True)
class Config:
    """ai.json, checked. `key` is the content of key_file; `threads` are of each model."""

    key: str
    threads: int
    chat: Model
    embedding: Model


#: Model -> its limits, each with the largest value.
LIMITS = {"chat": {"context_tokens": 1 << 20, "parallel": 64}, "embedding": {"dimensions": 1 << 16}}


class _Reader:
    """Takes values out of the file, and names it and the key where one does not fit."""

    def __init__(self, path: str) -> None:
        self.path = path

    def refuse(self, key: str, found: object, expected: str) -> ConfigError:
        return ConfigError(f"{self.path}: {key}: found {found!r}, expected {expected}. {AGAIN}.")

    def keys(self, where: str, value: Any, expected: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict) or set(value) != expected:
            found = sorted(value) if isinstance(value, dict) else value
            raise self.refuse(where, found, f"the keys {', '.join(sorted(expected))}")
        return value

    def text(self, key: str, value: Any, pattern: str) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self.refuse(key, value, f"text of the form {pattern}")
        return value

    def number(self, key: str, value: Any, most: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise self.refuse(key, value, f"a whole number from 1 to {most}")
        return value

    def model(self, kind: str, value: Any) -> Model:
        found = self.keys(kind, value, {"name", "file", "sha256", *LIMITS[kind]})
        return Model(
            kind,
            self.text(f"{kind}.name", found["name"], r"[\w.:/-]{1,128}"),
            self.text(f"{kind}.file", found["file"], r"/.+"),
            self.text(f"{kind}.sha256", found["sha256"], r"[0-9a-f]{64}"),
            {key: self.number(f"{kind}.{key}", found[key], most) for key, most in LIMITS[kind].items()},
        )


def load(path: str) -> Config:
    """Return what ai.json says. Raises ConfigError."""
    reader = _Reader(path)
    try:
        content = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: found {error.strerror}, expected the server's settings. {AGAIN}.") from None
    except ValueError as error:
        raise ConfigError(f"{path}: found no JSON ({error}), expected the server's settings. {AGAIN}.") from None
    content = reader.keys("the file", content, {"key_file", "threads", "chat", "embedding"})
    key_file = reader.text("key_file", content["key_file"], r"/.+")
    try:
        key = Path(key_file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key_file}: found {type(error).__name__}, expected the server's key. {AGAIN}.") from None
    if len(key) < 16:
        raise ConfigError(f"{key_file}: found {len(key)} characters, expected a key of 16 or more. {AGAIN}.")
    return Config(
        key,
        reader.number("threads", content["threads"], 256),
        reader.model("chat", content["chat"]),
        reader.model("embedding", content["embedding"]),
    )
