"""What applications are written with works as the app account: each client does what applications do with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker.models.containers import Container

from tests.clients.running import PROGRAMS, clients, run
from tests.stack import molecule_stack

STACK = molecule_stack(["postgresql", "neo4j", "chromadb", "redis"])


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    """Return a container with the clients in the stack's network."""
    with clients(STACK) as container:
        yield container


@pytest.mark.parametrize("program", PROGRAMS)
def test_client(container: Container, program: str) -> None:
    """The program ends well; else its name and the store's answer are shown."""
    run(container, program)
