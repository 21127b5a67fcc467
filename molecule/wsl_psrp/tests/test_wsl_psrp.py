"""What the connection put into the distro, and that it went through Windows alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import docker
import pytest
from ready.docker import execute

EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
PICTURE = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "docs" / "pictures" / "readiness.png"


@pytest.fixture
def distro() -> Any:
    """Return the container that is the distro."""
    label = f"io.ready.simulator={(EPHEMERAL / 'simulator' / 'pid').read_text().strip()}-pc1"
    (found,) = docker.from_env().containers.list(filters={"label": label})
    return found


def said(distro: Any, *command: str) -> str:
    """Return what a command prints there."""
    result = execute.run(distro, command)
    assert result.exit_code == 0, result.output
    return str(result.output.decode())


def test_bytes_arrive_and_come_back(distro: Any) -> None:
    """Whole, with owner and mode."""
    assert (EPHEMERAL / "back.png").read_bytes() == PICTURE.read_bytes()
    assert said(distro, "stat", "-c", "%s %U %a", "/var/tmp/picture.png").split() == [  # noqa: S108
        str(PICTURE.stat().st_size),
        "root",
        "640",
    ]


def test_other_user_wrote(distro: Any) -> None:
    """By wsl.exe itself: no sudo."""
    assert said(distro, "stat", "-c", "%U %a", "/var/tmp/words").split() == ["ready", "600"]  # noqa: S108
    assert said(distro, "cat", "/var/tmp/words") == 'it\'s "quoted" $HOME `id` \\ ü\n'  # noqa: S108


def test_windows_was_asked_for_nothing_else() -> None:
    """One script, and no module on Windows."""
    lines = (EPHEMERAL / "simulator" / "pc1.jsonl").read_text().splitlines()
    asked = {(action["kind"], action["name"]) for action in map(json.loads, lines)}
    assert asked == {("script", "wsl_exec")}
