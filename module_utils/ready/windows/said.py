# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What wsl.exe said: bytes in, error codes out. Its sentences are in the user's language and are never matched."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..hostfacts import decode_windows

#: Error code, or the last word of the path of codes -> (what it means, the next step). Sources: microsoft/WSL's
#: wslservice and its issues; docs/windows.md names what nobody has seen here.
CODES: dict[str, tuple[str, str]] = {
    "0x8004032e": (
        "WSL cannot run as SYSTEM",
        "connect as the account that is to own WSL",
    ),
    "0x80370102": (
        "virtualization is off, in the firmware or in the host of this VM",
        "switch it on in the firmware; on Hyper-V: Set-VMProcessor -VMName NAME -ExposeVirtualizationExtensions $true",
    ),
    "0x80370114": (
        "the Virtual Machine Platform is missing or not running",
        "enable the feature VirtualMachinePlatform and reboot",
    ),
    "0x80070569": (
        "a policy took 'Log on as a service' from NT VIRTUAL MACHINE\\Virtual Machines (S-1-5-83-0)",
        "give SeServiceLogonRight back in the group policy of the domain; gpupdate undoes a local repair",
    ),
    "0x80070780": (
        "this wsl.exe cannot be run outside of a desktop session",
        "install WSL by its MSI: set wsl2_msi_version and wsl2_msi_sha256",
    ),
    "0x80040321": (
        "the feature Microsoft-Windows-Subsystem-Linux is missing",
        "enable it and reboot; Windows Server 2022 needs it also for WSL 2",
    ),
    "0x8004032d": (
        "the feature VirtualMachinePlatform is missing",
        "enable it and reboot",
    ),
    "0x80040327": (
        "Windows is too old for the WSL package",
        "install the pending Windows updates",
    ),
    "0x80040302": (
        "there is no distro of that name for this account",
        "run the role wsl2, or see whose it is: distros belong to one account",
    ),
    "0x8004030f": (
        "another instance runs with other rights (elevated or not)",
        "wsl --shutdown as the owner, then run again",
    ),
    "0x80070050": (
        "the folder of the distro is in use already",
        "name another wsl2_location, or move what is there; nothing was deleted",
    ),
    "0x80070005": (
        "access was denied",
        "connect with an elevated account",
    ),
}
#: Symbolic names that newer releases print instead of a number.
NAMES = {
    "WSL_E_LOCAL_SYSTEM_NOT_SUPPORTED": "0x8004032e",
    "HCS_E_HYPERV_NOT_INSTALLED": "0x80370102",
    "HCS_E_SERVICE_NOT_AVAILABLE": "0x80370114",
    "WSL_E_WSL_OPTIONAL_COMPONENT_REQUIRED": "0x80040321",
    "WSL_E_VIRTUAL_MACHINE_PLATFORM_REQUIRED": "0x8004032d",
    "WSL_E_OS_NOT_SUPPORTED": "0x80040327",
    "WSL_E_DISTRO_NOT_FOUND": "0x80040302",
    "WSL_E_LOWER_INTEGRITY_LEVEL": "0x8004030f",
    "WSL_E_HIGHER_INTEGRITY_LEVEL": "0x8004030f",
    "ERROR_FILE_EXISTS": "0x80070050",
    "E_ACCESSDENIED": "0x80070005",
    "ERROR_LOGON_TYPE_NOT_GRANTED": "0x80070569",
}
_CODE = re.compile(r"(?:Wsl|Bash|WSL)(?:/[A-Za-z0-9_]+)+|0x[0-9a-fA-F]{8}\b")


@dataclass(frozen=True)
class Fault:
    """What a native program's end means: a code ("" for none), the meaning, and the next step."""

    code: str
    meaning: str
    next: str


def text(data: str | None) -> str:
    """Return base64 of a Windows program's bytes as text: UTF-8, or UTF-16 as wsl.exe before 0.64 always writes it."""
    return decode_windows(base64.b64decode(data or ""))


def lines(data: str | None) -> list[str]:
    """Return the lines that are not empty, stripped."""
    return [line.strip() for line in text(data).splitlines() if line.strip()]


def code(said: str) -> str:
    """Return the error code in a text, as lower-case hexadecimal, or the last word of its path; "" without one."""
    for found in _CODE.findall(said):
        last = str(found).rpartition("/")[2]
        if last.lower().startswith("0x"):
            return last.lower()
        if last in NAMES:
            return NAMES[last]
        if "/" in found:
            return last
    return ""


def fault(run: Mapping[str, Any] | None) -> Fault | None:
    """Return what went wrong in a run of wsl.exe or docker.exe (see native_run.ps1), None when nothing did."""
    if run is None:
        return None
    if run.get("missing"):
        return Fault("missing", f"{run['missing']} does not exist", CODES["0x80070780"][1])
    if run["timed_out"]:
        return Fault(
            "timeout",
            "it did not answer in time and was ended; it may be waiting for an update or a question",
            "log on as the owner, run it in a window, answer what it asks, then run again",
        )
    if run["rc"] == 0:
        return None
    said = text(run["stdout"]) + "\n" + text(run["stderr"])
    found = code(said)
    meaning, step = CODES.get(found, (" ".join(said.split())[-200:] or "it said nothing", "see docs/windows.md"))
    return Fault(found, f"{meaning} (exit code {run['rc']}{f', {found}' if found else ''})", step)
