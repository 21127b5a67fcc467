"""A host whose restore can be killed at any step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ready.backups import helper_containers, workspace
from ready.backups.manifest import BackupError
from ready.backups.restore import run
from ready.backups.restore.data_swap import DataSwap
from ready.backups.workspace import Workspace
from ready.common.files import write_text

from tests.unit.backups.restore.simulated_host import STACK, Host


@pytest.fixture
def a_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], tuple[Host, Workspace]]]:
    """Return what makes a host with one broken store, and the work on it."""

    def make(status: str) -> tuple[Host, Workspace]:
        host = Host(status)
        place = tmp_path / str(len(list(tmp_path.iterdir())))
        monkeypatch.setattr(helper_containers, "remove_containers", lambda *_: [])
        monkeypatch.setattr(helper_containers, "remove_all", lambda _, label: host.remove_all(label))
        monkeypatch.setattr(
            DataSwap, "copy_volume", lambda _swap, _image, source, target, _what: host.copy(source, target)
        )
        monkeypatch.setattr(Workspace, "repository", lambda *_: (_ for _ in ()).throw(BackupError("none")))

        def write(path: Path, text: str) -> None:
            host.step()
            write_text(path, text)

        monkeypatch.setattr(workspace, "write_text", write)
        monkeypatch.setattr("ready.backups.journal.write_text", write)
        monkeypatch.setattr(run, "wait_for_all", lambda *_: {})
        return host, Workspace({"stack": STACK}, place)

    yield make
    monkeypatch.undo()
