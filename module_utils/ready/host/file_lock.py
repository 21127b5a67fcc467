# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lock a file between processes of one host; the lock ends with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class HeldError(Exception):
    """Another process holds the lock; the message is its process id."""


def lock(stream: IO[str]) -> None:
    """Lock an open file, and wait until that is possible."""
    fcntl.flock(stream, fcntl.LOCK_EX)


def is_free(path: Path) -> bool:
    """Return whether a file is there that no process has locked."""
    try:
        with path.open() as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True


@contextmanager
def locked(path: Path, *, wait: bool = True, stays: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Be the only process of this host within. Raises HeldError at once unless it is to wait.

    Args:
        path: the lock's file, in a directory that is there; it holds the id of the last process.
        wait: whether to wait for the process that holds it.
        stays: asked at the end whether the file stays; one that goes leaves nothing behind on the host.
    """
    while True:
        with path.open("a+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                stream.seek(0)
                raise HeldError(stream.read().strip()) from error
            if not _is_at(stream, path):  # whoever held it has removed it
                continue
            stream.truncate(0)
            stream.write(str(os.getpid()))
            stream.flush()
            try:
                yield
            finally:
                if not stays():
                    path.unlink(missing_ok=True)
            return


def _is_at(stream: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
