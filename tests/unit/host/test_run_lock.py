"""The lock across runs: who holds it, and when a holder counts as gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ready.host.run_lock import FORGOTTEN, Holder, holder_text, is_alive, read, release_lock, take_lock, this_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a lock is."""
    return tmp_path / "lock" / "ready-x.json"


def ended() -> int:
    """Return the process id of one that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def elsewhere(run: Holder) -> Holder:
    """Return a run in another container on the same kernel."""
    return replace(run, machine=f"{run.machine.partition('.')[0]}.1")


def test_it_is_taken_and_given_back(path: Path) -> None:
    """By one run, which may take it again."""
    run = this_run(os.getpid())
    other = replace(run, pid=run.pid + 1)
    assert take_lock(path, run) is None
    assert take_lock(path, run) is None
    assert take_lock(path, other) == run
    assert not release_lock(path, other)
    assert release_lock(path, run)
    assert read(path) is None
    assert list(path.parent.iterdir()) == []


def test_a_process_of_the_same_namespace_is_asked(path: Path) -> None:
    """However young its lock."""
    here = this_run(os.getpid())
    assert is_alive(here, here)
    assert not is_alive(replace(here, pid=ended()), here)
    assert not is_alive(replace(here, since=time.time() - 3600 * 24 * 365 * 50), here), "another process by now"


def test_a_process_of_another_namespace_is_not_asked() -> None:
    """Containers on one kernel share its boot id: a process id of one says nothing in another, alive or not."""
    here = this_run(os.getpid())
    for pid in (os.getpid(), ended()):
        assert is_alive(elsewhere(replace(here, pid=pid)), here)
        assert not is_alive(elsewhere(replace(here, pid=pid, since=time.time() - FORGOTTEN - 1)), here)


def test_files_of_versions_before_the_namespace(path: Path) -> None:
    """They are judged as they were: by the process. And what those versions read is what they know."""
    here = this_run(os.getpid())
    old = replace(here, machine=here.machine.partition(".")[0])
    assert is_alive(old, here)
    assert not is_alive(replace(old, pid=ended()), here)
    assert take_lock(path, here) is None
    assert sorted(json.loads(path.read_text())) == ["hostname", "machine", "pid", "since"]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"more": 1}))
    assert read(path) == here, "what a later version adds does not make it damaged"


def test_a_lock_that_is_broken(path: Path) -> None:
    """Only that of the holder who was shown; its run does not take the lock away at its end."""
    here = this_run(os.getpid())
    first, second = elsewhere(here), elsewhere(replace(here, pid=4321))
    assert take_lock(path, first) is None
    assert take_lock(path, here, replace=second) == first
    assert take_lock(path, here, replace=first) is None
    assert not release_lock(path, first)
    assert read(path) == here


@pytest.mark.parametrize(("seconds", "age"), [(0, "0 min"), (3000, "50 min"), (3 * 3600, "3 h"), (-90, "0 min")])
def test_words(seconds: int, age: str) -> None:
    """They name the holder, and the age also when a clock is off."""
    holder = Holder("m", "pc1", 12, time.time() - seconds)
    said = holder_text(holder)
    assert said.startswith("process 12 on pc1, since 20")
    assert said.endswith(f"({age})")
