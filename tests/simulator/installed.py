"""What a simulated Windows has: folders, features, accounts, distros, Docker Desktop; a record of what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.inside import Inside

OWNER_SID = "S-1-5-21-1111111111-2222222222-3333333333-1001"
OTHER_SID = "S-1-5-21-1111111111-2222222222-3333333333-1002"
SYSTEM_SID = "S-1-5-18"
BUILD_11, BUILD_10, BUILD_2022, BUILD_2019 = 22631, 19045, 20348, 17763
WSL_FEATURE, VM_FEATURE = "Microsoft-Windows-Subsystem-Linux", "VirtualMachinePlatform"
PROFILE = "C:\\Users\\ready"
SETTINGS = f"{PROFILE}\\AppData\\Roaming\\Docker\\settings-store.json"

#: What a new Windows has: a module that writes a file makes no folder for it, but where it is told a folder's name.
FOLDERS = ("C:\\", "C:\\Program Files", "C:\\Windows\\Temp", PROFILE, f"{PROFILE}\\AppData\\Roaming",
           f"{PROFILE}\\AppData\\Local\\Temp")  # fmt: skip


@dataclass
class Action:
    """Something that Ansible asked for: what, with which arguments, and whether it changed the host."""

    kind: str  # module, script or program
    name: str
    args: Mapping[str, Any]
    check: bool = False
    changed: bool = False


@dataclass
class Registered:
    """A distro in somebody's registry."""

    name: str
    base_path: str
    inside: Inside
    owner: str = "PC\\ready"
    owner_sid: str = OWNER_SID
    version: int = 2
    running: bool = False


@dataclass
class DockerDesktop:
    """An installed Docker Desktop."""

    version: str
    running: bool = False
    engine: str = "28.3.2"
    integrated: set[str] = field(default_factory=set)


@dataclass
class AutomaticLogon:
    """What Winlogon holds of a logon by itself at each start, and the password that is stored for it.

    Once a count of logons is used up it is off. The password may be wrong: then the desktop stays empty. Source:
    https://learn.microsoft.com/troubleshoot/windows-server/user-profiles-and-logon/turn-on-automatic-logon and
    http://support.microsoft.com/kb/q221477/ (AutoLogonCount).
    """

    user: str
    password: str
    domain: str = ""
    enabled: bool = True
    logons_left: int | None = None
    notice: bool = False
