"""The environment holds what the lock says, and the probes can be imported in it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DIRECTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "probes"


def python(code: str) -> str:
    """Return what code prints in the environment."""
    return subprocess.run(
        [DIRECTORY / "bin" / "python", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT / "module_utils",
    ).stdout.strip()


def test_versions_are_those_of_the_lock() -> None:
    """Each driver is installed in the version that is pinned."""
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements-probes.txt").read_text(), re.MULTILINE))
    for driver in ("psycopg", "neo4j", "chromadb-client", "redis", "docker"):
        assert python(f"from importlib.metadata import version; print(version({driver!r}))") == locked[driver]


def test_probes_can_be_imported() -> None:
    """All that a probe imports is there."""
    assert python("from ready.probing import PROBES; print(*PROBES)") == "postgresql neo4j chromadb redis gateway"
