# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A client that goes straight to ChromaDB: a proxy of the environment knows no loopback, and must see no token."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_thread = threading.local()


class _Httpx:
    """httpx as ChromaDB's client sees it. In a thread that asks for it, sessions ignore the environment's proxies.

    ChromaDB's client has no option for that, and asks its server while it is made. The environment itself belongs to
    the whole process, and to whatever application uses the connector.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(httpx, name)

    def Client(self, **options: Any) -> httpx.Client:  # noqa: N802 - httpx's name
        return httpx.Client(**options, trust_env=not getattr(_thread, "direct", False))


_HTTPX = _Httpx()


def chromadb_client(host: str, **options: Any) -> ClientAPI:
    """Return what `chromadb.HttpClient` makes of the options, without proxies."""
    import chromadb  # takes a second, which a cheap round does without
    from chromadb.api import fastapi

    vars(fastapi)["httpx"] = _HTTPX
    _thread.direct = True
    try:
        return chromadb.HttpClient(host=f"[{host}]" if ":" in host else host, **options)
    finally:
        _thread.direct = False
