# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Record what an interrupted restore has left to undo. Runs on the host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL

#: Where a stack's runs work on its host.
WORK = Path("/var/lib/ready/backup")
NEXT = "./ready restore, or ./ready drill, which only puts back data of which there is a copy"
#: Keys of the journal: services whose old data were kept, and whose old data were not, while those of a set take their
#: place; and "service:volume" of old data that are to stay. Without a copy, data stay half a set's until a restore.
SWAPPING, REPLACING, KEEPING = "swapping", "replacing", "keeping"
#: And services whose data in scratch are proven, so that they may be put in place.
PROVEN = "proven"
#: And what `helper_containers.journal_entry` says of the images that services run from.
IMAGES = "images"


def directory_of(stack: str, directory: Path = WORK) -> str:
    """Return the directory in which a stack's runs work on this host, "" where there is none."""
    return str(directory / stack) if (directory / stack).is_dir() else ""


def read(stack: str, directory: Path = WORK) -> dict[str, list[str]]:
    """Return {services: with data that are half a set's, volumes: of old data that are needed to put them right}."""
    try:
        found: Mapping[str, Any] = json.loads((directory / stack / "journal.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    return {
        "services": sorted({*found.get(SWAPPING, []), *found.get(REPLACING, [])}),
        "volumes": [item.partition(":")[2] for item in found.get(KEEPING, [])],
    }


def fault(state: Mapping[str, Any]) -> str:
    """Return what of an interrupted restore keeps services from being started, "" for nothing.

    `state` is what `stack_state` read.
    """
    names = ", ".join(state.get("restore", {}).get("services", []))
    return f"a restore that was interrupted while it replaced the data of {names}" if names else ""


def checks(state: Mapping[str, Any]) -> list[Finding]:
    """Return what `preflight` says of it: nothing where no restore was interrupted."""
    found = fault(state)
    return [Finding("restore", "Restore", FAIL, found, "no restore half done", NEXT)] if found else []
