"""One fleet for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.windows.play import Site, two_hosts


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The fleet."""
    with two_hosts(tmp_path_factory.mktemp("fleet")) as made:
        yield made


@pytest.fixture
def inventory(site: Site, tmp_path: Path) -> Path:
    """An inventory of the fleet; the record starts empty."""
    for server in site.fleet.servers.values():
        server.record.clear()
        server.trips.clear()
    return site.inventory(tmp_path / "hosts.yml")
