"""In which order the stores of a set stand still."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ready.backups import backup
from ready.backups.manifest import BackupError
from ready.backups.workspace import Workspace


class Store:
    """A dump that notes its steps, and takes a moment to fix its state."""

    def __init__(self, name: str, needs_stop: bool, seen: list[tuple[str, str]], starts: int, fails: str = "") -> None:
        self.name, self.needs_stop, self.seen, self.fails = name, needs_stop, seen, fails
        self.service = {"health": {"start_period": starts}}

    def step(self, step: str, *_: Any) -> None:
        """Note the step."""
        self.seen.append((self.name, step))
        if step == self.fails:
            raise BackupError(f"{self.name}: {step}")
        if step == "mark":
            time.sleep(0.05)


def dump(tmp_path: Path, level: str, seen: list[tuple[str, str]], fails: str = "") -> None:
    """Dump four stores, two of which have to stop; note (store, step) in the order in which it came."""
    work = Workspace({"stack": {"name": "s"}}, tmp_path)
    work.staging.mkdir()
    dumps: Any = {
        "postgresql": Store("postgresql", False, seen, 30),
        "neo4j": Store("neo4j", True, seen, 90),
        "chromadb": Store("chromadb", True, seen, 30, fails),
        "redis": Store("redis", False, seen, 30),
    }
    try:
        backup.dump_all(work, dumps, level)
    finally:
        assert work.journal.read() == {"stopped": []}


def still(seen: list[tuple[str, str]], name: str) -> range:
    """Return from where to where a store stands still."""
    return range(seen.index((name, "fence")), seen.index((name, "release")) + 1)


def test_one_stop_after_another(tmp_path: Path) -> None:
    """The one that starts quickly comes first and has the host for itself; the longest is beside those that go on."""
    seen: list[tuple[str, str]] = []
    dump(tmp_path, "fuzzy", seen)
    assert still(seen, "chromadb").stop <= still(seen, "neo4j").start, seen
    assert still(seen, "chromadb").stop <= min(seen.index((name, "mark")) for name in ("postgresql", "redis")), seen
    running = [step for name, step in seen if name in ("postgresql", "redis")]
    assert sorted(running) == sorted(2 * ["prepare", "mark", "write", "close"])


def test_one_moment_for_all(tmp_path: Path) -> None:
    """In a synchronized set all stand still when the state is fixed."""
    seen: list[tuple[str, str]] = []
    dump(tmp_path, "quiesced", seen)
    marks = [place for place, (_, step) in enumerate(seen) if step == "mark"]
    fences = [place for place, (_, step) in enumerate(seen) if step == "fence"]
    releases = [place for place, (_, step) in enumerate(seen) if step == "release"]
    assert max(fences) < min(marks)
    assert max(marks) < min(releases)


def test_none_is_stopped_after_a_failure(tmp_path: Path) -> None:
    """Where one could not be dumped there will be no set, so the next one need not stop for it."""
    seen: list[tuple[str, str]] = []
    with pytest.raises(BackupError, match="chromadb: release"):
        dump(tmp_path, "fuzzy", seen, fails="release")
    assert ("neo4j", "fence") not in seen
    assert ("neo4j", "close") in seen
