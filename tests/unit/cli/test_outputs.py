"""What is left in files for applications: one block, no old password, for the owner alone."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ready.cli.outputs import PRINTED, OutputError, warn_of_readable_output, write_output
from ready.connections.settings import settings

from tests.unit.conftest import resolved_stack

ROOT = Path(__file__).resolve().parents[3]
NAME = "ready ready on pc1"


def test_the_block_is_replaced(tmp_path: Path) -> None:
    """After a rotation the old password is gone, and what others wrote is there."""
    path = tmp_path / ".env"
    path.write_text("MINE=1")
    path.chmod(0o644)
    write_output(path, "PGPASSWORD=old\nCHROMA_TOKEN=old\n", NAME, 1, whole=False)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text() + "AFTER=2\n")
    assert write_output(path, "PGPASSWORD=new\n", NAME, 1, whole=False) == ""
    lines = path.read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["MINE=1", "PGPASSWORD=new", "AFTER=2"]
    assert "old" not in path.read_text()
    write_output(path, "PGPASSWORD=other\n", "ready ready on pc2", 2, whole=False)
    write_output(path, "PGPASSWORD=new\n", NAME, 2, whole=False)
    assert path.read_text().count("# BEGIN") == path.read_text().count("# END") == 2


def test_made_for_the_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask, and through a link the file behind it."""
    old = os.umask(0)
    try:
        write_output(tmp_path / "new", "A=1\n", NAME, 1, whole=False)
    finally:
        os.umask(old)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to("new")
    write_output(tmp_path / "link", "A=2\n", NAME, 1, whole=False)
    assert (tmp_path / "link").is_symlink()
    assert "A=2" in (tmp_path / "new").read_text()


def test_the_same_variable_outside(tmp_path: Path) -> None:
    """Of an earlier redirect, or the user's own: it is named, by its line, and left."""
    path = tmp_path / ".env"
    path.write_text("X=1\nexport PGPASSWORD=s3cret\n")
    line = write_output(path, "PGPASSWORD=new\nPGHOST=h\n", NAME, 1, whole=False)
    assert "PGPASSWORD (line 2)" in line
    assert "PGHOST" not in line
    assert "s3cret" not in line
    assert "s3cret" in path.read_text()


def test_json_is_the_whole_file(tmp_path: Path) -> None:
    """It replaces what it was before, and nothing else; hosts do not overwrite each other."""
    path = tmp_path / "settings.json"
    for password in ("old", "new"):
        write_output(path, json.dumps({"PGPASSWORD": password}), NAME, 1, whole=True)
    assert json.loads(path.read_text()) == {"PGPASSWORD": "new"}
    shown = json.dumps({"redis": {"app": {"login": "app", "password": "old"}}})
    for text in (shown, json.dumps(settings(resolved_stack(postgresql_databases=[{"name": "shop"}]), None)), "{}"):
        write_output(path, text, NAME, 1, whole=True)
        write_output(path, shown, NAME, 1, whole=True)
    others = [{"name": "app", "scripts": {}}, {"redis": {"app": {"url": "x"}}}, {"a": {}}, {"PGPORT": 5432}, ["PGHOST"]]
    for text in ("MINE=1\n", *map(json.dumps, others)):
        path.write_text(text)
        with pytest.raises(OutputError, match="something else than what Ready wrote"):
            write_output(path, "{}", NAME, 1, whole=True)
        assert path.read_text() == text
    with pytest.raises(OutputError, match="found 2 hosts, expected one"):
        write_output(tmp_path / "two", "{}", NAME, 2, whole=True)


def test_a_full_disk_takes_nothing_away(tmp_path: Path) -> None:
    """What was there stays, and nothing lies beside it."""
    path = tmp_path / ".env"
    path.write_text("MINE=1\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(OutputError, match="can't be written"):
            write_output(path, "PGPASSWORD=new\n" * 9, NAME, 1, whole=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "MINE=1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_hosts_write_at_once(tmp_path: Path) -> None:
    """Each has its block, whoever was first."""
    path = tmp_path / ".env"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda host: write_output(path, "A=1\n", f"ready ready on pc{host}", 8, whole=False), range(8)))
    assert path.read_text().count("# BEGIN") == 8


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    """Named, with what to do."""
    with pytest.raises(OutputError, match=r"nowhere/\.env: can't be written: .*Next: "):
        write_output(tmp_path / "nowhere" / ".env", "A=1\n", NAME, 1, whole=False)


def test_what_the_launcher_prints_has_no_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each host adds its settings."""
    path = tmp_path / "output"
    monkeypatch.setenv(PRINTED, str(path))
    for text in ("A=1\n", "A=2\n"):
        write_output(path, text, NAME, 2, whole=True)
    assert path.read_text() == "A=1\nA=2\n"


def test_a_redirect_that_others_can_read(tmp_path: Path) -> None:
    """One line; none for a file of one's own, a pipe, or what is no file."""
    open_to_all, own = tmp_path / "open to all", tmp_path / "own"
    open_to_all.touch(0o644)
    own.touch(0o600)
    with open_to_all.open("w") as stream:
        line = warn_of_readable_output(stream)
    assert line.count("\n") == 1
    assert "found mode 0644, expected 0600" in line
    assert f"chmod 600 '{open_to_all}'" in line
    with own.open("w") as stream:
        assert warn_of_readable_output(stream) == ""
    assert warn_of_readable_output(io.StringIO()) == ""


@pytest.mark.parametrize(
    ("words", "said"), [(["env"], False), (["env", "--secrets"], True), (["secrets", "show"], True)]
)
def test_the_launcher_says_it(tmp_path: Path, words: list[str], said: bool) -> None:
    """On standard error, where secrets are printed alone."""
    tool = tmp_path / "ansible-playbook"
    tool.write_text(f'#!/bin/sh\necho PGPASSWORD=s3cret >> "${PRINTED}"\n')
    tool.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "module_utils")}
    path = tmp_path / ".env"
    path.touch(0o644)
    with path.open("w") as stream:
        done = subprocess.run(
            [sys.executable, "-c", "from ready.cli.launcher import main; main()", *words],
            env=environment,
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
    assert path.read_text() == "PGPASSWORD=s3cret\n"
    assert (f"ready: secrets were written to {path}" in done.stderr) is said
    assert "s3cret" not in done.stderr
