# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the memory of a host, and of each limit, is enough for the services. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checkrow import Check, Limits, mib
from .part import FAIL, PASS, UNKNOWN


def memory(facts: Mapping[str, Any], services: Mapping[str, Any], to_start: list[str], limits: Limits) -> Check:
    """Judge the memory that is available against the limits of what is to be started."""
    title = "Memory"
    if not to_start:
        return Check("memory", title, PASS, "every service is running")
    if not facts["docker"]["local"]:
        return Check("memory", title, UNKNOWN, f"the daemon at {facts['docker']['host']} is another machine's")
    wanted = sum(services[name]["limits"]["memory"] for name in to_start)
    memory = facts["memory"]
    free = min(memory["available"], memory["cgroup_limit"] or memory["available"])
    fits = free >= wanted + limits.memory_margin
    largest = max(to_start, key=lambda name: services[name]["limits"]["memory"])
    return Check(
        "memory",
        title,
        PASS if fits else FAIL,
        f"{mib(free)} available",
        f"{mib(wanted + limits.memory_margin)}: the limits of {', '.join(to_start)} and a margin of "
        f"{mib(limits.memory_margin)}",
        "" if fits else f"free memory, or lower a limit (the largest is {largest}_memory) or preflight_memory_margin",
    )
