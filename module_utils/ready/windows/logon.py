# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The desktop session that Docker Desktop needs: whether there is one now, and after a reboot of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS, UNKNOWN
from .preflight import moment

#: Seconds after Windows' start in which an automatic logon, and Docker Desktop, may still be about to start.
BOOT_SECONDS = 300
USE_ENGINE = "set docker_backend to engine: Docker Engine inside of the distro needs neither"
NEEDS_DESKTOP = "Docker Desktop is an interactive program"


def has_session(state: Mapping[str, Any]) -> bool:
    """Return whether the connecting account has a desktop session: its own Explorer runs."""
    account = state["account"]
    return any(desktop["sid"] == account["sid"] for desktop in account["desktops"])


def just_booted(state: Mapping[str, Any]) -> bool:
    """Return whether Windows started just now."""
    return moment(state["os"]["time"]) - moment(state["os"]["boot_time"]) <= BOOT_SECONDS


def _same_account(account: str, domain: str, user: str) -> bool:
    """Return whether Winlogon's user is an account, which Windows names with its domain; a user may come without."""
    own_domain, _, own_name = account.lower().rpartition("\\")
    given, _, name = user.lower().rpartition("\\")
    name = name.partition("@")[0]
    given = (given or domain.lower()).partition(".")[0]
    return name == own_name and given in {"", own_domain}


def automatic_logon_obstacle(state: Mapping[str, Any]) -> str:
    """Return why Windows does not log the account on by itself when it starts, "" when it does."""
    account = state["account"]
    found = account["automatic_logon"]
    if found is None:
        return "whether Windows logs it on by itself could not be read"
    if not found["enabled"]:
        return "Windows logs nobody on by itself"
    if not _same_account(account["name"], found["domain"], found["user"]):
        return f"Windows logs on {found['user'] or 'nobody'} by itself, and not {account['name']}"
    if found["logons_left"] == 0:
        return "its automatic logons are used up (AutoLogonCount is 0)"
    if found["notice"]:
        return "a legal notice waits for a click before each logon, an automatic one too"
    return ""


def logon_pending(state: Mapping[str, Any]) -> bool:
    """Return whether an automatic logon is about to happen: Windows started just now and nobody has a desktop yet."""
    return not has_session(state) and just_booted(state) and not automatic_logon_obstacle(state)


def _row(verdict: str, found: str, expected: str = f"one: {NEEDS_DESKTOP}", step: str = "") -> Finding:
    return Finding("docker_session", "Desktop session", verdict, found, expected, step)


def session(state: Mapping[str, Any], *, reboots: bool) -> Finding:
    """Compare the desktop session with what Docker Desktop needs.

    Args:
        state: what windows_state.ps1 returned.
        reboots: whether this run reboots Windows first, which ends every session.
    """
    name, against = state["account"]["name"], automatic_logon_obstacle(state)
    there = has_session(state)
    if reboots and not against:
        return _row(
            PASS, f"the reboot ends it, and Windows logs {name} on by itself", f"one after the reboot: {NEEDS_DESKTOP}"
        )
    if reboots:
        return _row(
            UNKNOWN,
            f"{'there is one, and the reboot ends it' if there else f'nobody is logged on as {name}'}; {against}",
            f"one after the reboot: {NEEDS_DESKTOP}",
            f"this run stops after the reboot, when WSL is made and before Docker Desktop: log on as {name} at the PC "
            f"then and run the same again, and the second run continues; or set up automatic logon now, or "
            f"{USE_ENGINE}",
        )
    if there:
        return _row(PASS, "there is one")
    if logon_pending(state):
        return _row(UNKNOWN, f"nobody yet; Windows logs {name} on by itself", step="the run waits for it")
    restart = ", or reboot it, as automatic logon is set up" if not against else ""
    step = f"log on as {name} at the PC{restart}, and run again; or set up automatic logon for it, or {USE_ENGINE}"
    return _row(FAIL, f"nobody is logged on as {name}; {against or 'its automatic logon did not happen'}", step=step)


def stop_fault(state: Mapping[str, Any], host: str) -> str:
    """Return why a run that has rebooted ends before Docker Desktop, "" when it continues: somebody has logged on."""
    if has_session(state):
        return ""
    name = state["account"]["name"]
    return (
        f"{host}: Desktop session: found nobody logged on as {name} since the reboot; expected one: {NEEDS_DESKTOP}. "
        "WSL is made, and the run stops here. "
        f"Next: log on as {name} at the PC and run the same again: the second run continues."
    )


def logon_fault(result: Mapping[str, Any], state: Mapping[str, Any], host: str) -> str:
    """Return why an automatic logon that was waited for did not come, "" when it did; see desktop_wait.ps1."""
    if result["session"]:
        return ""
    name = state["account"]["name"]
    return (
        f"{host}: Desktop session: found nobody logged on as {name} after {result['waited']:g} s, though Windows "
        f"is to do it by itself; expected one: {NEEDS_DESKTOP}. "
        f"Next: log on as {name} at the PC and run the same again; see there whether the password "
        "that automatic logon uses is still right, or whether a policy forbids it."
    )
