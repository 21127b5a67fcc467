"""Packed modules kept from run to run: never those of other files, never those of somebody else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ready.cli.module_cache import KEPT, NAME, fingerprint, packed_sources, share_packed_modules

from callback_plugins.ready_modules import collections


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a module, what it imports, and a collection beside it."""
    for path in ("library/a.py", "module_utils/ready/b.py", "c/ansible_collections/x/y/MANIFEST.json"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("1")
    return tmp_path


@pytest.mark.parametrize(
    "path", ["library/a.py", "library/new.py", "module_utils/ready/b.py", "c/ansible_collections/x/y/MANIFEST.json"]
)
def test_what_is_packed_changes_the_key(checkout: Path, path: str) -> None:
    """Also when its size stays; and so does another version of Ansible."""

    def key(version: str = "2.21") -> str:
        return fingerprint(checkout, [str(checkout / "c")], [version])

    before = key()
    assert before == key() != key("2.22")
    (checkout / path).write_text("2")
    os.utime(checkout / path, ns=(1, time.time_ns() + 1))
    assert key() != before


def test_collections_that_come_with_ansible_count() -> None:
    """They are outside Ansible's own list of paths, and a newer `ansible` may bring the same ansible-core."""
    found = {path.parent.name for path in packed_sources(Path("/nowhere"), collections())}
    assert {"docker", "windows", "general"} <= found


def test_runs_share_it(tmp_path: Path) -> None:
    """What one leaves there the next one has, and the end of a run takes the link alone."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert share_packed_modules(tmp_path / name, tmp_path / "kept", "key")
    (tmp_path / "one" / NAME / "packed").write_text("x")
    (tmp_path / "one" / NAME).unlink()
    assert (tmp_path / "two" / NAME / "packed").read_text() == "x"
    assert (tmp_path / "kept" / "key").stat().st_mode & 0o777 == 0o700


def test_what_others_may_write_is_not_used(tmp_path: Path) -> None:
    """It would be run."""
    (tmp_path / "kept" / "key").mkdir(parents=True)
    (tmp_path / "kept" / "key").chmod(0o770)
    assert not share_packed_modules(tmp_path, tmp_path / "kept", "key")
    assert not (tmp_path / NAME).is_symlink()


def test_no_room_for_a_link(tmp_path: Path) -> None:
    """Ansible packs as ever."""
    (tmp_path / NAME).mkdir()
    assert not share_packed_modules(tmp_path, tmp_path / "kept", "key")


def test_what_no_run_uses_goes(tmp_path: Path) -> None:
    """After a week; what is in use is younger."""
    for name, age in (("old", KEPT + 60), ("young", 60)):
        (tmp_path / "kept" / name).mkdir(parents=True)
        os.utime(tmp_path / "kept" / name, (time.time() - age,) * 2)
    assert share_packed_modules(tmp_path, tmp_path / "kept", "key")
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"young", "key"}
