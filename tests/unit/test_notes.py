"""Notes of commands under way: what is held, what is done, and what is left."""

from __future__ import annotations

import multiprocessing
import os
import time
import uuid
from pathlib import Path

import pytest
from ready.windows.notes import ConnectionLostError, Notes


def hold(directory: Path, token: str) -> None:
    """Run a command that never ends."""
    with Notes(directory, "pc1", "Ubuntu").keep(token):
        time.sleep(600)


def test_a_command_that_ends_or_fails_leaves_no_note(tmp_path: Path) -> None:
    """And one under way is no leftover."""
    notes, token = Notes(tmp_path, "pc1", "Ubuntu"), uuid.uuid4().hex
    with notes.keep(token):
        assert list(tmp_path.glob(f"*/{token}"))
        assert notes.left() == []
    with pytest.raises(ValueError, match="other"), notes.keep(token):
        raise ValueError("other")
    assert not list(tmp_path.glob("*/*"))


def test_a_lost_connection_leaves_one_until_it_is_forgotten(tmp_path: Path) -> None:
    """For that distro of that host alone."""
    notes, token = Notes(tmp_path, "pc1", "Ubuntu"), uuid.uuid4().hex
    with pytest.raises(ConnectionLostError), notes.keep(token):
        raise ConnectionLostError
    assert notes.left() == [token]
    assert Notes(tmp_path, "pc2", "Ubuntu").left() == Notes(tmp_path, "pc1", "Debian").left() == []
    notes.forget([token])
    assert notes.left() == []


def test_a_killed_run_leaves_one(tmp_path: Path) -> None:
    """While it lives it is another run's, and left alone."""
    notes, token = Notes(tmp_path, "pc1", "Ubuntu"), uuid.uuid4().hex
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(tmp_path, token))
    process.start()
    while not list(tmp_path.glob(f"*/{token}")):
        time.sleep(0.02)
    assert notes.left() == []
    assert process.pid
    os.kill(process.pid, 9)
    process.join()
    assert notes.left() == [token]
