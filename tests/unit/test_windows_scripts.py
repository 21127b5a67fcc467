"""The shell scripts parse, and windows_state gives what its schema wants; test_powershell.py sees to the rest."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SHELL = sorted((ROOT / "scripts" / "linux").glob("*.sh"))


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.stem)
def test_shell_script_parses(path: Path) -> None:
    """By a POSIX shell."""
    subprocess.run(["sh", "-n", path], check=True)
    assert path.read_text().startswith("# ")


def test_state_script_gives_what_the_schema_wants() -> None:
    """Every key of the schema, at the top of its result, and no other."""
    schema = json.loads((ROOT / "schemas" / "windows_state.schema.json").read_text())
    text = (ROOT / "scripts" / "windows" / "windows_state.ps1").read_text()
    result = text[text.rindex("[ordered]@{") :]
    assert re.findall(r"^    (\w+) = ", result, re.MULTILINE) == list(schema["properties"])


@pytest.mark.parametrize(
    "part", ["account", "os", "virtualization", "wsl", "docker_desktop", "network", "surroundings", "disk"]
)
def test_parts_of_the_state_have_their_keys(part: str) -> None:
    """The hash table that each part ends with."""
    schema = json.loads((ROOT / "schemas" / "windows_state.schema.json").read_text())
    text = (ROOT / "scripts" / "windows" / "windows_state.ps1").read_text()
    body = text.partition(f"Read-Part '{part}' {{")[2].partition("\n}\n")[0]
    last = body[body.rindex("\n    @{") :]
    one_line = re.fullmatch(r"\s*@\{ (.*) \}", last)
    pairs = one_line[1].split(";") if one_line else re.findall(r"^        (\w+ =)", last, re.MULTILINE)
    assert [pair.partition("=")[0].strip() for pair in pairs] == list(schema["properties"][part]["properties"])


@pytest.mark.parametrize("name", ["windows", "diagnose", "windows_destroy"])
def test_windows_hosts_are_those_of_the_group(name: str) -> None:
    """No verb for Windows touches a host outside of it."""
    play = yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text())[0]
    assert "ready_windows_hosts" in play["hosts"]
