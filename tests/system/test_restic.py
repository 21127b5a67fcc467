"""What a real restic does with sets: what is kept, and that half a set is none. On a repository in a directory."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ready.backups import manifest
from ready.backups.drill import fetch
from ready.backups.manifest import BackupError
from ready.backups.restic import repository as restic
from ready.backups.restic.repository import Repository, newest, set_id_of
from ready.backups.workspace import Workspace

from tests.packages import install

DAY = datetime(2026, 11, 24, tzinfo=timezone.utc)


@pytest.fixture(scope="module", autouse=True)
def _restic() -> None:
    """Install it where the machine is new."""
    install("restic")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Return a stack's place with a repository that is there."""
    place = tmp_path / "settings"
    place.mkdir()
    (place / "key").write_text("a key of a test\n")
    monkeypatch.setattr(Workspace, "settings_directory", lambda _: place)
    made = Workspace({"stack": {"name": "ready"}, "repository": str(tmp_path / "repository")}, tmp_path)
    assert made.repository().ensure(known=False)
    made.staging.mkdir()
    (made.staging / manifest.FILE).write_text("{}")
    return made


def a_set(safety: bool = False) -> dict[str, Any]:
    """Return what of a manifest is needed."""
    made = {"id": manifest.new_id(DAY), "stack": "ready", "level": "fuzzy", "parts": {"redis": {}}}
    return {**made, "safety": safety}


def kept(repository: Repository) -> list[str]:
    """Return the names of the sets that are there."""
    return [set_id_of(item) for item in repository.snapshots("ready")]


def test_safety_sets_take_no_slot(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The set of a day stays when a safety set is made after it; of those the newest few stay."""
    monkeypatch.setattr(restic, "SAFETY_KEPT", 2)
    repository = work.repository()
    made = [a_set(), a_set(), *(a_set(safety=True) for _ in range(3))]
    for item in made:
        repository.save(work.staging, item, "pc1")
    repository.forget("ready", {"daily": 7})
    assert kept(repository) == [item["id"] for item in (made[1], *made[3:])]
    assert set_id_of(newest(repository.snapshots("ready"))) == made[1]["id"]


def test_retention(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each period the newest set stays, of as many periods as asked for; what no period keeps goes."""
    repository, run = work.repository(), Repository.run
    made = {
        "2026-11-24 10:00:00": True,
        "2026-11-24 09:00:00": True,  # the second hour
        "2026-11-24 08:00:00": False,
        "2026-11-23 23:00:00": True,  # the second day
        "2026-11-22 23:00:00": True,  # the second week
        "2026-11-21 23:00:00": False,
        "2026-10-31 23:00:00": True,  # the second month
        "2026-09-30 23:00:00": False,
    }
    stays = []
    for time, keep in made.items():

        def dated(self: Repository, *words: str, time: str = time, **options: Any) -> str:
            return run(self, *words, *(["--time", time] if words[0] == "backup" else []), **options)

        monkeypatch.setattr(Repository, "run", dated)
        item = a_set()
        repository.save(work.staging, item, "pc1")
        stays += [item["id"]] if keep else []
    repository.forget("ready", {"hourly": 2, "daily": 2, "weekly": 2, "monthly": 2})
    assert sorted(kept(repository)) == sorted(stays)


def test_half_a_set_is_none(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that could not be read makes restic end with 3, after it has saved the rest."""
    whole, half = a_set(), a_set()
    repository, real = work.repository(), shutil.which("restic")
    repository.save(work.staging, whole, "pc1")
    wrapper = tmp_path / "bin" / "restic"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\n{real} "$@" || exit\ncase " $* " in *" backup "*) echo incomplete >&2; exit 3;; esac\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=":")
    with pytest.raises(BackupError, match="incomplete"), work.discard_on_failure(f"set={half['id']}"):
        repository.save(work.staging, half, "pc1")
    assert kept(repository) == [whole["id"]]


def test_what_lies_beside_the_data_is_held_to_its_checksum(work: Workspace) -> None:
    """The secrets of a set are the bytes that were put into it, or it is damaged."""
    path = work.staging / "include" / "secrets.vault"
    path.parent.mkdir()
    path.write_text("encrypted")
    made = a_set() | {"schema": manifest.SCHEMA, "finished_at": "2026-11-24T00:00:00Z"}
    made["include"] = manifest.describe_files(path.parent, [path.name])
    (work.staging / manifest.FILE).write_text(json.dumps(made))
    work.repository().save(work.staging, made, "pc1")
    work.settings["set_stack"] = "ready"
    assert fetch(work, None, [])[0]["id"] == made["id"]
    shutil.rmtree(work.fetched)
    path.write_text("encryptex")
    work.repository().save(work.staging, made, "pc1")
    with pytest.raises(BackupError, match=r"is damaged: include: secrets\.vault: found other bytes"):
        fetch(work, None, [])
