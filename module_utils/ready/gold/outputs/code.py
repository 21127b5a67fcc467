# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The code that a finding is about, and where tools look for it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ..shown import printable
from ..source import load


def code_of(path: Path, line: int) -> str:
    """Return a line of a file, without its indentation, shortened."""
    try:
        lines = _lines(path, path.stat().st_mtime_ns)
    except OSError:
        return ""
    found = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return printable(found if len(found) <= 100 else f"{found[:99]}…")


def repository(root: Path) -> Path:
    """Return the directory that code scanning takes paths from: the repository around a project.

    Without one it is the working directory, if the project is in it, or else the project itself.
    """
    for place in (root, *root.parents):
        if (place / ".git").exists():
            return place
    return Path.cwd() if root.is_relative_to(Path.cwd()) else root


def path_in(base: Path, root: Path, path: str) -> str:
    """Return a finding's path as seen from a base; one outside of it stays whole."""
    whole = root / path
    return whole.relative_to(base).as_posix() if whole.is_relative_to(base) else whole.as_posix()


@lru_cache(maxsize=8)
def _lines(path: Path, changed: int) -> list[str]:
    """Return the lines of a file as it was at a moment."""
    del changed  # part of the key
    data = load(path)
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else ""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
