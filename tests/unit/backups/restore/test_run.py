"""How restored data are put in place: all services at once, and what of it a killed run's successor is told."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ready.backups.journal import Journal
from ready.backups.manifest import BackupError
from ready.backups.restore import run
from ready.backups.restore.data_swap import DataSwap
from ready.backups.restore.replaced_data import ReplacedData
from ready.backups.workspace import Workspace

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


def replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: Any, undone: list[str]) -> Workspace:
    """Put two services' data in place with `swap`, and note in `undone` what was put back; return the work."""
    work = Workspace({"stack": {"name": "s", "services": {}}}, tmp_path)
    monkeypatch.setattr(run, "_swap", swap)
    monkeypatch.setattr(run, "_verify", lambda *_: {})
    monkeypatch.setattr(run, "_undo", lambda _client, _work, only, _old: undone.extend(only))
    monkeypatch.setattr(DataSwap, "remove_old_data", lambda *_: None)
    client: Any = None
    loads: Any = {"a": None, "b": None}
    run._replace(client, work, ["a", "b"], loads, {"id": "set", "parts": {}}, ReplacedData())
    return work


def test_unknown_services_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With those that there are, before anything is asked or changed."""
    services: dict[str, Any] = {"redis": {"volumes": [{}]}, "gateway": {"volumes": []}}
    work = Workspace({"stack": {"name": "s", "services": services}}, tmp_path)
    monkeypatch.setattr(Workspace, "heal", lambda *_: [])
    client: Any = None
    with pytest.raises(BackupError, match=r"--only: found gateway, rediss, expected some of redis\. Nothing was"):
        run.run(client, work, None, ["rediss", "redis", "gateway"], "h", safety=True)


def test_services_are_swapped_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outage is that of the slowest, and not the sum: each waits here until the other one is there as well."""
    both = threading.Barrier(2, timeout=5)
    undone: list[str] = []
    work = replace(tmp_path, monkeypatch, lambda *_: both.wait(), undone)
    assert undone == []
    assert not any(work.journal.read().values())


def test_one_that_fails_takes_all_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are not left in the middle: what fails is reported when they have ended, and then all is undone."""
    ended = []

    def swap(_client: Any, _work: Workspace, name: str, _load: Any, _old: ReplacedData) -> None:
        if name == "a":
            raise BackupError("no room")
        ended.append(name)

    undone: list[str] = []
    with pytest.raises(BackupError, match="the old data were put back: restore: BackupError: no room"):
        replace(tmp_path, monkeypatch, swap, undone)
    assert ended == ["b"]
    assert undone == ["a", "b"]


def test_what_up_brings_does_not_undo_a_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that `up` has not made again yet is asked for its data alone."""
    work = Workspace({"stack": {"name": "s", "services": {"neo4j": {}}}}, tmp_path)
    asked: dict[str, Any] = {"neo4j": SimpleNamespace(as_configured=True)}

    def health(probes: Any, _seconds: float) -> dict[str, Any]:
        checks = {"http": {"verdict": "fail" if probes["neo4j"].as_configured else "pass", "detail": "other address"}}
        return {"neo4j": {"checks": checks}}

    monkeypatch.setattr(run, "wait_for_all", lambda *_: {"neo4j": {"healthy": True}})
    monkeypatch.setattr(run, "read_secrets", lambda *_: {})
    monkeypatch.setattr(run, "read_authorities", lambda *_: {})
    monkeypatch.setattr(run, "make_probes", lambda *_: asked)
    monkeypatch.setattr(run, "deep_health", health)
    client: Any = None
    assert run._verify(client, work, ["neo4j"], {}) == {}
