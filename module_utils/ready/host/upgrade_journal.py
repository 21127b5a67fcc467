# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Record on the host what an upgrade has begun, so that the next run can put an interrupted one right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..common.files import sync_directory, write_text
from . import file_lock

DIRECTORY = Path("/var/lib/ready")


class JournalError(Exception):
    """A journal that is there and says nothing."""


def path_of(stack: str, directory: Path = DIRECTORY) -> Path:
    """Return where the journal of a stack is."""
    return directory / f"upgrade-{stack}.json"


@contextmanager
def held(stack: str, directory: Path = DIRECTORY) -> Iterator[None]:
    """Wait until no other process of this host is at work on the stack's upgrade, and keep it so.

    A controller that was killed leaves its module running here: the next run must not begin beside it. The file stays
    while there is a journal.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = path_of(stack, directory)
    with file_lock.locked(path.with_suffix(".lock"), stays=path.exists):
        yield


def read(stack: str, directory: Path = DIRECTORY) -> dict[str, Any] | None:
    """Return what was begun, None when nothing was. Raises JournalError: a damaged journal must not be ignored."""
    path = path_of(stack, directory)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise JournalError(
            f"the journal of an interrupted upgrade, {path}, can't be read ({error}). Nothing was changed. "
            f"Next: see which version the data of the stack {stack} are of, put that right by hand, remove the file"
        ) from error
    return found


def write(stack: str, entry: Mapping[str, Any], directory: Path = DIRECTORY) -> None:
    """Put down what is begun; on the disk before anything else happens, whole or not at all."""
    path = path_of(stack, directory)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_text(path, json.dumps(entry))
    sync_directory(path.parent)


def forget(stack: str, directory: Path = DIRECTORY) -> None:
    """Remove the journal: what was begun is done."""
    path_of(stack, directory).unlink(missing_ok=True)
