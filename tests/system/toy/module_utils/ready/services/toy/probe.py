# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The toy, asked over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import httpx

from ...checks.probe import Probe, expect
from ...common.addresses import host_port


class ToyProbe(Probe):
    """Checks: `word` (it can be replaced and read)."""

    checks = ("word",)

    def connect(self, account: str = "app") -> httpx.Client:
        """Return an HTTP client of an account."""
        address = host_port(*self.address("http"))
        return httpx.Client(
            base_url=f"http://{address}",
            auth=self.login(account),
            timeout=self.timeout,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # busybox ends each, sometimes without saying so
        )

    def open(self) -> httpx.Client:
        """Return one of the app account."""
        return self.connect("app")

    def ping(self, connection: httpx.Client) -> Mapping[str, Any]:
        """Read the word."""
        expect("the status of the word", connection.get("/cgi-bin/word").status_code, 200)
        return {}

    def word(self) -> Mapping[str, Any]:
        """Replace the word by another one, read that, and put back what was there."""
        with self.connect() as client:
            before, word = client.get("/cgi-bin/word").text, secrets.token_hex(8)
            try:
                client.post("/cgi-bin/word", content=word)
                expect("the word", client.get("/cgi-bin/word").text, word)
            finally:
                client.post("/cgi-bin/word", content=before)
        return {}
