"""Which vectors a set promises to find, and what a set of some services leaves to be remembered."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from chromadb.errors import NotFoundError
from ready.backups.manifest import BackupError
from ready.backups.partial_set import PartialWorkspace
from ready.backups.workspace import Workspace
from ready.services.chromadb.backup import choose_samples


class Vectors:
    """Vectors of one dimension, as a collection answers about them; some are not found, or not in the index."""

    configuration_json: dict[str, Any] = {}

    def __init__(self, unfound: Collection[int] = (), gone: Collection[int] = ()) -> None:
        self.unfound, self.gone = unfound, gone

    def get(self, ids: list[str] | None = None, offset: int = 0, **_: Any) -> dict[str, Any]:
        """Return one vector."""
        number = int(ids[0]) if ids else offset
        if ids and number in self.gone:
            raise NotFoundError("Error finding id")
        return {"ids": [str(number)], "embeddings": [[float(number)]]}

    def query(self, query_embeddings: list[float], **_: Any) -> dict[str, Any]:
        """Return the vector itself, or another one."""
        number = int(query_embeddings[0])
        hit = number not in self.unfound
        return {"ids": [[str(number if hit else number + 1)]], "distances": [[0.0 if hit else 1.0]]}


def chosen(count: int = 100, **faults: Collection[int]) -> list[str]:
    """Return the keys of the samples."""
    collection: Any = Vectors(**faults)
    return [item["key"] for item in choose_samples(collection, "t/d/c", count)]


def test_a_search_may_miss_some() -> None:
    """An approximate index does not find every vector of a sound store: those that it finds are promised."""
    assert chosen() == [f"t/d/c/{number}" for number in range(0, 100, 10)]
    assert chosen(unfound=[0, 30]) == [f"t/d/c/{number}" for number in (10, 20, 40, 50, 60, 70, 80, 90)]
    assert chosen(count=0) == []


def test_a_search_that_finds_nothing_is_a_fault() -> None:
    """Then it is not the index's approximation."""
    with pytest.raises(BackupError, match="not among its own 10 nearest"):
        chosen(unfound=range(100))


def test_a_vector_that_is_not_in_the_index_is_a_fault() -> None:
    """However many others are."""
    with pytest.raises(BackupError, match="not in the index, though its entry is"):
        chosen(gone=[50])


def test_a_set_of_some_services_is_no_proof_of_the_newest(tmp_path: Path) -> None:
    """Of its run only the repository is remembered: not as the last set, and not as proven."""
    work = Workspace({}, tmp_path)
    work.remember(repository="/a", last_set="whole", last_proven="whole", last_proven_at=1.0)
    PartialWorkspace({}, tmp_path).remember(repository="/b", last_set="some", last_proven="some", last_proven_at=2.0)
    assert work.state() == {"repository": "/b", "last_set": "whole", "last_proven": "whole", "last_proven_at": 1.0}
