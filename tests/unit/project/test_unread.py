"""The last inventory plugin: whose fault it is, which one, and nothing of a file's text."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible import context
from ansible.inventory.data import InventoryData
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.utils.vars import load_extra_vars

ROOT = Path(__file__).resolve().parents[3]
HOSTS = "ready: {hosts: {a: {}}}\n"


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ansible find the plugin, in a directory of the test."""
    inventory_loader.add_directory(str(ROOT / "inventory_plugins"))
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], path: Path, extra: str = "") -> str:
    """Return the line that ends a run; nothing when the source is passed over."""
    load_extra_vars.extra_vars = None  # what a run has read once it keeps
    before, context.CLIARGS = context.CLIARGS, ImmutableDict(extra_vars=(extra,) if extra else ())
    code: object = 64
    try:
        inventory_loader.get("ready_unread").parse(InventoryData(), DataLoader(), str(path))
    except SystemExit as error:
        code = error.code
    finally:
        context.CLIARGS, load_extra_vars.extra_vars = before, None
    assert code == 64
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("@absent.yml", "found no file {}/absent.yml; expected"),
        ("@.", "found a file that can't be read among @.; expected"),
        ("@locked.yml", "found encrypted variables in @locked.yml; expected a password"),
        ("@slip.yml", "found a fault in line 1 of {}/slip.yml; expected YAML"),
        ("[hunter2]", "found a value that gives no variables; expected NAME=VALUE"),
        ("/hunter2", "found a value that gives no variables; expected NAME=VALUE"),
        ("{{a: [hunter2", "found a value that can't be read"),
        ('a="hunter2', "found a value that can't be read"),
    ],
)
def test_extra_variables(given: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the kind of fault, and the file where there is one."""
    (tmp_path / "hosts.yml").write_text(HOSTS)
    (tmp_path / "locked.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    (tmp_path / "slip.yml").write_text("a: b: hunter2\n")
    line = said(capsys, tmp_path / "hosts.yml", given.replace("{{", "{"))
    assert line.startswith("ready: -e: " + message.format(tmp_path))
    assert "Nothing was changed. Next: " in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !hunter2\n", "found a fault in line 1, column 4 of {}: something that is no YAML"),
        ("a: *hunter2\n", "found a fault in line 1, column 4 of {}: something that is no YAML"),
        ("a: 2026-13-45\n", "found a fault in line 1, column 4 of {}: a value that YAML takes for a date"),
        ("ready: {hosts: [hunter2]}\n", '{}, which can\'t be used: Invalid "hosts" entry for "ready" group'),
        ("ready: {hosts: {1: {}}}\n", "{}, which can't be used: Host pattern 1 must be a string"),
        ("plugin: none.such\n", "{}, which can't be used: inventory config '{}' specifies unknown plugin"),
        ("- hosts: all\n", "found a list in {}, as in a playbook; expected hosts and groups"),
    ],
)
def test_reason(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That of the plugin whose file it is; never the text of a value."""
    path = tmp_path / "hosts.yml"
    path.write_text(text)
    line = said(capsys, path)
    assert message.format(path, path) in line
    assert "hunter2" not in line.replace(str(tmp_path), ""), "the directory has the name of the test"
    assert "Next: " in line


@pytest.mark.parametrize("text", ["---\n", "# nothing yet\n", "---\n# nothing yet\n...\n"])
def test_a_file_that_says_nothing(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no source and no fault."""
    (tmp_path / "more.yml").write_text(text)
    assert said(capsys, tmp_path / "more.yml") == ""


def test_a_program_of_comments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It was to list hosts, and did not."""
    (tmp_path / "dynamic").write_text("#!/bin/sh\n# nothing yet\n")
    (tmp_path / "dynamic").chmod(0o755)
    assert "gave no inventory; expected JSON" in said(capsys, tmp_path / "dynamic")
