# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ChromaDB for applications: its address, which is the gateway's where the stack has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...common.addresses import host_port
from ...connections.base import Connection, ServiceSettings, ask_once, certificates, port_number, url_of
from ...connections.endpoints import public_address

if TYPE_CHECKING:
    from chromadb.api import ClientAPI


class ChromaDBConnection(Connection):
    """`connect` gives a client."""

    title, port = "ChromaDB", "http"
    variables = ("CHROMA_",)
    named_by: tuple[str, ...] = ("CHROMA_URL", "CHROMA_HOST")

    def settings(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None) -> dict[str, str]:
        """Return the address: it has neither accounts nor TLS."""
        host, port = public_address(service, "http")
        return {"CHROMA_HOST": host, "CHROMA_PORT": str(port), "CHROMA_URL": f"http://{host_port(host, port)}"}

    def read(self, values: Mapping[str, str]) -> ServiceSettings:
        """Take the URL before the single variables. Over https it is the gateway: by itself it speaks no TLS."""
        found, url = ServiceSettings(), url_of(values, "CHROMA_URL", {"http", "https"})
        if url and url.scheme == "https":
            found.port("https", str(url.hostname), url.port or 443)
            found.name, found.tls = "gateway", True
        elif url:
            found.port("http", str(url.hostname), url.port or 8000)
        else:
            found.port("http", values["CHROMA_HOST"], port_number("CHROMA_PORT", values.get("CHROMA_PORT", "8000")))
        if found.tls:  # the gateway's only account; the token is all that it asks for
            found.login, found.password = "app", values.get("CHROMA_TOKEN", "")
        if path := values.get("CHROMA_CA_FILE"):
            found.authority = certificates("CHROMA_CA_FILE", path)
        return found

    def connect(self, probe: Any) -> ClientAPI:  # type: ignore[override]  # its client takes no further options
        """Ask first: the client itself asks as soon as it is made, and waits without a limit."""
        ask_once(probe)
        client: ClientAPI = probe.connect()
        return client

    def ping(self, probe: Any, connection: ClientAPI) -> object:
        """Ask by the client: the probe's question takes another one."""
        return connection.heartbeat()
