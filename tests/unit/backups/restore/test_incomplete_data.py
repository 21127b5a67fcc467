"""A service whose data are half those of a set stays on the journal, and stopped, until a restore has replaced them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.backups.manifest import BackupError
from ready.backups.restore import run
from ready.backups.restore.data_swap import DataSwap
from ready.backups.workspace import Workspace
from ready.host import restore_journal

from tests.unit.backups.restore.simulated_host import REAL, SCRATCH, Host, replace


def fails_half_way(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    """Let a copy into the real volume end in the middle, as on a full disk."""

    def copy(_swap: DataSwap, _image: str, _source: str, target: str, _what: str) -> None:
        host.data[target] = "half"
        raise BackupError("no space left")

    monkeypatch.setattr(DataSwap, "copy_volume", copy)


def refused(its: Workspace) -> list[str]:
    """Return the services that `up` and `start` do not start."""
    return list(restore_journal.read(its.directory.name, its.directory.parent)["services"])


def test_failed_copy_stays_on_the_journal(a_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes after a restore that failed in the middle, no verb starts the service until one succeeded."""
    host, its = a_host("running")
    with monkeypatch.context() as full:
        fails_half_way(full, host)
        with pytest.raises(BackupError, match="half of the set is there, so it stays stopped"):
            replace(host, its, False, True, full)
    its.journal.end()
    del host.data[SCRATCH]
    assert refused(its) == ["redis"]
    for _ in range(2):
        (line,) = its.heal(host)
        assert "redis stays stopped" in line
        assert (refused(its), host.status) == (["redis"], "exited")
    host.data[SCRATCH] = "new"
    replace(host, its, True, True, monkeypatch)
    its.journal.end()
    assert (refused(its), host.status, host.data[REAL]) == ([], "running", "new")


def test_half_is_put_back_and_not_started(a_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later restore that fails puts back what was there, which is half of a set."""
    host, its = a_host("exited")
    its.journal.note(replacing=["redis"])
    host.data[REAL] = "half"
    monkeypatch.setattr(host, "start", lambda: setattr(host, "status", "running"))
    monkeypatch.setattr(run, "_verify", lambda *_: {"redis": ["it does not answer"]})
    with pytest.raises(BackupError, match="redis: half of the set is there"):
        replace(host, its, True, False, monkeypatch)
    its.journal.end()
    assert (refused(its), host.status, host.data[REAL]) == (["redis"], "exited", "half")


def test_scratch_that_is_not_proven_is_not_put_in_place(a_host: Any) -> None:
    """A later restore that was killed while it filled scratch has half of a set there as well."""
    host, its = a_host("exited")
    its.journal.note(replacing=["redis"], stopped=[], proven=[])
    host.data[REAL] = "half"
    its.heal(host)
    assert (refused(its), host.status, host.data[REAL]) == (["redis"], "exited", "half")


def test_next_step_is_one_that_helps(tmp_path: Path) -> None:
    """A drill can't bring back data of which there is no copy."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "journal.json").write_text('{"replacing": ["redis"]}')
    (check,) = restore_journal.checks({"restore": restore_journal.read("s", tmp_path)})
    assert check.next.startswith("./ready restore")
