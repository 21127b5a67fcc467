"""What `destroy` removes from a host's disk; what it removes from Docker is in tests/system/test_removing.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.backups.settings import directory_of, runner_of
from ready.docker import apply_removal
from ready.docker.apply_removal import Removal, places, remove_stack
from ready.docker.removal_plan import removal
from ready.host import restore_journal, upgrade_journal

OURS = "#Ansible: ready backup ready\n7 * * * * root /opt/ready/backup/ready.pyz backup ready\n"
THEIRS = "#Ansible: theirs\n1 1 * * * root /usr/bin/true\n"


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """Return a host's /etc with the directories that cron and systemd have; /run is beside it."""
    for name in ("etc/cron.d", "etc/systemd/system", "run"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path / "etc"


def removed(etc: Path, *paths: Path, dry_run: bool = False) -> tuple[list[str], list[str]]:
    """Return what one run says that it removed, and what it could not."""
    removal = Removal("pc1", "ready", dry_run=dry_run)
    removal.from_disk(paths, etc, etc.parent / "run")
    return removal.removed.lines, removal.removed.faults


def test_places_are_where_backups_and_probes_put_things() -> None:
    """Each is named once more here, since what knows them needs Docker's SDK."""
    description = Path("/opt/ready/stacks/x.json")
    assert places("x", description) == [directory_of("x"), runner_of("x"), description]


def test_a_host_that_has_nothing(etc: Path) -> None:
    """No change, no fault."""
    assert removed(etc, etc / "ready", etc / "ready.json") == ([], [])


def test_files_and_directories(etc: Path) -> None:
    """Both go; what is beside them stays; check mode removes nothing; the second run has nothing to do."""
    (etc / "ready" / "backup" / "ready").mkdir(parents=True)
    (etc / "ready" / "backup" / "other").mkdir()
    (etc / "ready" / "backup" / "ready" / "settings.json").write_text("{}")
    (etc / "ready.json").write_text("{}")
    paths = (etc / "ready" / "backup" / "ready", etc / "ready.json")
    said = [f"remove {path}" for path in paths]
    assert removed(etc, *paths, dry_run=True) == (said, [])
    assert all(path.exists() for path in paths)
    assert removed(etc, *paths) == (said, [])
    assert not any(path.exists() for path in paths)
    assert (etc / "ready" / "backup" / "other").exists()
    assert removed(etc, *paths) == ([], [])


def test_a_job_of_cron(etc: Path) -> None:
    """The file goes with its last job; a job that somebody else put there stays, and is no change the next time."""
    alone, shared, other = (etc / "cron.d" / f"ready-{name}" for name in ("drill-ready", "backup-ready", "backup-two"))
    alone.write_text(OURS.replace("backup ready\n", "drill ready\n", 1))
    shared.write_text(THEIRS + OURS)
    other.write_text(OURS)
    assert removed(etc) == (["remove cron's ready-backup-ready", "remove cron's ready-drill-ready"], [])
    assert not alone.exists()
    assert shared.read_text() == THEIRS
    assert other.read_text() == OURS
    assert removed(etc) == ([], [])


def systemctl(directory: Path, monkeypatch: pytest.MonkeyPatch, ends: str = "exit 0") -> Path:
    """Put a systemctl first that writes down what it is told; return where."""
    (directory / "run" / "systemd" / "system").mkdir(parents=True)
    program, told = directory / "systemctl", directory / "told"
    program.write_text(f'#!/bin/sh\necho "$@" >>{told}\n{ends}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    return told


def test_a_timer_of_systemd(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stopped and its units go; another stack's stay."""
    told = systemctl(etc.parent, monkeypatch)
    units = etc / "systemd" / "system"
    for name in ("ready-wal-ready.timer", "ready-wal-ready.service", "ready-wal-two.timer"):
        (units / name).touch()
    assert removed(etc) == (["remove timer ready-wal-ready"], [])
    assert told.read_text() == "disable --now ready-wal-ready.timer\ndaemon-reload\n"
    assert [path.name for path in units.iterdir()] == ["ready-wal-two.timer"]


def test_a_timer_that_cannot_be_stopped(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with systemd's own words, its units stay for the next run, and the rest goes."""
    systemctl(etc.parent, monkeypatch, "echo 'Access denied' >&2; exit 4")
    unit = etc / "systemd" / "system" / "ready-backup-ready.timer"
    unit.touch()
    (etc / "ready.json").touch()
    lines, faults = removed(etc, etc / "ready.json")
    assert lines == [f"remove {etc}/ready.json"]
    assert faults == [
        "pc1: timer ready-backup-ready was not removed: found Access denied; expected it to be gone. "
        "Next: remove the cause, then ./ready destroy again"
    ]
    assert unit.exists()


@pytest.mark.parametrize(("data", "fault", "left"), [(True, False, False), (False, False, True), (True, True, True)])
def test_what_backups_keep_on_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bool, fault: bool, left: bool
) -> None:
    """It goes with the data alone, all of them: its journal may have to put right a volume that is still there."""
    place = tmp_path / "backup" / "ready"
    place.mkdir(parents=True)
    (place / "journal.json").write_text("{}")
    monkeypatch.setattr(apply_removal, "places", lambda *_: [])
    monkeypatch.setattr(restore_journal, "WORK", tmp_path / "backup")
    monkeypatch.setattr(Removal, "journal", lambda *_: None)

    def from_docker(its: Removal, *_: object) -> None:
        its.removed.faults += ["volume x was not removed"] * fault

    monkeypatch.setattr(Removal, "from_docker", from_docker)
    monkeypatch.setattr(Removal, "from_disk", lambda *_: None)
    stack = {"name": "ready", "probes": {"directory": str(tmp_path)}}
    client: Any = None
    wanted = {"containers": ["x"], "networks": [], "volumes": []}
    removed = remove_stack(lambda: client, stack, wanted, "pc1", data=data, dry_run=False)
    assert place.exists() == left
    assert removed.lines == ([] if left else [f"remove {place}"])


def test_asked_with_what_backups_keep() -> None:
    """It is named where it goes, and only where it is there."""
    state: dict[str, Any] = {"services": {}, "others": [], "network": {"ours": False}, "volumes": {}, "backups": "/b/x"}
    stack: dict[str, Any] = {"services": {}, "network": "x"}
    (line,) = removal(state, stack, {}, volumes=True)["lines"]
    assert line == "directory /b/x: what backups keep on this host; the repository stays"
    assert removal(state, stack, {}, volumes=False)["lines"] == []
    some = removal(state | {"others": [{"name": "x"}]}, stack, {}, volumes=False)["lines"]
    assert some == ["container x", "kept: directory /b/x"]
    assert removal(state | {"backups": ""}, stack, {}, volumes=True)["lines"] == []


def test_the_journal_of_an_upgrade(tmp_path: Path) -> None:
    """It goes, and its lock with it; a host without one gets no directory."""
    place = tmp_path / "ready"
    removal = Removal("pc1", "ready", dry_run=False)
    removal.journal(place)
    assert not place.exists()
    upgrade_journal.write("ready", {"move": {}}, place)
    removal.journal(place)
    assert removal.removed.lines == [f"remove {place}/upgrade-ready.json"]
    assert list(place.iterdir()) == []
