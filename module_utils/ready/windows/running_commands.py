"""Which commands are under way in a distro, noted on the controller, and so which ones a lost connection left behind.

Runs on the controller. A note is an empty file that is locked while its command runs: the lock goes with the process,
however it ends, and the file stays unless the command's end was seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..host.file_lock import is_free, lock
from .wsl_protocol import TOKEN


class ConnectionLostError(Exception):
    """The connection broke while a command ran: it may be running still."""


class RunningCommands:
    """The notes of one distro of one Windows host."""

    def __init__(self, directory: Path, windows: str, distro: str) -> None:
        self._directory = directory / hashlib.sha256(f"{windows}\n{distro}".encode()).hexdigest()[:24]

    @contextmanager
    def track(self, token: str) -> Iterator[None]:
        """Keep a note of a command while it runs, and leave it there when the connection is lost."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / token
        new = path.with_suffix(".new")
        with new.open("w") as note:
            lock(note)
            new.rename(path)  # it is never seen without its lock
            try:
                yield
            except ConnectionLostError:
                raise
            except Exception:
                path.unlink(missing_ok=True)
                raise
            path.unlink(missing_ok=True)

    def leftovers(self) -> list[str]:
        """Return the tokens whose notes nobody holds any more."""
        return [path.name for path in sorted(self._directory.glob("*")) if TOKEN.match(path.name) and is_free(path)]

    def forget(self, tokens: list[str]) -> None:
        """Remove notes."""
        for token in tokens:
            (self._directory / token).unlink(missing_ok=True)
