# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scheduled tasks of ours: which of them hold a distro, and what role windows_task has to do about one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .ownership import FOLDER

POWERSHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"


@dataclass(frozen=True)
class TaskPlan:
    """What becomes of a scheduled task and of the script that it runs.

    `holders`: our tasks that hold the distro, which run again afterwards; `hold`: they are held back meanwhile.
    """

    name: str
    script: str
    arguments: str
    holders: list[str]
    write_script: bool
    hold: bool
    make: bool
    start: bool

    def variables(self) -> dict[str, Any]:
        """Return windows_task_plan, as role windows_task takes it."""
        needed = self.write_script or self.make or self.start
        return {**asdict(self), "program": POWERSHELL, "folder": FOLDER, "needed": needed}


def arguments_of(script: str, parameters: str) -> str:
    """Return what a task gives to PowerShell: a script in FOLDER, and its parameters."""
    return f'-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{FOLDER}\\{script}" {parameters}'


def holders(state: Mapping[str, Any], distribution: str) -> list[str]:
    """Return the names of our tasks that hold a distro: each names it in its arguments."""
    named = re.compile(rf"(?:^|\s)-(?:d|Distribution) {re.escape(distribution)}(?:\s|$)", re.IGNORECASE)
    return [task["name"] for task in state["tasks"] if named.search(task["arguments"]) and task["state"] != "Disabled"]
