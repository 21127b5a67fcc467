# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The output of wsl.exe: bytes in, error codes out. Its sentences are in the user's language and are never matched."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..host.facts import decode_windows
from . import wsl_errors


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


def fault(run: Mapping[str, Any] | None) -> Fault | None:
    """Return what went wrong in a run of wsl.exe or docker.exe (see native_run.ps1), None when nothing did."""
    if run is None:
        return None
    if run.get("missing"):
        docker = "docker.exe" in run["missing"]
        install = "install Docker Desktop: docker_desktop_version and its checksum"
        return Fault(
            "missing", f"{run['missing']} does not exist", install if docker else wsl_errors.by_code("0x80070780").next
        )
    if run["timed_out"]:
        return Fault(
            "timeout",
            f"{run.get('program', 'wsl.exe')} did not answer in time and was ended; it may be waiting for an update or"
            " a question",
            "log on as the owner, run it in a window, answer what it asks, then run again",
        )
    if run["rc"] == 0:
        return None
    output = text(run["stdout"]) + "\n" + text(run["stderr"])
    found = wsl_errors.find(output)
    meaning = found.error.cause if found.error else " ".join(output.split())[-200:] or "it printed nothing"
    shown = f", {found.shown}" if found.code else ""
    step = found.error.next if found.error else "see docs/windows-errors.md"
    return Fault(found.code, f"{meaning} (exit code {run['rc']}{shown})", step)
