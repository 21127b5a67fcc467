"""The environment holds what the lock says and the package `ready`, and the probes run in it by themselves."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from ready.registry import NAMES

ROOT = Path(__file__).resolve().parents[3]
DIRECTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "probes"


def python(code: str) -> str:
    """Return what code prints in the environment."""
    return subprocess.run(
        [DIRECTORY / "bin" / "python", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    ).stdout.strip()


def test_versions_are_those_of_the_lock() -> None:
    """Each driver is installed in the version that is pinned."""
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements-probes.txt").read_text(), re.MULTILINE))
    for driver in ("psycopg", "neo4j", "chromadb-client", "redis", "docker"):
        assert python(f"from importlib.metadata import version; print(version({driver!r}))") == locked[driver]


def test_probes_can_be_imported() -> None:
    """All that a probe imports is there."""
    assert python("from ready.checks.probes import PROBES; print(*PROBES)") == " ".join(NAMES)


def test_package_is_the_installed_one() -> None:
    """Not somebody's clone; applications find the same as a wheel beside it."""
    assert python("import ready; print(ready.__file__)").startswith(str(DIRECTORY))
    assert len(list(DIRECTORY.glob("ready-*-py3-none-any.whl"))) == 1


def test_command_line_runs() -> None:
    """Without Ansible; a service that nobody runs has failed, and the driver says why."""
    done = subprocess.run(
        [DIRECTORY / "bin" / "python", "-m", "ready.probe"],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"REDIS_URL": "redis://app:none@127.0.0.1:1/0"},
    )
    assert done.returncode == 2, done.stderr
    assert "redis  fail" in done.stdout
    assert "refused" in done.stdout


def test_nothing_half_made_is_left() -> None:
    """What it was made in is gone."""
    assert [path.name for path in DIRECTORY.parent.glob(".probes.*")] == [".probes.lock"]
