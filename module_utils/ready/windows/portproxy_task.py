# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The task that renews port proxies when WSL starts: what it is like, and whether it is made, started or removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL
from .network_options import Options
from .ownership import RULE_PREFIX
from .scheduled_tasks import TaskPlan, arguments_of, holders

#: The script that the task runs, from FOLDER.
FOLLOW_SCRIPT = "portproxy_follow.ps1"


def task_of(stack: str) -> str:
    """Return the name of the task that renews a stack's port proxies."""
    return f"forward {stack}"


def task_arguments(options: Options) -> str:
    """Return what that task gives to PowerShell."""
    return arguments_of(FOLLOW_SCRIPT, f"-Distribution {options.distribution} -Stack {options.stack}")


@dataclass(frozen=True)
class PortproxyTaskPlan:
    """What becomes of the task that renews port proxies, and whether it or its script goes with the last of them."""

    task: TaskPlan
    remove_task: bool
    remove_script: bool

    def steps(self) -> list[str]:
        """Return what is done, in words."""
        name = f"task {RULE_PREFIX}\\{self.task.name}, which renews port proxies when WSL starts"
        steps = [f"make the {name}"] if self.task.make or self.task.write_script else []
        steps += [f"start the {name}"] if self.task.start and not self.task.write_script else []
        return steps + ([f"remove the {name}"] if self.remove_task or self.remove_script else [])


def plan(state: Mapping[str, Any], options: Options, *, wanted: bool) -> tuple[PortproxyTaskPlan, list[Finding]]:
    """Return what becomes of the task that renews port proxies, and of the script that it runs."""
    name = task_of(options.stack)
    tasks = {task["name"]: task for task in state["tasks"]}
    sums = {file["name"]: file["sha256"] for file in state["files"]}
    others = [task for task in tasks if task.startswith("forward ") and task != name]
    right = (
        name in tasks
        and tasks[name]["arguments"] == task_arguments(options)
        and tasks[name]["time_limit"] == "PT0S"  # else Windows ends it after three days
    )
    needed = wanted and options.follow
    script = needed and sums.get(FOLLOW_SCRIPT) != options.script_sha256
    start = needed and right and (tasks[name]["state"] != "Running" or script)
    task = TaskPlan(
        name=name,
        script=FOLLOW_SCRIPT,
        arguments=task_arguments(options),
        holders=holders(state, options.distribution),
        write_script=script,
        hold=start and script,  # one that runs would keep to the script that it has read
        make=needed and not right,
        start=start,
    )
    found = PortproxyTaskPlan(task, not needed and name in tasks, not needed and not others and FOLLOW_SCRIPT in sums)
    checks = []
    if task.make and not options.password_given:
        checks.append(
            Finding(
                "network_follow",
                "Task that renews port proxies",
                FAIL,
                "no password of the owner to store with the task",
                "a task that starts at boot with nobody logged on",
                "set windows_network_owner_password (in a vault), or windows_network_follow to false",
            )
        )
    return found, checks
