"""The shell scripts parse, and windows_state gives what its schema wants; test_powershell.py sees to the rest."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ready.windows import script_text

ROOT = Path(__file__).resolve().parents[3]
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
    text = script_text.text_of(ROOT / "scripts" / "windows" / "windows_state.ps1")
    body = text.partition(f"Read-Part '{part}' {{")[2].partition("\n}\n")[0]
    if function := re.match(r" (Read-\w+)", body):
        body = re.split(rf"\nfunction {function[1]}\b[^\n]*", text)[1].partition("\n}\n")[0]
    last = body[body.rindex("\n    @{") :]
    one_line = re.fullmatch(r"\s*@\{ (.*) \}", last)
    pairs = one_line[1].split(";") if one_line else re.findall(r"^        (\w+ =)", last, re.MULTILINE)
    assert [pair.partition("=")[0].strip() for pair in pairs] == list(schema["properties"][part]["properties"])


@pytest.mark.parametrize("name", ["windows", "diagnose", "windows_destroy"])
def test_windows_hosts_are_those_of_the_group(name: str) -> None:
    """No verb for Windows touches a host outside of it."""
    play = yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text())[0]
    assert "ready_windows_hosts" in play["hosts"]


FAKE = """#!/bin/sh
echo >> "$0.calls"
said=$(sed -n "$(wc -l < "$0.calls")p" "$0.answers")
[ "$said" = fails ] && exit 1
echo "$said"
"""


def fake(directory: Path, name: str, *answers: str) -> dict[str, str]:
    """Put a command first in PATH that gives these answers, one at each call, and nothing afterwards."""
    program = directory / name
    program.write_text(FAKE)
    program.chmod(0o755)
    (directory / f"{name}.answers").write_text("".join(f"{answer}\n" for answer in answers))
    return os.environ | {"PATH": f"{directory}:{os.environ['PATH']}", "READY_PAUSE": "0", "READY_TRIES": "3"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("fails", "fails", "initializing"), "initializing"),
        (("fails", "running"), "running"),
        (("offline", "running"), "offline"),  # this machine's wsl.conf wants no systemd
        (("degraded", "running"), "degraded"),
    ],
)
def test_state_of_systemd_is_asked_until_there_is_one(tmp_path: Path, answers: tuple[str, ...], expected: str) -> None:
    """A command may come before systemd has its socket (microsoft/WSL#8886)."""
    environment = fake(tmp_path, "systemctl", *answers)
    script = ROOT / "scripts" / "linux" / "distro_state.sh"
    done = subprocess.run(["sh", script], env=environment, capture_output=True, text=True, check=True)
    values = dict(line.split(" ") for line in done.stdout.splitlines() if line.count(" ") == 1)
    assert base64.b64decode(values["systemd"]).decode().strip() == expected


@pytest.mark.parametrize(("answers", "code", "calls"), [(("fails", "fails", "28.3.2"), 0, 3), (("fails",) * 9, 1, 3)])
def test_docker_is_waited_for(tmp_path: Path, answers: tuple[str, ...], code: int, calls: int) -> None:
    """Until it answers, and not for ever."""
    environment = fake(tmp_path, "docker", *answers)
    done = subprocess.run(["sh", ROOT / "scripts" / "linux" / "docker_wait.sh"], env=environment, check=False)
    assert (done.returncode, len((tmp_path / "docker.calls").read_text().splitlines())) == (code, calls)


@pytest.mark.parametrize(("script", "program"), [("docker_wait", "docker"), ("distro_state", "systemctl")])
def test_waiting_ends_by_the_clock(tmp_path: Path, script: str, program: str) -> None:
    """Each question may hang for twenty seconds: tries alone would make minutes of them."""
    environment = fake(tmp_path, program, *("fails",) * 9) | {"READY_TRIES": "9"}
    fake(tmp_path, "date", "100", "161")
    subprocess.run(
        ["sh", ROOT / "scripts" / "linux" / f"{script}.sh"], env=environment, check=False, capture_output=True
    )
    assert len((tmp_path / f"{program}.calls").read_text().splitlines()) == 1
