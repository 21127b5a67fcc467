"""Locks between processes of one host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ready.host.file_lock import HeldError, is_free, locked


def test_the_second_one_is_refused_and_learns_who_holds_it(tmp_path: Path) -> None:
    """And gets it when the first has ended."""
    path = tmp_path / "lock"
    with locked(path, wait=False):
        with pytest.raises(HeldError, match=f"^{os.getpid()}$"), locked(path, wait=False):
            pass
        assert not is_free(path)
    assert is_free(path)
    with locked(path, wait=False):
        pass


def test_a_file_that_does_not_stay(tmp_path: Path) -> None:
    """It is gone at the end, and a file that is not there is nobody's lock."""
    path = tmp_path / "lock"
    with locked(path, stays=lambda: False):
        assert path.exists()
    assert not path.exists()
    assert not is_free(path)
