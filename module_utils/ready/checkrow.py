# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What preflight says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, what was expected, and the next step when they differ."""

    id: str
    title: str
    verdict: str
    found: str
    expected: str = ""
    next: str = ""


@dataclass(frozen=True)
class Limits:
    """What the inventory asks of a host, in bytes and seconds."""

    memory_margin: int = 256 * MIB
    disk_free: int = 10 * 2**30
    clock_skew: float = 5


def mib(size: float) -> str:
    """Return bytes in MiB, for people."""
    return f"{size / MIB:,.0f} MiB"
