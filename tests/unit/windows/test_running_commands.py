"""Notes of commands under way: what is held, what is done, and what is left."""

from __future__ import annotations

import multiprocessing
import os
import time
import uuid
from pathlib import Path

import pytest
from ready.windows.running_commands import ConnectionLostError, RunningCommands


def hold(directory: Path, token: str) -> None:
    """Run a command that never ends."""
    with RunningCommands(directory, "pc1", "Ubuntu").track(token):
        time.sleep(600)


def test_a_command_that_ends_or_fails_leaves_no_note(tmp_path: Path) -> None:
    """And one under way is no leftover."""
    commands, token = RunningCommands(tmp_path, "pc1", "Ubuntu"), uuid.uuid4().hex
    with commands.track(token):
        assert list(tmp_path.glob(f"*/{token}"))
        assert commands.leftovers() == []
    with pytest.raises(ValueError, match="other"), commands.track(token):
        raise ValueError("other")
    assert not list(tmp_path.glob("*/*"))


def test_a_lost_connection_leaves_one_until_it_is_forgotten(tmp_path: Path) -> None:
    """For that distro of that host alone."""
    commands, token = RunningCommands(tmp_path, "pc1", "Ubuntu"), uuid.uuid4().hex
    with pytest.raises(ConnectionLostError), commands.track(token):
        raise ConnectionLostError
    assert commands.leftovers() == [token]
    assert (
        RunningCommands(tmp_path, "pc2", "Ubuntu").leftovers()
        == RunningCommands(tmp_path, "pc1", "Debian").leftovers()
        == []
    )
    commands.forget([token])
    assert commands.leftovers() == []


def test_a_killed_run_leaves_one(tmp_path: Path) -> None:
    """While it lives it is another run's, and left alone."""
    commands, token = RunningCommands(tmp_path, "pc1", "Ubuntu"), uuid.uuid4().hex
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(tmp_path, token))
    process.start()
    while not list(tmp_path.glob(f"*/{token}")):
        time.sleep(0.02)
    assert commands.leftovers() == []
    assert process.pid
    os.kill(process.pid, 9)
    process.join()
    assert commands.leftovers() == [token]
