# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One client and one maker of containers for all tests of the images."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from ready.images.build import BUILD_TIMEOUT

from tests.images.lab import Lab


@pytest.fixture(scope="session")
def client() -> docker.DockerClient:
    """Return a client that may wait for a build."""
    return docker.from_env(timeout=BUILD_TIMEOUT)


@pytest.fixture(scope="session")
def lab(client: docker.DockerClient) -> Iterator[Lab]:
    """Return the maker of containers; everything it made is gone afterwards."""
    lab = Lab(client)
    yield lab
    lab.close()
