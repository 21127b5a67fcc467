# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A set of some services, proven at once: what a change of their data makes first."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..upgradeplan import only
from . import backup
from .drill import fetch, prove_all
from .run import alone
from .scratch import Scratch
from .telling import proof_faults
from .work import Work

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass
class Some(Work):
    """A stack's place, for some of its services. Their set is not the newest one, and proves nothing about that."""

    def remember(self, **values: Any) -> None:
        """Keep what is known of the repository alone."""
        super().remember(**{key: value for key, value in values.items() if key == "repository"})


def make_and_prove(stack: str, services: Sequence[str], host: str) -> dict[str, Any]:
    """Make a set of these services and drill it; return what was found. Raises BackupError.

    Args:
        stack: name of the stack, which role `backup` has made ready.
        services: names of services that keep data.
        host: name of the host in the inventory.

    Returns:
        {set: id, seconds: for the set, verdict: of the drill, drill_seconds, services: what each said, healed: lines,
        warnings: lines, also of what could not be restored; nothing but that was left out}.
    """
    with alone(stack) as (client, work):
        healed = work.heal(client)
        some = Some({**work.settings, "stack": only(work.stack, services)}, work.directory)
        made = backup.run(client, some, "fuzzy", host, safety=True)
        proven = _prove(client, some, made["manifest"]["id"], services)
    missing = [
        f"{name}: set {made['manifest']['id']} can't bring back {line}"
        for name, its in proven["services"].items()
        for line in its.get("missing", [])
    ]
    warnings = [*made["warnings"], *proof_faults(made).values(), *missing]
    return {
        "set": made["manifest"]["id"],
        "seconds": made["seconds"],
        **proven,
        "healed": healed,
        "warnings": warnings,
    }


def _prove(client: DockerClient, work: Work, wanted: str, services: Sequence[str]) -> dict[str, Any]:
    clock = time.monotonic()
    try:
        work.journal.note(stopped=[])
        manifest, directory = fetch(work, wanted, services)
        with Scratch(client, work.stack, "drill") as scratch:
            _, outcomes = prove_all(client, scratch, manifest, directory, services, skip_broken=True)
    finally:
        shutil.rmtree(work.fetched, ignore_errors=True)
        work.journal.end()
    passed = all(item["verdict"] == "pass" for item in outcomes.values())
    return {
        "verdict": "pass" if passed else "fail",
        "drill_seconds": round(time.monotonic() - clock, 2),
        "services": outcomes,
    }
