# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Open the file of a site's own model, by path or by URL, without having it whole in memory."""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from ..secrets.redaction import register_secrets
from ..stack.models import masked

#: Seconds without a byte after which a server counts as silent.
SILENCE = 30
#: What a GGUF file begins with.
MAGIC = b"GGUF"
BLOCK = 2**20


class ModelError(Exception):
    """A model's file is not what the inventory says: what was found, and what was expected."""


class Source:
    """An open file of a model. Iterating gives all of it in blocks, then raises ModelError when it was not the one.

    Args:
        stream: gives its bytes.
        size: how many there are.
        sha256: what it must be.
    """

    def __init__(self, stream: IO[bytes], size: int, sha256: str) -> None:
        self._stream, self.size, self._sha256 = stream, size, sha256
        self._head = self._read(len(MAGIC))
        if self._head != MAGIC:
            raise ModelError(f"found {_what(self._head)}, expected a GGUF file")

    def __iter__(self) -> Iterator[bytes]:
        """Yield its bytes. Raises ModelError at the end when there were fewer, or others."""
        digest, seen, block = hashlib.sha256(), 0, self._head
        while block and seen < self.size:
            block = block[: self.size - seen]  # one that grows meanwhile is none of its size
            digest.update(block)
            seen += len(block)
            yield block
            block = self._read(BLOCK)
        if seen != self.size:
            raise ModelError(f"found {seen} bytes, expected {self.size}: it is truncated")
        if (found := digest.hexdigest()) != self._sha256:
            raise ModelError(f"found SHA-256 {found}, expected {self._sha256}")

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (OSError, HTTPException) as error:
            raise ModelError(f"found {_words(error)}, expected all of it") from error


def _what(head: bytes) -> str:
    """Return what a file is that begins so, for people."""
    if head[:1] == b"<":
        return "HTML or XML"
    return f"a file that begins with {head!r}" if head else "an empty file"


def _words(error: Exception) -> str:
    """Return an error without any address: there may be a password in one."""
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, TimeoutError):
        return f"no answer for {SILENCE} s"
    if isinstance(reason, OSError):
        return reason.strerror or str(reason)
    return reason if isinstance(reason, str) else type(reason).__name__


@contextmanager
def _from_disk(path: str, sha256: str) -> Iterator[Source]:
    try:
        # Not to wait for whoever writes to a pipe of that name.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ModelError(f"{path}: found {error.strerror}, expected a file on the host") from error
    its = os.fstat(descriptor)
    if not stat.S_ISREG(its.st_mode):
        os.close(descriptor)
        raise ModelError(f"{path}: found no regular file, expected one on the host")
    with os.fdopen(descriptor, "rb") as stream:
        try:
            yield Source(stream, its.st_size, sha256)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error


def _opener() -> urllib.request.OpenerDirector:
    """Return what asks over http and https alone, by the host's proxies and certificates, also where it is sent on."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _request(url: str) -> urllib.request.Request:
    """Return the request for a URL; its user and password go into a header that no other server gets."""
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    request = urllib.request.Request(bare, headers={"Accept-Encoding": "identity"})  # noqa: S310  # http(s): models.py
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    return request


@contextmanager
def _from_server(url: str, sha256: str) -> Iterator[Source]:
    register_secrets([url, urlsplit(url).query, unquote(urlsplit(url).password or "")])
    shown = masked(url)
    try:
        response: Any = _opener().open(_request(url), timeout=SILENCE)
    except urllib.error.HTTPError as error:
        with error:
            raise ModelError(f"{shown}: found the answer {error.code}, expected the file") from error
    except (OSError, HTTPException, ValueError) as error:
        raise ModelError(f"{shown}: found {_words(error)}, expected an answer") from error
    with response:
        length = response.headers.get("Content-Length", "")
        try:
            if not length.isdigit():
                raise ModelError("found an answer that does not say its length, expected Content-Length")
            yield Source(response, int(length), sha256)
        except ModelError as error:
            raise ModelError(f"{shown}: {error}") from error


@contextmanager
def opened(model: Mapping[str, Any], urls: Mapping[str, str]) -> Iterator[Source]:
    """Give a model's file, open. Raises ModelError.

    Args:
        model: a site's own model of a resolved service.
        urls: SHA-256 -> URL with whatever secret is in it.
    """
    sha256 = str(model["sha256"])
    its = (
        _from_server(urls[sha256], sha256) if "url" in model["source"] else _from_disk(model["source"]["file"], sha256)
    )
    with its as source:
        yield source


def look(model: Mapping[str, Any], urls: Mapping[str, str]) -> dict[str, Any]:
    """Return {bytes, fault} of a model's file: all of a file is read, of what a server has only the beginning.

    Args:
        model: a site's own model of a resolved service.
        urls: SHA-256 -> URL with whatever secret is in it.
    """
    size = None
    try:
        with opened(model, urls) as source:
            size = source.size
            if "file" in model["source"]:
                for _ in source:
                    pass
    except ModelError as error:
        return {"bytes": size, "fault": str(error)}
    return {"bytes": size, "fault": ""}
