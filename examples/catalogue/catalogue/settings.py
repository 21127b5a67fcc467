# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings of the application: names that `./ready env` prints, and two of the application."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: Without these there is no application; the AI service may be missing.
NEEDED = ("DATABASE_URL", "NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD", "CHROMA_URL", "REDIS_URL")
_PREFIX = re.compile(r"[a-z][a-z0-9_]{1,39}")
_STEP = "Next: ./ready env --secrets --output .env, and load .env before the application starts"


class SettingsError(ValueError):
    """The environment lacks a name, or what it says can't be used. No value is quoted: it may be a secret."""


@dataclass(frozen=True)
class Settings:
    """Addresses, logins and names. Secrets are left out of what `repr` shows."""

    database_url: str = field(default="", repr=False)
    neo4j_uri: str = ""
    neo4j_username: str = ""
    neo4j_password: str = field(default="", repr=False)
    neo4j_ca: str = ""
    chroma_url: str = ""
    chroma_token: str = field(default="", repr=False)
    chroma_ca: str = ""
    redis_url: str = field(default="", repr=False)
    openai_base_url: str = ""
    azure_endpoint: str = ""
    azure_version: str = ""
    openai_api_key: str = field(default="", repr=False)
    openai_model: str = ""
    openai_embedding_model: str = ""
    openai_ca: str = ""
    openai_proxy: str = field(default="", repr=False)
    ai_backend: str = "none"
    prefix: str = "catalogue"
    pool_size: int = 5

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, *, strict: bool = True) -> Settings:
        """Read the environment, or a mapping with its names.

        With `strict`, names without which the application can't work must be there; otherwise their fields are empty,
        and what needs them fails when it is used.
        """
        values = os.environ if environment is None else environment
        missing = [name for name in NEEDED if not values.get(name)]
        if strict and missing:
            raise SettingsError(f"settings: found no {', '.join(missing)}; expected them in the environment. {_STEP}")
        azure = bool(values.get("AZURE_OPENAI_ENDPOINT")) and not values.get("OPENAI_BASE_URL")
        endpoint = values.get("OPENAI_BASE_URL") or values.get("AZURE_OPENAI_ENDPOINT")
        return cls(
            database_url=values.get("DATABASE_URL", ""),
            neo4j_uri=values.get("NEO4J_URI", ""),
            neo4j_username=values.get("NEO4J_USERNAME", ""),
            neo4j_password=values.get("NEO4J_PASSWORD", ""),
            neo4j_ca=values.get("NEO4J_CA_FILE", ""),
            chroma_url=values.get("CHROMA_URL", ""),
            chroma_token=values.get("CHROMA_TOKEN", ""),
            chroma_ca=values.get("CHROMA_CA_FILE", ""),
            redis_url=values.get("REDIS_URL", ""),
            openai_base_url="" if azure else values.get("OPENAI_BASE_URL", ""),
            azure_endpoint=values.get("AZURE_OPENAI_ENDPOINT", "") if azure else "",
            azure_version=values.get("OPENAI_API_VERSION", ""),
            openai_api_key=values.get("AZURE_OPENAI_API_KEY" if azure else "OPENAI_API_KEY", ""),
            openai_model=values.get("OPENAI_MODEL", ""),
            openai_embedding_model=values.get("OPENAI_EMBEDDING_MODEL", ""),
            openai_ca=values.get("OPENAI_CA_FILE", ""),
            openai_proxy=values.get("OPENAI_PROXY", ""),
            ai_backend=values.get("READY_AI_BACKEND") or ("external" if endpoint else "none"),
            prefix=_prefix(values.get("CATALOGUE_PREFIX") or "catalogue"),
            pool_size=_number("DATAFLOW_POOL_SIZE", values.get("DATAFLOW_POOL_SIZE") or "5"),
        )

    @property
    def label(self) -> str:
        """The label of every node in Neo4j that the application makes: the prefix in camel case."""
        return "".join(part.capitalize() for part in self.prefix.split("_"))

    def key(self, *parts: str) -> str:
        """Return a key of Redis."""
        return ":".join((self.prefix, *parts))

    def collection(self, name: str = "documents") -> str:
        """Return the name of a collection of ChromaDB."""
        return f"{self.prefix}_{name}"

    @property
    def chroma_address(self) -> tuple[str, int, bool]:
        """Host, port, and whether it speaks TLS: that is the gateway, for ChromaDB itself has none."""
        url = urlsplit(self.chroma_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise SettingsError(f"CHROMA_URL: found no http or https address; expected http://HOST:PORT. {_STEP}")
        secure = url.scheme == "https"
        return url.hostname, url.port or (443 if secure else 8000), secure

    @property
    def has_ai(self) -> bool:
        """Whether there is an AI service at all."""
        return self.ai_backend != "none" and bool(self.openai_base_url or self.azure_endpoint)


def _prefix(value: str) -> str:
    """Return the prefix if names of all stores can be made of it."""
    if not _PREFIX.fullmatch(value) or value.endswith("_"):
        raise SettingsError(
            f"CATALOGUE_PREFIX: found {value[:50]!r}; expected 2 to 40 small letters, digits and underscores, a letter "
            "first and no underscore last. Next: choose such a prefix"
        )
    return value


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 50:
        raise SettingsError(f"{name}: found {value[:20]!r}; expected a number from 1 to 50. Next: correct it")
    return int(value)
