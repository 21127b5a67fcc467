# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Record what a backup or restore has begun, so that the next run can undo it after a kill."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

from ..common.files import write_text


class Journal:
    """What a run has done that must be undone should it be killed; written before it is done.

    Several threads may write into it; several processes never do, since a run is alone.
    """

    _writing = threading.Lock()

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, list[str]]:
        """Return key -> names; nothing when no run was killed."""
        try:
            found: dict[str, list[str]] = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def note(self, **names: list[str]) -> None:
        """Replace keys, on disk before this returns."""
        with self._writing:
            self._write(names)

    def add(self, key: str, name: str) -> None:
        """Add a name to those of a key, on disk before this returns."""
        with self._writing:
            self._write({key: [*self.read().get(key, []), name]})

    def remove(self, key: str, name: str) -> None:
        """Take a name off those of a key, on disk before this returns."""
        with self._writing:
            self._write({key: [other for other in self.read().get(key, []) if other != name]})

    def _write(self, names: Mapping[str, list[str]]) -> None:
        write_text(self.path, json.dumps({**self.read(), **names}))

    def end(self) -> None:
        """Forget the run, unless something of it is still to be undone: then the next one tries."""
        if not any(self.read().values()):
            self.clear()

    def clear(self) -> None:
        """Say that nothing is to be undone."""
        self.path.unlink(missing_ok=True)
