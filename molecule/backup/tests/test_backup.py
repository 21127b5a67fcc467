"""A set is in the repository and was proven; the host keeps its key to itself, and nothing is left of the runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.names import own

EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
NAME = own("mol-backup")
SETTINGS = Path("/etc/ready/backup") / NAME
WORK = Path("/var/lib/ready/backup") / NAME


@pytest.mark.parametrize("name", ["backup", "drill"])
def test_evidence(name: str) -> None:
    """Both are well, and speak of the same set."""
    found = json.loads((EPHEMERAL / "evidence" / NAME / "localhost" / f"{name}.json").read_text())
    assert found["verdict"] == "pass", found
    made = found["results"]["manifest"]["id"] if name == "backup" else found["results"]["set"]
    assert json.loads((WORK / "state.json").read_text())["last_proven"] == made


def test_settings_are_roots_alone() -> None:
    """The key above all."""
    for path in SETTINGS.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path
    assert SETTINGS.stat().st_mode & 0o077 == 0
    assert WORK.stat().st_mode & 0o077 == 0


def test_schedule() -> None:
    """The host makes sets by itself, and nothing else that was not asked for. Cron, as there is no systemd here."""
    job = Path(f"/etc/cron.d/ready-backup-{NAME}").read_text()
    assert f"/opt/ready/backup/{NAME}.pyz backup {NAME} --if-due daily" in job, job
    assert not Path(f"/etc/cron.d/ready-drill-{NAME}").exists()


def test_nothing_is_left() -> None:
    """No scratch container, volume or network, no staging."""
    client = docker.from_env()
    for purpose in ("backup", "drill"):
        wanted: dict[str, Any] = {"label": f"io.ready.stack={NAME}.{purpose}"}
        assert client.containers.list(all=True, filters=wanted) == []
        assert client.volumes.list(filters=wanted) == []
        assert client.networks.list(filters=wanted) == []
    assert not (WORK / "staging").exists()
    assert not (WORK / "fetched").exists()
