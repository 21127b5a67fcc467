"""What `backup list` says, with a restic that is none: it reads the key, and answers as a test wants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ready.backups.manifest import BackupError
from ready.backups.restic import repository
from ready.backups.restic.listing import list_sets
from ready.stack.schedules import last_outcomes

SNAPSHOT = {
    "id": "a" * 64, "time": "2026-06-01T12:00:00.123456789+02:00",
    "tags": ["ready-set", "set=20260601T100000Z", "stack=ready", "level=fuzzy", "service=redis", "kind=regular"],
}  # fmt: skip
GONE = "Fatal: unable to open config file: stat /b/config: no such file or directory"


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that the restic writes its words, environment and key to; it prints `answer`, or fails by it."""
    program, log = tmp_path / "restic", tmp_path / "said"
    program.write_text(
        f'#!/bin/sh\necho "$@" "$RESTIC_PASSWORD_FILE" "$RESTIC_PASSWORD" >{log}\ncat "$RESTIC_PASSWORD_FILE" >>{log}\n'
        f"grep -q Fatal {tmp_path}/answer && {{ cat {tmp_path}/answer >&2; exit 1; }}\ncat {tmp_path}/answer\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(repository, "program", lambda: str(program))
    return log


def listed(root: Path, answer: Any, key: str = "k3y", state: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what is found where the repository answers this."""
    (root / "answer").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    work = root / "work" / "ready"
    work.mkdir(parents=True, exist_ok=True)
    if state:
        (work / "state.json").write_text(json.dumps(state))
    return list_sets("ready", "/b", "ready", key, {}, root / "work", root / "settings")


def test_sets(tmp_path: Path, said: Path) -> None:
    """The key is in no file and no argument, there is no cache, and nothing is written."""
    state = {"repository": "/b", "last_proven": "20260601T100000Z"}
    found = listed(tmp_path, [SNAPSHOT], state=state)
    assert [(its["id"], its["services"], its["safety"]) for its in found["sets"]] == [
        ("20260601T100000Z", ["redis"], False)
    ]
    assert (found["proven"], found["none"], found["location"]) == ("20260601T100000Z", "", "/b")
    words, key = said.read_text().splitlines()
    assert ("--no-cache" in words, "k3y" in words, "/proc/self/fd/" in words, key) == (True, False, True, "k3y")
    assert [path.name for path in (tmp_path / "work" / "ready").iterdir()] == ["state.json"]


def test_before_the_first_backup(tmp_path: Path, said: Path) -> None:
    """Without a repository or a set it says that there is none yet, and what makes one; /b does not exist."""
    for answer, key in (("[]", ""), (GONE, "k3y"), ("[]", "k3y"), ("null", "k3y")):
        found = listed(tmp_path, answer, key)
        assert found["sets"] == []
        assert found["none"].startswith("no backup yet: "), found
        assert "Next: ./ready backup makes the first set" in found["none"]
    assert said.exists()


@pytest.mark.parametrize("location", ["{}/there", "local:{}/there", "{}/gone", "s3:https://me:s3cret@h/b"])
def test_without_a_key(tmp_path: Path, location: str) -> None:
    """A new clone and a reinstalled host know nothing of the sets: no word on whether there is a backup."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "config").touch()
    (tmp_path / "ready").mkdir()
    (tmp_path / "ready" / "state.json").write_text(json.dumps({"repository": f"{tmp_path}/gone"}))  # not mounted
    found = list_sets("ready", location.format(tmp_path), "ready", "", {}, tmp_path, tmp_path)
    assert found["none"] == (
        f"the repository {found['location']} was not asked: neither inventory nor host has its key. Next: ./ready "
        "backup key --key-file FILE, or, if there never was a backup, ./ready backup"
    )
    assert "s3cret" not in str(found)


def test_the_key_of_the_host(tmp_path: Path, said: Path) -> None:
    """After `secrets recover` the inventory has none."""
    (tmp_path / "settings" / "ready").mkdir(parents=True)
    (tmp_path / "settings" / "ready" / "key").write_text("its\n")
    assert len(listed(tmp_path, [SNAPSHOT], key="")["sets"]) == 1
    assert said.read_text().splitlines()[1] == "its"


def test_a_repository_that_was_there(tmp_path: Path, said: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is gone, which is no beginning; nor is a host without restic, and its message names what installs it."""
    with pytest.raises(BackupError, match="there is no repository"):
        listed(tmp_path, GONE, state={"repository": "/b"})
    assert said.exists()
    monkeypatch.setattr(repository, "program", lambda: None)
    with pytest.raises(BackupError, match=r"restic is not installed on this host\. Next: \./ready backup installs it"):
        listed(tmp_path, [SNAPSHOT])


def test_no_password_of_an_address_is_shown(tmp_path: Path, said: Path) -> None:
    """Neither with sets nor without."""
    (tmp_path / "answer").write_text(GONE)
    found = list_sets("ready", "rest:http://me:s3cret@h/", "ready", "k3y", {}, tmp_path, tmp_path)
    assert said.exists()
    assert "s3cret" not in str(found)


def test_outcomes_of_timers(tmp_path: Path) -> None:
    """Those of sets and drills; a damaged one is none."""
    assert last_outcomes("") == last_outcomes(str(tmp_path)) == []
    for name, text in (("backup", '{"name": "backup"}'), ("drill", "{"), ("wal", '{"name": "wal"}')):
        (tmp_path / f"last_{name}.json").write_text(text)
    assert last_outcomes(str(tmp_path)) == [{"name": "backup"}]
    for text in ("null", "[]", '"backup"', "7", ""):
        (tmp_path / "last_backup.json").write_text(text)
        assert last_outcomes(str(tmp_path)) == []
