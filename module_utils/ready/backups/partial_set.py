# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a set of some services and drill it at once, before their data are changed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common.verdict import FAIL, PASS
from ..stack.resolved import with_services
from . import backup
from .drill import fetch, prove_all
from .manifest import PER_SERVICE
from .results import proof_faults
from .run import exclusive_run
from .scratch_containers import Scratch
from .workspace import Workspace

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass
class PartialWorkspace(Workspace):
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
        {set: id, seconds: for the set, verdict: of the drill, drill_seconds, services: the outcome of each,
        healed: lines, warnings: lines, also of what could not be restored; nothing but that was left out}.
    """
    with exclusive_run(stack) as (client, work):
        healed = work.heal(client)
        partial = PartialWorkspace({**work.settings, "stack": with_services(work.stack, services)}, work.directory)
        made = backup.run(client, partial, PER_SERVICE, host, safety=True)
        proven = _prove(client, partial, made["manifest"]["id"], services)
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


def _prove(client: DockerClient, work: Workspace, set_id: str, services: Sequence[str]) -> dict[str, Any]:
    clock = time.monotonic()
    try:
        work.journal.note(stopped=[])
        manifest, directory = fetch(work, set_id, services)
        with Scratch(client, work.stack, "drill") as scratch:
            _, outcomes = prove_all(client, scratch, manifest, directory, services, skip_broken=True)
    finally:
        shutil.rmtree(work.fetched, ignore_errors=True)
        work.journal.end()
    passed = all(item["verdict"] == PASS for item in outcomes.values())
    return {
        "verdict": PASS if passed else FAIL,
        "drill_seconds": round(time.monotonic() - clock, 2),
        "services": outcomes,
    }
