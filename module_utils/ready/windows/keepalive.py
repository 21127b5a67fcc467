# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tasks of ours that hold a distro: what they must be like, whether they run, and the marks that hold them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS
from . import wsl_output
from .distro import Options
from .ownership import FOLDER, RULE_PREFIX
from .scheduled_tasks import POWERSHELL, TaskPlan, arguments_of, holders
from .task_errors import last_result, next_step

#: The script that the task runs, from FOLDER.
KEEPALIVE_SCRIPT = "distro_keep.ps1"
#: Endings of the marks: of `windows stop` (or of somebody's hand), and of a run, which counts for half an hour.
HOLD, BUSY = "hold", "busy"
TITLE = "Keep-alive task"


@dataclass(frozen=True)
class KeepalivePlan:
    """What becomes of the task that keeps the distro: its script is written, it is made, it is started."""

    check: Finding
    script: bool = False
    make: bool = False
    start: bool = False

    def steps(self, options: Options) -> list[str]:
        """Return what is done, in words."""
        task = f"task {RULE_PREFIX}\\{task_of(options.distribution)}"
        made = [f"make the {task}"] if self.script or self.make else []
        return made or ([f"start the {task}"] if self.start else [])

    def task(self, state: Mapping[str, Any], options: Options) -> TaskPlan:
        """Return what role windows_task has to do. A task that runs keeps to what it was, so the holders stop first."""
        return TaskPlan(
            name=task_of(options.distribution),
            script=KEEPALIVE_SCRIPT,
            arguments=task_arguments(options.distribution),
            holders=holders(state, options.distribution),
            write_script=self.script,
            hold=self.script or self.make,
            make=self.make,
            start=self.start,
        )


def task_of(distribution: str) -> str:
    """Return the name of the task that keeps a distro running."""
    return f"keep {distribution}"


def marker_path(distribution: str, ending: str = HOLD) -> str:
    """Return the file that holds our tasks back: while it is there, none of them starts the distro."""
    return f"{FOLDER}\\{distribution}.{ending}"


def task_arguments(distribution: str) -> str:
    """Return what the task gives to PowerShell. A process on Windows' side is what holds an instance (WSL#10138)."""
    return arguments_of(KEEPALIVE_SCRIPT, f"-Distribution {distribution}")


def is_held(state: Mapping[str, Any], distribution: str, ending: str = HOLD) -> bool:
    """Return whether a mark is there: that of `windows stop`, or BUSY, of a run that is under way or was cut off."""
    return f"{distribution}.{ending}".lower() in {file["name"].lower() for file in state["files"]}


def _same(found: Mapping[str, Any], account: Mapping[str, Any], options: Options) -> bool:
    """Return whether the task is the one that role wsl2 makes. Without PT0S Windows ends it after three days."""
    owner = account["name"].lower()
    return bool(
        found["arguments"] == task_arguments(options.distribution)
        and found["time_limit"] == "PT0S"
        and found["execute"].strip('"').lower() == POWERSHELL.lower()
        and found["user"].lower() in {owner, owner.rpartition("\\")[2], account["sid"].lower()}  # as Windows gives it
        and found["state"] != "Disabled"
    )


def _row(verdict: str, found: str, expected: str = "", step: str = "") -> Finding:
    return Finding("keepalive", TITLE, verdict, found, expected, step)


def _unwanted(options: Options) -> KeepalivePlan:
    """Say what an inventory that wants no task gets."""
    if not options.needed_by:
        return KeepalivePlan(_row(PASS, "not asked for"))
    found = f"wsl2_keepalive is false, and {', '.join(options.needed_by)}"
    step = "set wsl2_keepalive to true, or the schedule to never"
    return KeepalivePlan(_row(FAIL, found, "a distro that is up at that time", step))


def plan(state: Mapping[str, Any], options: Options) -> KeepalivePlan:
    """Return what becomes of the task. One in state Ready holds nothing: it must run."""
    if is_held(state, options.distribution):
        held = f"held back by {marker_path(options.distribution)}, which ./ready windows stop leaves"
        return KeepalivePlan(_row(FAIL, held, "a distro that may be started", "./ready windows start"))
    if not options.keepalive:
        return _unwanted(options)
    found = next((task for task in state["tasks"] if task["name"] == task_of(options.distribution)), None)
    script = {file["name"]: file["sha256"] for file in state["files"]}.get(KEEPALIVE_SCRIPT) != options.script_sha256
    if found is not None and _same(found, state["account"], options):
        left = "held back by a run that has not ended" if is_held(state, options.distribution, BUSY) else ""
        running = found["state"] == "Running" and not left
        why = left or ("" if running else last_result(found["last_result"]))
        detail = ", ".join(filter(None, (found["state"], why)))
        step = "" if running else "started by this run"
        return KeepalivePlan(_row(PASS, detail, "Running", step), script=script, start=script or not running)
    if options.password_given:
        there = "another one" if found else "none"
        return KeepalivePlan(_row(PASS, there, "made by this run"), script=script, make=True, start=True)
    absent = "no password of the owner to store with the task"
    step = "set wsl2_owner_password (in a vault), or wsl2_keepalive to false"
    expected = "a task that starts at boot with nobody logged on"
    return KeepalivePlan(_row(FAIL, absent, expected, step), script=script, make=True, start=True)


def log_off(state: Mapping[str, Any], options: Options) -> Iterator[Finding]:
    """Say what a log-off ends: WSL has one session for each account, of the Windows session that used it first.

    One of session 0 survives every log-off, one of a desktop ends with it (WSL's source, LxssUserSessionFactory.cpp).
    The oldest wsl.exe that runs is what can be seen of that; without one there is nothing to say.
    """
    clients = sorted(state["wsl"]["clients"], key=lambda client: str(client["started"]))
    title = "Log-off"
    if not clients:
        return
    session = clients[0]["session"]
    if session == 0:
        yield Finding(
            "logoff", title, PASS, "WSL was first used from session 0, as far as can be seen: it ends nothing"
        )
        return
    where = f"WSL was first used at the desktop (session {session}), as far as can be seen: a log-off ends the distro"
    if options.keepalive:
        yield Finding("logoff", title, PASS, f"{where}, and its task starts it again a minute later")
        return
    yield Finding("logoff", title, PASS, where, "", "set wsl2_keepalive to true where it must keep running")


def missing_distro(state: Mapping[str, Any], distribution: str) -> str:
    """Return why there is no distro to stop, start or measure, "" when there is one."""
    if any(item["mine"] and item["name"].lower() == distribution.lower() for item in state["distros"]):
        return ""
    owner = state["account"]["name"] if state["account"] else "the connecting account"
    return f"found no distro {distribution} of {owner}; expected one. Next: ./ready windows"


def stop_plan(state: Mapping[str, Any], distribution: str) -> dict[str, Any]:
    """Return what `windows stop` has to do.

    Args:
        state: what windows_state.ps1 returned.
        distribution: name of the distro.
    """
    tasks = holders(state, distribution)
    running = distribution.lower() in {name.lower() for name in wsl_output.lines(state["running"])}
    busy = [task["name"] for task in state["tasks"] if task["name"] in tasks and task["state"] != "Ready"]
    return {
        "fault": missing_distro(state, distribution),
        "tasks": tasks,
        "hold": not is_held(state, distribution) or bool(busy),
        "terminate": running,
        "mark": marker_path(distribution),
    }


def start_plan(state: Mapping[str, Any], distribution: str) -> dict[str, Any]:
    """Return what `windows start` has to do; the arguments are those of `stopping`."""
    tasks = holders(state, distribution)
    waiting = [task["name"] for task in state["tasks"] if task["name"] in tasks and task["state"] != "Running"]
    return {
        "fault": missing_distro(state, distribution),
        "tasks": tasks,
        "run": any(is_held(state, distribution, ending) for ending in (HOLD, BUSY)) or bool(waiting),
    }


def fault(result: Mapping[str, Any], host: str) -> str:
    """Return why our tasks do not hold the distro, or still do, "" when all is well; see keep_tasks.ps1."""
    if result["wanted"] == "hold":
        if not result["holders"]:
            return ""
        left = ", ".join(map(str, result["holders"]))
        return (
            f"{host}: tasks that hold the distro: found wsl.exe of theirs still running (pid {left}); expected none. "
            f"Next: end them on the host (taskkill /f /pid {result['holders'][0]}), then run again."
        )
    if result["held"]:
        return (
            f"{host}: tasks that hold the distro: found them held back by a mark of `windows stop`; expected none. "
            "Next: ./ready windows start."
        )
    if result["missing"]:
        return (
            f"{host}: tasks that hold the distro: found {', '.join(result['missing'])} not there; expected Running. "
            "Next: ./ready windows."
        )
    idle = [task for task in result["tasks"] if task["state"] != "Running"]
    if idle:
        found = "; ".join(
            f"{task['name']} {', '.join(filter(None, (task['state'], last_result(task['last_result']))))}"
            for task in idle
        )
        step = next_step(idle)
        return f"{host}: tasks that hold the distro: found {found}; expected Running. Next: {step}."
    if result["tasks"] and not result["holders"]:
        return (
            f"{host}: tasks that hold the distro: found them running and no wsl.exe of theirs "
            f"after {result['waited']:g} s; expected one. Next: run wsl.exe -l -v on the host, and ./ready diagnose."
        )
    return ""
