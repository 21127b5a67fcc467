# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write what a host keeps for its backups: settings, the repository's key, credentials, files beside the data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..common.files import write_bytes
from ..stack.schedules import MARK, SETTINGS
from .restic.repository import GIVEN

#: Where the runner is that timers start: all of this package in one file that Python runs.
RUNNERS = GIVEN.parent


def directory_of(stack: str) -> Path:
    """Return the directory of a stack's settings."""
    return SETTINGS / stack


def runner_of(stack: str) -> Path:
    """Return the file that a stack's timers run."""
    return RUNNERS / f"{stack}.pyz"


def apply(root: Path, files: Mapping[str, bytes], mode: int, *, dry_run: bool) -> list[str]:
    """Make a directory hold exactly these files, root's alone, and return the paths that differ. Raises OSError.

    The mark stays as it is, for it is written when the timers are there as well.
    """
    present = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} if root.exists() else set()
    present.discard(MARK)
    changed = sorted(present - set(files))
    for name, content in files.items():
        path = root / name
        if path.is_file() and path.read_bytes() == content and path.stat().st_mode & 0o7777 == mode:
            continue
        changed.append(name)
        if not dry_run:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_bytes(path, content, mode)
    for name in present - set(files):
        if not dry_run:
            (root / name).unlink()
    return changed
