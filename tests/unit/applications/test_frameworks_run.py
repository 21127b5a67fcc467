"""One run: what is removed after it, however it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ready.applications import frameworks_run
from ready.applications.frameworks_run import Run
from ready.applications.job_settings import JobSettings
from ready.docker import jobs
from ready.docker.state import EngineError
from ready.host import run_lock

CLEAN = {"verdict": "pass", "detail": "", "findings": [], "removed": {"redis": 1}}


FIRST, SECOND = (run_lock.Holder("boot.1", "host", number, float(number)) for number in (1, 2))
#: Who takes the lock over while the first run is at work.
TAKES: list[run_lock.Holder] = []


class Database:
    """A database of which every step works."""

    dropped = 0

    def __init__(self, *_: object) -> None:
        Database.dropped = 0

    def make(self) -> bool:
        """Make it."""
        return False

    def drop(self) -> bool:
        """Drop it."""
        Database.dropped += 1
        return True


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return what containers were asked to do; the first one is removed by somebody while it runs."""
    words: list[str] = []
    monkeypatch.setattr(run_lock, "DIRECTORY", tmp_path)
    run_lock.take_lock(run_lock.path_of("s"), FIRST)

    def run(client: object, stack: str, job: jobs.Job) -> jobs.Outcome:
        words.append(job.command[-1])
        if job.command[-1] == "run":
            for taker in TAKES:
                run_lock.take_lock(run_lock.path_of("s"), taker, FIRST)
            raise EngineError("the container can't be run: No such container")
        content = json.dumps({"cleanup": CLEAN}).encode()
        return jobs.Outcome(0, False, False, "", {"results.json": content}, (), 1.0)

    monkeypatch.setattr(jobs, "run", run)
    monkeypatch.setattr(frameworks_run, "job_settings", lambda *_: JobSettings({}, {}, frozenset()))
    monkeypatch.setattr(frameworks_run, "ScratchDatabase", Database)
    return words


def test_what_a_run_wrote_goes_though_its_container_was_removed(asked: list[str]) -> None:
    """The error is still the one of the run."""
    client: Any = None
    run = Run(client, {"name": "s", "network": "s"}, "image", b"", ["core"], 600.0, 20000)
    with pytest.raises(EngineError, match="No such container"):
        run()
    assert (asked, Database.dropped) == (["run", "clean"], 1)


def test_a_run_whose_lock_another_has_taken_over_leaves_everything_to_it(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its playbook was killed, its module lives on: database and container of that name are the other run's now."""
    monkeypatch.setattr(f"{__name__}.TAKES", [SECOND])
    client: Any = None
    run = Run(client, {"name": "s", "network": "s"}, "image", b"", ["core"], 600.0, 20000)
    with pytest.raises(EngineError, match="another run"):
        run()
    assert (asked, Database.dropped) == (["run"], 0)
