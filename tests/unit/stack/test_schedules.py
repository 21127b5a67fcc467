"""What a host does to a stack's backups by itself: what is asked for, and whether the host has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ready.backups import workspace
from ready.backups.manifest import BackupError
from ready.stack import schedules
from ready.stack.argument_specs import role_specs

NEVER = {"backup_schedule": "never", "backup_drill_schedule": "never", "backup_pitr_schedule": "15min"}


def stack(given: bool = True, sidecars: tuple[str, ...] = (), **variables: Any) -> dict[str, Any]:
    """Return a stack with schedules, as `stack_definition` leaves it."""
    found = schedules.schedules(NEVER | variables, dict.fromkeys(sidecars))
    return {"name": "ready", "schedules": found, "repository_given": given}


def test_wal_is_saved_where_it_is_received() -> None:
    """Its schedule has a default, so it says nothing without the sidecar."""
    assert schedules.scheduled_backups(stack()) == []
    assert schedules.scheduled_backups(stack(sidecars=("wal",), backup_schedule="daily")) == ["backup", "wal"]


def test_a_schedule_that_is_none() -> None:
    """It is refused before anything is done, not by the role at the end of a run."""
    options = role_specs()["backup"]["main"]["options"]
    assert schedules.faults(NEVER, options) == []
    assert schedules.faults(NEVER | {"backup_schedule": "dayly"}, options) == [
        "backup_schedule: found 'dayly', expected one of never, hourly, daily, weekly, monthly"
    ]


@pytest.mark.parametrize("kind", ["backup_schedule", "backup_drill_schedule"])
def test_a_schedule_needs_a_repository(kind: str) -> None:
    """The default one is on the disk that a set is to outlive."""
    assert schedules.check(stack(given=False)).verdict == "pass"
    assert schedules.check(stack(True, (), **{kind: "daily"})).verdict == "pass"
    check = schedules.check(stack(False, (), **{kind: "daily"}))
    assert check.verdict == "fail"
    assert check.found == f"{kind} daily, without backup_repository"
    assert "set backup_repository" in check.next


def test_wal_needs_a_repository_too() -> None:
    """Without sets no WAL is ever removed: the default place, the host's own disk, would only fill up."""
    check = schedules.check(stack(False, ("wal",)))
    assert check.verdict == "fail"
    assert check.found == "backup_pitr_schedule 15min, without backup_repository"
    assert check.next == "set backup_repository to another disk or machine, or backup_pitr_schedule to never"
    assert schedules.check(stack(True, ("wal",))).verdict == "pass"
    assert schedules.check(stack(False, ("wal",), backup_pitr_schedule="never")).verdict == "pass"


def test_what_the_host_has(tmp_path: Path) -> None:
    """Timers of systemd or of cron, and the mark; another stack's are not seen."""
    settings, etc = tmp_path / "settings", tmp_path / "etc"
    assert schedules.read("ready", settings, etc) == {"mark": "", "timers": []}
    for path in ("systemd/system/ready-drill-ready.timer", "cron.d/ready-backup-ready", "cron.d/ready-wal-other"):
        (etc / path).parent.mkdir(parents=True, exist_ok=True)
        (etc / path).touch()
    (settings / "ready").mkdir(parents=True)
    (settings / "ready" / "mark").write_text("abc\n")
    assert schedules.read("ready", settings, etc) == {"mark": "abc", "timers": ["backup", "drill"]}


def test_when_up_has_something_to_do() -> None:
    """Never for a stack without timers that wants none, so that a run that changes nothing costs nothing."""
    none, daily = {"mark": "", "timers": []}, {"mark": "abc", "timers": ["backup"]}
    assert not schedules.is_concerned(stack(), {"installed": none})
    assert schedules.is_concerned(stack(), {"installed": daily}), "they are taken away"
    wants = stack(backup_schedule="daily")
    assert schedules.is_concerned(wants, {"installed": none})
    assert schedules.is_complete(wants, {"installed": daily}, "abc")
    assert not schedules.is_complete(wants, {"installed": daily}, "abd")
    assert not schedules.is_complete(wants, {"installed": daily | {"timers": []}}, "abc")
    assert not schedules.is_complete(wants, {"installed": daily | {"timers": ["backup", "drill"]}}, "abc")


def test_the_mark() -> None:
    """Rotated secrets and another time of day change it; new evidence does not."""
    files = {"include/secrets.vault": b"1", "include/evidence_health.json": b"1"}
    mark = schedules.make_mark(files, {"backup": "daily"}, "03:15")
    assert mark == schedules.make_mark(files | {"include/evidence_health.json": b"2"}, {"backup": "daily"}, "03:15")
    assert mark != schedules.make_mark(files | {"include/secrets.vault": b"2"}, {"backup": "daily"}, "03:15")
    assert mark != schedules.make_mark(files, {"backup": "hourly"}, "03:15")
    assert mark != schedules.make_mark(files, {"backup": "daily"}, "04:15")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the settings' file of a stack."""
    monkeypatch.setattr(workspace, "SETTINGS", tmp_path)
    monkeypatch.setattr(workspace, "WORK", tmp_path / "work")
    path = tmp_path / "ready" / "settings.json"
    path.parent.mkdir()
    return path


def test_timers_read_what_up_wrote(place: Path) -> None:
    """Not a copy: a service that came later is known at once."""
    description = place.with_name("description.json")
    place.write_text(json.dumps({"host": "pc1", "description": str(description)}))
    with pytest.raises(BackupError, match=r"Next: \./ready up"):
        workspace.Workspace.of("ready")
    later: list[dict[str, Any]] = [{"redis": {}}, {"redis": {}, "neo4j": {}}]
    for services in later:
        description.write_text(json.dumps({"name": "ready", "services": services}))
        assert workspace.Workspace.of("ready").stack["services"] == services


def test_timers_that_an_earlier_version_made(place: Path) -> None:
    """Their settings hold the stack; that of the host's description is not asked for."""
    place.write_text(json.dumps({"host": "pc1", "stack": {"name": "ready", "services": {"redis": {}}}}))
    assert workspace.Workspace.of("ready").stack["services"] == {"redis": {}}
