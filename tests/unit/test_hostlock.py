"""Locks between processes of one host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ready.hostlock import HeldError, held, is_free


def test_the_second_one_is_refused_and_learns_who_holds_it(tmp_path: Path) -> None:
    """And gets it when the first has ended."""
    path = tmp_path / "lock"
    with held(path, wait=False):
        with pytest.raises(HeldError, match=f"^{os.getpid()}$"), held(path, wait=False):
            pass
        assert not is_free(path)
    assert is_free(path)
    with held(path, wait=False):
        pass


def test_a_file_that_does_not_stay(tmp_path: Path) -> None:
    """It is gone at the end, and a file that is not there is nobody's lock."""
    path = tmp_path / "lock"
    with held(path, stays=lambda: False):
        assert path.exists()
    assert not path.exists()
    assert not is_free(path)
