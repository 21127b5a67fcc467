# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a Windows host can carry a stack in WSL: the state against what is needed. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS, UNKNOWN
from . import wsl_errors

GIB = 2**30
#: Needed by WSL 2, and by Docker Desktop on each line of Windows: builds. Source: their documentation, 2026.
LEAST_BUILD = 19041
LEAST_SERVER_BUILD = 20348
#: Accounts that own no distro: SYSTEM, LOCAL SERVICE, NETWORK SERVICE.
SERVICE_ACCOUNTS = {"S-1-5-18": "SYSTEM", "S-1-5-19": "LOCAL SERVICE", "S-1-5-20": "NETWORK SERVICE"}
#: Parts of the state that nothing can be decided without.
NEEDED = ("account", "os", "virtualization", "features", "wsl", "distros", "docker_desktop", "network", "disk")
SIMULATOR = "Ready simulator"
#: What virtual machines of Hyper-V, Azure, VMware, VirtualBox, QEMU, Xen, Parallels and the clouds call themselves.
GUEST = re.compile(
    r"\b(Virtual Machine|VMware|VirtualBox|innotek|QEMU|KVM|Xen|HVM domU|Parallels|Google Compute Engine|Standard PC)"
    r"|\bAmazon EC2 (?!.*\.metal)",
    re.IGNORECASE,
)


def provenance(state: Mapping[str, Any]) -> str:
    """Return `simulated` for a state of the tests' simulator, else `real`: simulated evidence never counts."""
    system = state["virtualization"] or {}
    return "simulated" if system.get("manufacturer") == SIMULATOR else "real"


def is_server(state: Mapping[str, Any]) -> bool:
    """Return whether this is a Windows Server: a product type other than 1, in any language."""
    return bool(state["os"]["product_type"] != 1)


def moment(text: str) -> float:
    """Return a UTC time of the state as seconds since 1970."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def skew(shown: float, before: float, after: float) -> float:
    """Return how far a clock is away, in seconds; it was read between two moments, and what lies between is none."""
    return max(0.0, before - shown, shown - after)


def _account(state: Mapping[str, Any]) -> Iterator[Finding]:
    account = state["account"]
    service = SERVICE_ACCOUNTS.get(account["sid"])
    if service:
        yield Finding(
            "account",
            "Account",
            FAIL,
            f"{account['name']} ({account['sid']})",
            f"a person's account: WSL cannot run as {service}",
            "connect (or become) as the account that is to own WSL",
        )
        return
    yield Finding(
        "account",
        "Account",
        PASS if account["elevated"] else FAIL,
        f"{account['name']}{'' if account['elevated'] else ', not elevated'}",
        "an administrator",
        ""
        if account["elevated"]
        else "make the account a member of Administrators; a local one also needs LocalAccountTokenFilterPolicy=1",
    )


def _windows(state: Mapping[str, Any]) -> Finding:
    system = state["os"]
    least = LEAST_SERVER_BUILD if is_server(state) else LEAST_BUILD
    fits = system["build"] >= least
    return Finding(
        "windows",
        "Windows",
        PASS if fits else FAIL,
        f"{system['caption']}, build {system['build']}.{system['revision']}",
        f"WSL 2 needs build {LEAST_BUILD}, on Windows Server {LEAST_SERVER_BUILD} (2022)",
        "" if fits else "update Windows",
    )


def _architecture(state: Mapping[str, Any]) -> Finding:
    found = state["os"]["architecture"]
    verdict = {"AMD64": PASS, "ARM64": UNKNOWN}.get(found, FAIL)
    step = "" if verdict != FAIL else "use a 64-bit PC"
    return Finding(
        "architecture", "Architecture", verdict, f"{found}{'' if verdict == PASS else ' (not tried)'}", "AMD64", step
    )


def is_guest(state: Mapping[str, Any]) -> bool:
    """Return whether this Windows is a virtual machine, by what its maker and model are called."""
    found = state["virtualization"]
    return bool(GUEST.search(f"{found['manufacturer']} {found['model']}"))


def _virtualization(state: Mapping[str, Any]) -> Finding:
    """Judge by either flag: that of the firmware reads false once a hypervisor runs, such as Windows' own.

    In a virtual machine the hypervisor that is seen is the one that it runs in, until Windows' own may start.
    """
    found, features = state["virtualization"], state["features"] or {}
    another = is_guest(state) and features.get("VirtualMachinePlatform") != "Enabled"
    fits = bool(found["firmware_enabled"] or (found["hypervisor_present"] and not another))
    shown = "on" if fits else "off"
    step = "" if fits else wsl_errors.by_code("0x80370102").next
    if not fits and another and found["hypervisor_present"]:
        shown = "this is a virtual machine, and no virtualization is passed on to it"
        step += "; where it is passed on, enable VirtualMachinePlatform and reboot yourself: then what runs decides"
    return Finding(
        "virtualization",
        "Virtualization",
        PASS if fits else FAIL,
        f"{shown} ({found['manufacturer']} {found['model']})",
        "on",
        step,
    )


def _disk(state: Mapping[str, Any], least: int, made: bool) -> Finding:
    disk = state["disk"]
    wanted = min(least, GIB) if made else least
    fits = disk["free"] >= wanted
    return Finding(
        "disk",
        "Disk",
        PASS if fits else FAIL,
        f"{disk['free'] / GIB:,.1f} GiB free on {disk['path']}",
        f"at least {wanted / GIB:,.1f} GiB",
        "" if fits else "make room, or set wsl_location to another drive",
    )


def _apart(name: str, whose: str, away: float, limit: float, than: str, step: str, digits: int = 1) -> Finding:
    """Compare a clock, `away` seconds from that of `than`, with the limit (seconds)."""
    fits = away <= limit
    return Finding(
        name,
        f"Clock of {whose}",
        PASS if fits else FAIL,
        f"{away:.{digits}f} s away from {than}" if away else f"as {than}",
        f"at most {limit:g} s apart",
        "" if fits else step,
    )


def _clock(state: Mapping[str, Any], limit: float, before: float, after: float) -> Iterator[Finding]:
    """Compare Windows' clock with the controller's, the distro's with Windows', and a container's with the distro's.

    What does not run has no clock.
    """
    time = moment(state["os"]["time"])
    step = "w32tm /resync on Windows, or set the controller's clock"
    yield _apart("clock", "Windows", skew(time, before, after), limit, "the controller's", step)
    values = (state["inside"] or {}).get("values", {})
    if inside := values.get("time"):
        step = "the PC slept: sudo hwclock -s in the distro, or wsl --shutdown (ends every container)"
        away = skew(float(inside), time, moment(state["finished"]))
        yield _apart("clock_distro", "the distro", away, limit, "Windows'", step)
    words = values.get("container_time", "").split()
    if len(words) == 3 and all(word.isdigit() for word in words):
        earlier, shown, later = map(float, words)
        step = "they run in another virtual machine whose clock is behind: restart Docker Desktop, or wsl --shutdown"
        away = skew(shown, earlier, later)
        yield _apart("clock_container", "the containers", away, limit, "the distro's", step, digits=0)


def needed(backend: str) -> tuple[str, ...]:
    """Return the parts of the state that plans need: that of Docker Desktop where it is the backend alone."""
    return tuple(part for part in NEEDED if part != "docker_desktop" or backend == "desktop")


def _read(state: Mapping[str, Any], backend: str) -> Finding:
    faults = {fault["part"]: fault["message"] for fault in state["faults"]}
    lost = [part for part in needed(backend) if part in faults]
    return Finding(
        "state",
        "State of the host",
        FAIL if lost else UNKNOWN if faults else PASS,
        "; ".join(f"{part}: {message}" for part, message in faults.items()) or "read",
        "every part can be read",
        "run ./ready diagnose, and send what it prints" if faults else "",
    )


def evaluate(
    state: Mapping[str, Any],
    *,
    before: float,
    after: float,
    disk_free: int,
    clock_skew: float,
    backend: str = "desktop",
) -> list[dict[str, str]]:
    """Return what was looked at before anything is changed, as rows.

    Args:
        state: what windows_state.ps1 returned.
        before: the controller's time before the state was read (seconds since 1970), and `after` it.
        disk_free: bytes that must be free before the distro is made.
        clock_skew: seconds that clocks may be apart.
        backend: desktop or engine.
    """
    first = _read(state, backend)
    if first.verdict == FAIL:
        return [asdict(first)]
    made = any(distro["mine"] and distro["marker"] for distro in state["distros"])
    checks = [
        first,
        *_account(state),
        _windows(state),
        _architecture(state),
        _virtualization(state),
        _disk(state, disk_free, made),
        *_clock(state, clock_skew, before, after),
    ]
    return [asdict(check) for check in checks]
