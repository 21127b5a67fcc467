# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""List the sets of a repository by the inventory's settings; writes nothing. Runs on the host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...common.clock import timestamp
from ...host.restore_journal import WORK
from ...stack.schedules import SETTINGS
from .errors import NoRepositoryError, mask_password
from .repository import Repository, set_id_of, taken_at

_FIRST = "Next: ./ready backup makes the first set"


def sets_in(repository: Repository, stack: str) -> list[dict[str, Any]]:
    """Return {id, time, level, services, safety} of a stack's sets, newest first. Raises BackupError."""
    found = []
    for snapshot in repository.snapshots(stack):
        tags = dict(tag.partition("=")[::2] for tag in snapshot["tags"])
        services = [tag[8:] for tag in snapshot["tags"] if tag.startswith("service=")]
        found.append(
            {
                "id": set_id_of(snapshot),
                "time": timestamp(taken_at(snapshot)),
                "level": tags.get("level", ""),
                "services": services,
                "safety": "safety" in snapshot["tags"],
            }
        )
    return sorted(found, key=lambda item: str(item["time"]), reverse=True)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _state(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(path))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _absent(location: str) -> bool:
    """Return whether this host sees without a key that there is no repository: one in a directory has a file config."""
    path = Path(location.removeprefix("local:"))
    return path.is_absolute() and not (path / "config").exists()


def list_sets(
    stack: str,
    location: str,
    set_stack: str,
    key: str,
    environment: Mapping[str, str],
    work: Path = WORK,
    settings: Path = SETTINGS,
) -> dict[str, Any]:
    """Return {sets, proven, none, location}: as `sets_in`; the id of the last good drill's; why none is listed.

    The location is without the password that it may hold.

    Args:
        stack: the stack's name.
        location: the repository, as the inventory has it.
        set_stack: the stack whose sets are looked for.
        key: the inventory's; where it has none, the host's own is tried.
        environment: credentials of the backend.
        work: where all stacks' runs work.
        settings: where all stacks' settings are.

    Raises:
        BackupError: the repository can't be read, or one that was there is gone.
    """
    state = _state(work / stack / "state.json")
    found: dict[str, Any] = {
        "sets": [],
        "proven": state.get("last_proven"),
        "none": "",
        "location": mask_password(location),
    }
    key = key or _read(settings / stack / "key")
    none = (
        f"no backup yet: there is no repository at {found['location']}. {_FIRST}; if there should be one, "
        "see that backup_repository is right, and its disk mounted"
    )
    known = state.get("repository") == location
    if not key:
        if not known and _absent(location):
            return found | {"none": none}
        return found | {
            "none": f"the repository {found['location']} was not asked: neither inventory nor host has its key. Next: "
            "./ready backup key --key-file FILE, or, if there never was a backup, ./ready backup"
        }
    try:
        sets = sets_in(Repository(location, None, None, environment, key), set_stack)
    except NoRepositoryError:
        if known:
            raise
        return found | {"none": none}
    return found | {
        "sets": sets,
        "none": "" if sets else f"no backup yet: the repository has no set of {set_stack}. {_FIRST}",
    }
