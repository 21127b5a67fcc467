# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Record which images of a host Ready built or loaded. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ..common.files import write_text
from ..host import file_lock

RECORD = Path("/var/lib/ready/images.json")


def recorded_images(path: Path = RECORD) -> list[str]:
    """Return the ids, none where there is no record or it is damaged: what is not known to be ours stays."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["images"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [str(each) for each in found] if isinstance(found, list) else []


def record_images(ids: Iterable[str], path: Path = RECORD, *, forget: bool = False) -> bool:
    """Add ids to the record or take them out of it; return whether that changed it. Raises OSError."""
    given = set(ids)
    if _result(path, given, forget) == recorded_images(path):
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file_lock.locked(path.with_suffix(".lock")):
        write_text(path, json.dumps({"images": _result(path, given, forget)}, indent=1) + "\n")
    return True


def record_would_change(ids: Iterable[str], path: Path = RECORD, *, forget: bool = False) -> bool:
    """Return whether `record` would change it."""
    return _result(path, set(ids), forget) != recorded_images(path)


def _result(path: Path, given: set[str], forget: bool) -> list[str]:
    there = recorded_images(path)
    return [each for each in there if each not in given] if forget else [*there, *sorted(given.difference(there))]
