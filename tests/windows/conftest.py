"""One fleet for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.windows.play import Site, two_hosts


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The fleet."""
    with two_hosts(tmp_path_factory.mktemp("fleet")) as made:
        yield made
