"""ChromaDB's memory: what deleted collections keep may not take the server to the limit at which it is killed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from ready.checks.probe import CheckError, CheckOutcome, attempt
from ready.latency.workload import NoRoomError
from ready.services.chromadb.probe import NEIGHBOURS, VECTORS, ChromaDBProbe
from ready.services.chromadb.workload import NEED, ChromaDBWorkload, expect_room
from ready.stack.definitions import load_definitions

MIB = 2**20


@pytest.fixture
def probe() -> ChromaDBProbe:
    """Return a probe of a service that nobody asks."""
    return ChromaDBProbe({**load_definitions()["chromadb"], "ports": []}, {})


@pytest.mark.parametrize(("used", "limit"), [(500, 1024), (921, 1024), (5000, 0)])
def test_memory_below_the_limit(probe: ChromaDBProbe, used: int, limit: int) -> None:
    """It is told; without a limit any is right."""
    probe.container_memory = lambda: (used * MIB, limit * MIB)
    assert probe.memory() == {"used_bytes": used * MIB, "limit_bytes": limit * MIB}


def test_memory_near_the_limit(probe: ChromaDBProbe) -> None:
    """It is a fault before the server is killed, and says what holds the memory."""
    probe.container_memory = lambda: (922 * MIB, 1024 * MIB)
    with pytest.raises(CheckError, match="found 966787072 of 1073741824 bytes in use, expected less than 90%; deleted"):
        probe.memory()


def test_memory_without_docker(probe: ChromaDBProbe) -> None:
    """An application that asks for itself can't know it: that is no fault."""
    outcome: CheckOutcome = attempt(probe.memory)
    assert outcome.verdict == "not_applicable"


def test_the_fixture_leaves_the_server_alive(probe: ChromaDBProbe) -> None:
    """It is not built where it would take the container near its limit; nothing is asked of the server."""
    expect_room(10**12, 0)  # no limit
    expect_room(900 * MIB - NEED, 1000 * MIB)
    with pytest.raises(NoRoomError, match="none were stored"):
        expect_room(900 * MIB - NEED + 1, 1000 * MIB)
    probe.container_memory = lambda: (900 * MIB, 1000 * MIB)
    with pytest.raises(NoRoomError):
        ChromaDBWorkload(probe).build()


class Store:
    """Collections by name, and what happens in the middle of a run."""

    def __init__(self) -> None:
        self.collections: dict[str, SimpleNamespace] = {}
        self.meanwhile: list[Callable[[], object]] = []

    def list_collections(self) -> list[SimpleNamespace]:
        """Return all."""
        return list(self.collections.values())

    def create_collection(self, name: str, **_: object) -> SimpleNamespace:
        """Make one that answers rightly."""
        self.collections[name] = SimpleNamespace(
            name=name,
            add=lambda **_: None,
            count=self.count,
            get=lambda **_: {"embeddings": [VECTORS["v7"]]},
            query=lambda **_: {"ids": [NEIGHBOURS]},
        )
        return self.collections[name]

    def delete_collection(self, name: str) -> None:
        """Remove one."""
        del self.collections[name]

    def count(self) -> int:
        """Let happen what happens."""
        if self.meanwhile:
            self.meanwhile.pop()()
        return len(VECTORS)


def test_a_run_that_went_on_late_keeps_its_own_collection(
    probe: ChromaDBProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run in the middle of the first, which had hung: each removes what it made."""
    store = Store()
    monkeypatch.setattr(ChromaDBProbe, "connect", lambda _: store)
    store.meanwhile.append(probe.deep)
    found = probe.deep()
    assert {name: its["verdict"] for name, its in found.items()} == {
        "memory": "not_applicable",
        "embedding": "pass",
        "similarity": "pass",
    }
    assert store.collections == {}
