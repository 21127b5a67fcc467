# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The toy's workload: its page is read."""

from __future__ import annotations

import httpx

from ...checks.probe import expect
from ...latency.workload import Operation, Workload
from .probe import ToyProbe


class ToyWorkload(Workload):
    """Operations: `page`."""

    size = "1 page"

    def __init__(self, probe: ToyProbe) -> None:
        super().__init__(probe)
        self.probe = probe
        self.client: httpx.Client | None = None

    def open(self) -> None:
        """Open the kept client; the server ends each connection."""
        self.client = self.probe.connect()

    def close(self) -> None:
        """Close it."""
        if self.client:
            self.client.close()

    def round_trip(self) -> None:
        """Read the page."""
        if self.client:
            self.client.get("/")

    def reconnect(self) -> None:
        """Read it over a new client."""
        with self.probe.connect() as client:
            client.get("/")

    def build(self) -> None:
        """There is nothing to build."""

    def operations(self) -> list[Operation]:
        """Return the operation."""
        client = self.client or self.probe.connect()
        return [
            Operation(
                "page",
                "latency_p95_ms",
                lambda _: client.get("/").text,
                lambda _, found: expect("the page", found, "toy\n"),
                warm_up=10,
                rate=50,
            )
        ]

    def remove(self) -> None:
        """There is nothing to remove."""
