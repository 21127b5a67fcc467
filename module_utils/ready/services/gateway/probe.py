# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gateway before ChromaDB, asked over HTTPS as an application and as somebody without its token."""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx

from ...checks.probe import CheckError, Probe, expect
from ...common.addresses import host_port
from ...common.tls_client import MemoryFile
from ..chromadb.client import chromadb_client
from ..chromadb.probe import expect_executor

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_HEARTBEAT = "/api/v2/heartbeat"


class GatewayProbe(Probe):
    """Checks: `heartbeat` (with the token ChromaDB answers) and `token` (without it, or with another, nobody does)."""

    checks = ("heartbeat", "token")

    def connect(self, account: str = "app") -> ClientAPI:
        """Return a ChromaDB client that goes through the gateway; making one asks the server already."""
        from chromadb.config import Settings  # takes a second, which a cheap round does without

        host, port = self.address("https")
        ca = MemoryFile(self.authority())  # read when the client is made
        return chromadb_client(
            host=host,
            port=port,
            ssl=True,
            headers={"Authorization": f"Bearer {self.login(account)[1]}"},
            settings=Settings(anonymized_telemetry=False, chroma_server_ssl_verify=ca.path),
        )

    def open(self) -> httpx.Client:
        """Return an HTTP client with the token; ChromaDB's own can't ask for the server's health."""
        host, port = self.address("https")
        return httpx.Client(
            base_url=f"https://{host_port(host, port)}",
            headers={"Authorization": f"Bearer {self.login('app')[1]}"},
            verify=self.context(),
            timeout=self.timeout,
            trust_env=False,
        )

    def ping(self, connection: httpx.Client) -> Mapping[str, Any]:
        """Ask, through the gateway, whether queries can be executed."""
        expect_executor(connection)
        return {}

    def _ask(self, token: str | None) -> tuple[int, bytes]:
        host, port = self.address("https")
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        with closing(http.client.HTTPSConnection(host, port, timeout=self.timeout, context=self.context())) as client:
            client.request("GET", _HEARTBEAT, headers=headers)
            answer = client.getresponse()
            return answer.status, answer.read(65536)

    def heartbeat(self) -> Mapping[str, Any]:
        """Ask with the token: ChromaDB itself must answer."""
        status, body = self._ask(self.login("app")[1])
        expect(f"the status of {_HEARTBEAT} with the token", status, 200)
        if "nanosecond heartbeat" not in json.loads(body):
            raise CheckError(f"{_HEARTBEAT}: found no heartbeat, expected ChromaDB's")
        return {}

    def token(self) -> Mapping[str, Any]:
        """Ask without a token and with a wrong one."""
        for what, token in (("no token", None), ("a wrong token", secrets.token_urlsafe(24))):
            status, _ = self._ask(token)
            expect(f"the status of {_HEARTBEAT} with {what}", status, 401)
        return {}
