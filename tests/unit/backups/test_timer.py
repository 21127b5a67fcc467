"""What timers run: when it is due, what it waits for, and that its outcome is reported, whatever it is."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ready.backups import run, timer, workspace
from ready.backups.runner_archive import runner


@pytest.mark.parametrize(
    ("kernel", "words", "waits"),
    [
        ("5.15.167.4-microsoft-standard-WSL2", ["backup", "ready"], True),
        ("6.1.0-18-amd64", ["backup", "ready"], False),
        ("5.15.167.4-microsoft-standard-WSL2", ["backup", "ready", "--if-due", "daily"], False),
    ],
)
def test_run_in_wsl_waits_for_docker(
    kernel: str, words: list[str], waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is caught up when the distro starts, hours before anybody logs on and Docker Desktop comes."""
    steps: list[str] = []
    answers = iter([False, False, True])

    def up(stack: str) -> bool:
        steps.append(f"look at {stack}")
        return next(answers)

    def begin(stack: str) -> None:
        steps.append(f"run of {stack}")
        raise InterruptedError

    monkeypatch.setattr("platform.release", lambda: kernel)
    monkeypatch.setattr(timer, "docker_is_up", up)
    monkeypatch.setattr("time.sleep", lambda seconds: steps.append(f"wait {seconds:g}"))
    monkeypatch.setattr(workspace.Workspace, "of", begin)
    with pytest.raises(InterruptedError):
        timer.main(words)
    look = "look at ready"
    assert steps == ([look, "wait 30", look, "wait 30", look] if waits else []) + ["run of ready"]


def test_docker_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for without end: the run then fails, and says so."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert not timer.docker_is_up("ready")
    assert not timer.wait_until(lambda: timer.docker_is_up("ready"), 0.05, pause=0.01)


@pytest.mark.parametrize(("settings", "says"), [(None, "found no "), ('{"half', "Unterminated string")])
def test_a_host_without_settings(
    settings: str | None,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run that can't begin has failed, by a line that tells why."""
    monkeypatch.setattr(workspace, "SETTINGS", tmp_path)
    if settings:
        (tmp_path / "gone").mkdir()
        (tmp_path / "gone" / "settings.json").write_text(settings)
    assert timer.main(["backup", "gone", "--if-due", "daily"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ready: backup of gone failed: {says}")
    assert len(said.splitlines()) == 1


def test_when_a_run_is_due() -> None:
    """A missed one at once; after a clock that jumped back, too."""
    day = 86400
    assert timer.is_due(None, "daily", 0)
    assert not timer.is_due(1000, "daily", 1000 + day / 2)
    assert timer.is_due(1000, "daily", 1000 + day - 600)
    assert timer.is_due(1000, "hourly", 1000 + 3500)
    assert timer.is_due(5000, "daily", 1000)


def test_metrics() -> None:
    """What node_exporter's textfile collector reads."""
    text = timer.metrics("backup", "ready", "fail", 10, 5)
    assert 'ready_backup_last_run_failed{stack="ready"} 1\n' in text
    assert 'ready_backup_last_success_timestamp_seconds{stack="ready"} 5\n' in text
    assert "last_success" not in timer.metrics("backup", "ready", "fail", 10, None)


@pytest.mark.parametrize(
    ("verdict", "results", "said"),
    [
        ("pass", {}, "backup of ready failed: the backup ended with pass; and its outcome can't be written: "),
        ("fail", {"error": "no restic"}, "backup of ready failed: no restic; and its outcome can't be written: "),
    ],
)
def test_an_outcome_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    verdict: str, results: dict[str, Any], said: str,
) -> None:  # fmt: skip
    """A run is loud all the same, where the disk is full: exit code, words and metric."""
    (tmp_path / "last_backup.json" / "x").mkdir(parents=True)
    place = workspace.Workspace({"host": "h", "metrics": str(tmp_path)}, tmp_path)
    monkeypatch.setattr(workspace.Workspace, "of", lambda _: place)
    monkeypatch.setattr(timer, "outcome", lambda *_: {"verdict": verdict, "results": results})
    monkeypatch.setattr(timer, "take_lock", lambda *_: None)
    monkeypatch.setattr(timer, "is_wsl", lambda: False)
    assert timer.main(["backup", "ready"]) == 2
    assert said in capsys.readouterr().err
    assert 'ready_backup_last_run_failed{stack="ready"} 1' in (tmp_path / "ready_backup_ready.prom").read_text()


def test_set_that_cannot_be_restored_fails_its_timer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 2 and names the object; it is no success, and is not made again within its period all the same."""
    place = workspace.Workspace({"host": "h", "metrics": str(tmp_path), "stack": {"name": "ready"}}, tmp_path)
    proof = {"postgresql": {"state": "failed", "faults": ["app: index public.i: no such function"], "unproven": []}}
    made = {"manifest": {"parts": {}}, "verdict": "fail", "proof": proof}
    monkeypatch.setattr(workspace.Workspace, "of", lambda _: place)
    monkeypatch.setattr(run, "refuse_unknown", lambda _: None)
    monkeypatch.setattr(run, "make_set", lambda *_: made)
    monkeypatch.setattr(timer, "take_lock", lambda *_: None)
    monkeypatch.setattr(timer, "release_lock", lambda *_: None)
    monkeypatch.setattr(timer, "is_wsl", lambda: False)
    assert timer.main(["backup", "ready", "--if-due", "daily"]) == 2
    assert "app: index public.i" in capsys.readouterr().err
    assert "backup_succeeded_at" not in place.state()
    assert timer.main(["backup", "ready", "--if-due", "daily"]) == 0


def test_runner_is_the_same_each_time() -> None:
    """So that a host is written to only when the code has changed; it begins with the timer."""
    assert runner() == runner()
    with zipfile.ZipFile(io.BytesIO(runner())) as archive:
        assert {"__main__.py", "ready/backups/timer.py", "ready/services/redis/probe.py"} <= set(archive.namelist())
