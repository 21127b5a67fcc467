# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the result of a script means: which script has which judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import docker_desktop, keepalive, wsl_output

Result = Mapping[str, Any]


def native_run(result: Result, where: str) -> str:
    """Return why a program failed, "" when it did not; see native_run.ps1."""
    fault = wsl_output.fault(result)
    return f"{where}: found {fault.meaning}; expected exit code 0. Next: {fault.next}." if fault else ""


#: Script -> what says why its result is no success, "" where it is one.
JUDGES: Mapping[str, Callable[[Result, str], str]] = {
    "docker_desktop_start": docker_desktop.start_fault,
    "docker_desktop_stop": docker_desktop.stop_fault,
    "keep_tasks": keepalive.fault,
    "native_run": native_run,
}


def fault(script: str, result: Result, host: str, purpose: str = "") -> str:
    """Return why a script did not reach what it is for, as a message of the host; "" where it did, or has no judge.

    Args:
        script: its id.
        result: what it printed.
        host: the host's name.
        purpose: what it was run for, in a message; "" where the script says enough.
    """
    judge = JUDGES.get(script)
    return judge(result, f"{host}: {purpose}" if purpose else host) if judge else ""
