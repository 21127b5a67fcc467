"""A copy of the checkout, to run the launcher from when something in it has to be otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.names import ROOT


def copy_checkout(target: Path, *without: str) -> Path:
    """Copy every file that git knows or would, but what is below these paths; return the copy's directory."""
    command = [
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        *(f":!{path}" for path in without),
    ]
    known = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(lambda name: os.path.lexists(ROOT / name), filter(None, known)):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return target
