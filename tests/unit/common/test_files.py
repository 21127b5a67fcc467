"""Files that are replaced in one step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ready.common.files import sync_directory, write_bytes, write_text


def test_a_file_gets_its_content_and_mode(tmp_path: Path) -> None:
    """A secret's, too; a directory that is missing is made."""
    path = tmp_path / "a" / "key"
    write_bytes(path, b"\x00secret", 0o400)
    write_bytes(path, b"other", 0o600)
    sync_directory(path.parent)
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"other", 0o600)
    write_text(path, "ä")
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o7777) == ("ä", 0o644)
    assert [item.name for item in path.parent.iterdir()] == ["key"]


def test_a_failure_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else stays beside it."""
    path = tmp_path / "key"
    write_text(path, "old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["key"]


def test_a_file_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root replaces a user's file, and the user can still read it."""
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr("os.fchown", lambda _, *owner: owners.append(owner))
    write_bytes(tmp_path / "env", b"x", 0o600, (os.geteuid(), os.getegid()))
    write_bytes(tmp_path / "env", b"x", 0o600, (4711, 4712))
    assert owners == [(4711, 4712)]
