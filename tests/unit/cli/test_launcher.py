"""./ready: what it hands over to Python."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_bytecode_is_kept(tmp_path: Path) -> None:
    """A variable that many containers set would make each run compile all of Ansible again."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text("#!/bin/sh\nenv\n")
    python.chmod(0o755)
    lock = hashlib.sha256((ROOT / "requirements.txt").read_bytes()).hexdigest()
    (tmp_path / ".ready-lock").write_text(f"{lock}  -\n")
    given = os.environ | {"READY_VENV": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "KEPT": "1"}
    seen = subprocess.run([ROOT / "ready", "status"], env=given, check=True, capture_output=True, text=True).stdout
    assert "KEPT=1" in seen.splitlines()
    assert "PYTHONDONTWRITEBYTECODE" not in seen


def test_modules_of_the_working_directory_are_left_alone(tmp_path: Path) -> None:
    """Whoever calls the launcher there runs nothing of theirs."""
    for name in ("yaml", "json", "argparse", "venv", "ssl"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run')\n")
    done = subprocess.run([ROOT / "ready"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
