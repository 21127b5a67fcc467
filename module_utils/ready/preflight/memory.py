# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide whether the memory of a host, and each limit, is enough for the services. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..common.finding import Finding
from ..common.units import MIB, mib, setting_size
from ..common.verdict import FAIL, PASS, UNKNOWN
from .limits import Limits


def room_to_try(services: Iterable[Mapping[str, Any]], room: int) -> tuple[list[str], list[str]]:
    """Return the services for whose trials together there is room, and the others; the smallest come first.

    Args:
        services: resolved services; their limits count.
        room: bytes.
    """
    yes: list[str] = []
    no: list[str] = []
    for service in sorted(services, key=lambda its: int(its["limits"]["memory"])):
        room -= service["limits"]["memory"]
        (yes if room >= 0 else no).append(str(service["name"]))
    return yes, no


def free_memory(memory: Mapping[str, Any]) -> int:
    """Return the bytes that are available of a host's memory, as `hostfacts` tells of it."""
    return int(min(memory["available"], memory["cgroup_limit"] or memory["available"]))


def check_memory(
    facts: Mapping[str, Any], services: Mapping[str, Any], to_start: list[str], to_try: list[str], limits: Limits
) -> Finding:
    """Judge the memory that is available against the limits of what is to be started, and of what is tried before.

    A trial for which there is no room is left out: that is no fault.
    """
    title = "Memory"
    if not to_start and not to_try:
        return Finding("memory", title, PASS, "every service is running")
    if not facts["docker"]["local"]:
        return Finding("memory", title, UNKNOWN, f"the daemon at {facts['docker']['host']} is another machine's")
    available = free_memory(facts["memory"])
    wanted = sum(services[name]["limits"]["memory"] for name in to_start) + limits.memory_margin
    fits = not to_start or available >= wanted
    tried, left_out = room_to_try((services[name] for name in to_try), available - wanted)
    wanted += sum(services[name]["limits"]["memory"] for name in tried)
    parts = [f"the limits of {', '.join(to_start)}"] if to_start else []
    parts += [f"the trial of {', '.join(tried)}"] if tried else []
    largest = max(to_start, key=lambda name: services[name]["limits"]["memory"], default="")
    return Finding(
        "memory",
        title,
        PASS if fits else FAIL,
        f"{mib(available)} available"
        + (f", too little to try the changes of {', '.join(left_out)} first" if left_out else ""),
        f"{mib(wanted)}: {', '.join(parts)}{' and ' if parts else ''}a margin of {mib(limits.memory_margin)}",
        "" if fits else f"free memory, or lower a limit (the largest is {largest}_memory) or preflight_memory_margin",
    )


def memory_wanted(service: Mapping[str, Any]) -> dict[str, int]:
    """Return setting -> bytes of what a resolved service's settings ask for; what is no size is left to the engine."""
    sizes = {
        name: setting_size(service["settings"][name], unit)
        for name, unit in service["least"]["settings"].items()
        if name in service["settings"]
    }
    return {name: size for name, size in sizes.items() if size}


def _size(size: int) -> str:
    return mib(size) if size >= MIB else f"{size / 1024:,.0f} KiB"


def _too_small(name: str, service: Mapping[str, Any], held: int | None) -> Iterator[tuple[str, str, str]]:
    """Yield (found, expected, next) for each way in which a service's limit is too small."""
    limit, least = service["limits"]["memory"], service["least"]
    variable = f"{name}_memory"
    if limit < least["memory"]:
        yield (
            f"{variable} {_size(limit)}",
            f"at least {_size(least['memory'])}, with which it starts",
            f"set {variable} higher",
        )
        return
    wanted = memory_wanted(service)
    needs = sum(wanted.values()) + least["beside"]
    if wanted and needs > limit:
        settings = " and ".join(f"{key} {_size(size)}" for key, size in wanted.items())
        yield (
            f"{variable} {_size(limit)} with {settings}",
            f"at least {_size(needs)}: the settings and {_size(least['beside'])} beside them",
            f"set {variable} higher, or lower the settings in {name}_settings",
        )
    if held is not None and limit < held and least.get("holds_data"):
        yield (
            f"{variable} {_size(limit)} while {name} uses {_size(held)}",
            f"at least {_size(held)}, which it uses now",
            f"set {variable} to at least {_size(held)}: its data are in memory",
        )


def check_limits(services: Mapping[str, Any], state: Mapping[str, Any]) -> Finding:
    """Judge each limit: is it enough to start, for what the settings ask for, and for data that are in memory.

    What other stores hold are heap and buffers, which follow the limit.

    Args:
        services: resolved services by name.
        state: service -> what `state.read_state` found of it; `memory_held` is read.
    """
    faults = [
        fault
        for name, service in services.items()
        for fault in _too_small(name, service, state.get(name, {}).get("memory_held"))
    ]
    found, expected, after = (_joined(fault[part] for fault in faults) for part in range(3))
    return Finding(
        "memory_limits",
        "Memory limits",
        FAIL if faults else PASS,
        found or "each is enough",
        expected or "what a service needs to start, what its settings ask for, and data that are in memory",
        after,
    )


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(texts)
