# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure how busy a host is, from /proc: processors, memory, disk, pressure. Runs on the host."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROC = Path("/proc")
RESOURCES = ("cpu", "memory", "io")
#: Fields of /proc/stat's first line (proc(5)); guest time is part of user and nice already.
_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def parse_stat(text: str) -> dict[str, int]:
    """Return field -> ticks of all processors together, from /proc/stat."""
    words = text.splitlines()[0].split()[1:]
    return dict(zip(_FIELDS, map(int, words), strict=False))


def parse_memory(text: str) -> float:
    """Return the percentage of memory in use, from /proc/meminfo: what is not available to a new process."""
    sizes = {key: int(value) for key, value in re.findall(r"^(\w+):\s+(\d+)", text, re.MULTILINE)}
    return round(100 * (1 - sizes["MemAvailable"] / sizes["MemTotal"]), 1)


def parse_pressure(text: str) -> int:
    """Return the microseconds in which some task waited for a resource, from /proc/pressure/<resource>."""
    found = re.search(r"^some .*\btotal=(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


@dataclass(frozen=True)
class Reading:
    """Counters at one moment."""

    at: float
    ticks: dict[str, int]
    pressure: dict[str, int] | None  #: None where the kernel has no PSI
    own: float = 0.0  #: seconds of processors that this process has used

    @classmethod
    def take(cls, proc: Path = PROC) -> Reading:
        """Read them now."""
        try:
            pressure = {name: parse_pressure((proc / "pressure" / name).read_text()) for name in RESOURCES}
        except OSError:  # no such file, or pressure is switched off
            pressure = None
        return cls(time.monotonic(), parse_stat((proc / "stat").read_text()), pressure, time.process_time())


def usage_shares(before: Reading, after: Reading) -> dict[str, Any]:
    """Return what happened between two readings, in percent: cpu_percent, steal_percent, psi (None without it)."""
    ticks = {key: after.ticks[key] - before.ticks[key] for key in after.ticks}
    total = max(1, sum(ticks.values()))
    microseconds = max(1.0, (after.at - before.at) * 1e6)
    psi = None
    if before.pressure is not None and after.pressure is not None:
        psi = {
            f"{name}_some_percent": round(100 * (after.pressure[name] - before.pressure[name]) / microseconds, 2)
            for name in RESOURCES
        }
    return {
        "cpu_percent": round(100 * (total - ticks["idle"] - ticks["iowait"]) / total, 1),
        "steal_percent": round(100 * ticks.get("steal", 0) / total, 2),
        "psi": psi,
    }


def busyness(before: Reading, after: Reading, service: float | None) -> dict[str, float | None]:
    """Return how busy others kept the processors between two readings, in percent.

    What the measured service and this process use is left out: a service that needs more processor time than it did is
    slower by its own fault. For the same reason stolen time is a share of the time that was asked for, which also says
    the same of one stolen processor whatever their number. Pressure (PSI) is left out, as it has the service's own
    waiting in it; so are disks: that a service reads from them where it did not is a regression as well.

    Args:
        before: reading at the begin.
        after: reading at the end.
        service: seconds of processors that the service's container used meanwhile; None is unknown.
    """
    ticks = {key: after.ticks[key] - before.ticks[key] for key in after.ticks}
    stolen = ticks.get("steal", 0)
    total, used = sum(ticks.values()), sum(ticks.values()) - ticks["idle"] - ticks["iowait"] - stolen
    others = None
    if service is not None:
        others = used - os.sysconf("SC_CLK_TCK") * (service + after.own - before.own)
    return {
        # The kernel counts a processor's use by samples, a container's exactly: the difference may be below zero.
        "others_percent": None if others is None else round(max(0.0, 100 * others / max(1, total)), 1),
        "stolen_percent": round(100 * stolen / max(1, used + stolen), 1),
    }


def load_average() -> float:
    """Return the load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def host_figures(before: Reading, after: Reading, directory: str, proc: Path = PROC) -> dict[str, Any]:
    """Return the host's figures over a while.

    Args:
        before: reading at its begin.
        after: reading at its end.
        directory: a path on the file system whose use is reported, such as Docker's own.
        proc: where the kernel tells.
    """
    usage = shutil.disk_usage(directory if os.path.exists(directory) else "/")
    return usage_shares(before, after) | {
        "seconds": round(after.at - before.at, 2),
        "memory_percent": parse_memory((proc / "meminfo").read_text()),
        "disk_percent": round(100 * usage.used / usage.total, 1),
        "load": load_average(),
    }
