# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files: replaced in one step, and why one could not be used. Standard library only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a text file, readable for everybody, as `write_bytes` does. Raises OSError."""
    write_bytes(path, text.encode("utf-8"), 0o644)


def write_bytes(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Write a file so that whoever reads it finds the old or the new one, whole. Raises OSError.

    Nobody but its owner can open it before it has its `mode`, such as 0o600.

    Args:
        path: the file; the directories above it are made.
        content: all of it.
        mode: its mode, whatever the umask is.
        owner: its user and group ids, where they are not those of this process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        try:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            if owner and owner != (os.geteuid(), os.getegid()):
                os.fchown(stream.fileno(), *owner)
            os.fsync(stream.fileno())
            Path(stream.name).replace(path)
        except BaseException:
            Path(stream.name).unlink(missing_ok=True)
            raise


def sync_directory(directory: Path) -> None:
    """Wait until the disk has what was written, replaced or removed in a directory. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reason_of(error: OSError) -> str:
    """Return why a file could not be used, as it stands after "found": "permission denied"."""
    return (error.strerror or str(error)).lower()
