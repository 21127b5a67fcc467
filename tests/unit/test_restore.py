"""How restored data are put in place: all services at once, and what of it a killed run's successor is told."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ready.backups import restore
from ready.backups.manifest import BackupError
from ready.backups.olddata import OldData
from ready.backups.work import Journal, Work

NAMES = [f"service{number}" for number in range(40)]


def test_notes_of_several_at_once_are_all_kept(tmp_path: Path) -> None:
    """Services are swapped at the same time: none may take another's name off the journal."""
    journal = Journal(tmp_path / "journal.json")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: journal.add("swapping", name), NAMES))
    assert sorted(journal.read()["swapping"]) == sorted(NAMES)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: journal.remove("swapping", name), NAMES[1:]))
    assert json.loads(journal.path.read_text()) == {"swapping": NAMES[:1]}
    journal.remove("swapping", "never there")
    assert journal.read() == {"swapping": NAMES[:1]}


def replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: Any, undone: list[str]) -> Work:
    """Put two services' data in place with `swap`, and note in `undone` what was put back; return the work."""
    work = Work({"stack": {"name": "s", "services": {}}}, tmp_path)
    monkeypatch.setattr(restore, "_swap", swap)
    monkeypatch.setattr(restore, "_verify", lambda *_: {})
    monkeypatch.setattr(restore, "_undo", lambda _client, _work, only, _old: undone.extend(only))
    monkeypatch.setattr(Work, "drop_aside", lambda *_: None)
    client: Any = None
    loads: Any = {"a": None, "b": None}
    restore._replace(client, work, ["a", "b"], loads, {"id": "set", "parts": {}}, OldData())
    return work


def test_unknown_services_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With those that there are, before anything is asked or changed."""
    services: dict[str, Any] = {"redis": {"volumes": [{}]}, "gateway": {"volumes": []}}
    work = Work({"stack": {"name": "s", "services": services}}, tmp_path)
    monkeypatch.setattr(Work, "heal", lambda *_: [])
    client: Any = None
    with pytest.raises(BackupError, match=r"--only: found gateway, rediss, expected some of redis\. Nothing was"):
        restore.run(client, work, None, ["rediss", "redis", "gateway"], "h", safety=True)


def test_services_are_swapped_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outage is that of the slowest, and not the sum: each waits here until the other one is there as well."""
    both = threading.Barrier(2, timeout=5)
    undone: list[str] = []
    work = replace(tmp_path, monkeypatch, lambda *_: both.wait(), undone)
    assert undone == []
    assert not any(work.journal.read().values())


def test_one_that_fails_takes_all_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are not left in the middle: what fails is told when they have ended, and then all is undone."""
    ended = []

    def swap(_client: Any, _work: Work, name: str, _load: Any, _old: OldData) -> None:
        if name == "a":
            raise BackupError("no room")
        ended.append(name)

    undone: list[str] = []
    with pytest.raises(BackupError, match="the old data were put back: restore: BackupError: no room"):
        replace(tmp_path, monkeypatch, swap, undone)
    assert ended == ["b"]
    assert undone == ["a", "b"]
