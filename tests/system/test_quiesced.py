"""A synchronized set is of one moment, although applications write all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from ready.backups.drill import read_manifest
from ready.backups.restic.repository import newest
from ready.backups.workspace import Workspace

from tests.names import own
from tests.stack import Stack
from tests.system.backups import leftovers, with_backups

NAME = own("sys-quiesced")


@dataclass
class Writer:
    """Writes a row, and then a key of the same number: at any moment there are as many keys as rows, or one fewer."""

    stack: Stack
    written: int = 0
    longest: float = 0.0

    def write(self, until: threading.Event) -> None:
        """Write pairs until it is stopped."""
        client = self.stack.redis()
        with self.stack.postgresql() as connection:
            while not until.is_set():
                since = time.monotonic()
                connection.execute("INSERT INTO pair VALUES (%s)", [self.written])
                client.set(f"pair:{self.written}", "x")
                self.written += 1
                self.longest = max(self.longest, time.monotonic() - since)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Write all the while."""
        until, faults = threading.Event(), list[BaseException]()

        def go() -> None:
            try:
                self.write(until)
            except BaseException as error:
                faults.append(error)

        thread = threading.Thread(target=go)
        thread.start()
        try:
            yield
        finally:
            until.set()
            thread.join(60)
        assert faults == []


def counts(name: str) -> tuple[int, int]:
    """Return how many rows and keys the newest set has."""
    repository = Workspace.of(name).repository()
    parts: dict[str, Any] = read_manifest(repository, newest(repository.snapshots(name)))["parts"]
    (rows,) = (count for table, count in parts["postgresql"]["content"]["counts"].items() if table.endswith("pair"))
    return rows, parts["redis"]["content"]["counts"]["db0.keys"]


def test_pairs_are_whole(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Writers wait while the set's moment is fixed, nobody is refused, and no key is there without its row."""
    with with_backups(tmp_path_factory.mktemp("quiesced"), NAME, ["postgresql", "redis"]) as ready:
        with ready.stack.postgresql() as connection:
            connection.execute("CREATE TABLE pair (n int PRIMARY KEY)")
        writer = Writer(ready.stack)
        with writer.busy():
            ready.run("backup", "--level", "synchronized")
            rows, keys = counts(NAME)
            after = writer.written
            assert 0 < rows < after, "it was not written to all the while"
        assert rows - keys in {0, 1}, f"{rows} rows and {keys} keys are not of one moment"
        assert writer.longest < 10
        assert writer.written > after, "writers go on afterwards"
        assert leftovers(NAME) == []
