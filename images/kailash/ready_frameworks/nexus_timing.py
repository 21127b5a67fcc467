# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long each channel takes, and whether the host had time for it.

A channel that takes too long on a host that is busy with something else shows nothing about Nexus: there the verdict is
`insufficient_data`. It is never a pass.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ready_frameworks.context import FAIL, MORE_TIME, PASS, UNKNOWN

LIMIT_MS = 2000
#: Percent from which the host is called busy: processors taken by others, time that a hypervisor kept, time that a
#: limit of the container took; and tasks that waited for a processor, unless it was this run that they waited for.
BUSY = {"others_percent": 50.0, "steal_percent": 5.0, "throttled_percent": 5.0}
PRESSURE, OTHERS = 10.0, 10.0
#: A channel that has been too slow this often needs no more requests.
ENOUGH = 3


def moment(serving: float = 0.0) -> dict[str, float]:
    """Read the counters of this moment, in seconds. What the kernel doesn't offer is missing.

    `serving` is what the application under test has used: it is none of the others.
    """
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    found = {"clock": time.monotonic(), "own": own + serving}
    with contextlib.suppress(OSError, ValueError, IndexError):
        found |= processors(Path("/proc/stat").read_text(), os.sysconf("SC_CLK_TCK"))
    with contextlib.suppress(OSError, ValueError, IndexError):
        found["pressure"] = pressure(Path("/proc/pressure/cpu").read_text())
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
        found["throttled"] = throttled(Path("/sys/fs/cgroup/cpu.stat").read_text())
    return found


def processors(text: str, ticks: int) -> dict[str, float]:
    """Read /proc/stat: seconds of all processors together."""
    numbers = [int(number) / ticks for number in text.splitlines()[0].split()[1:9]]
    user, nice, system, idle, waiting, hard, soft, steal = numbers
    return {"all": sum(numbers), "used": user + nice + system + hard + soft, "steal": steal, "idle": idle + waiting}


def pressure(text: str) -> float:
    """Read /proc/pressure/cpu: seconds in which some task waited for a processor."""
    return int(text.splitlines()[0].rpartition("total=")[2]) / 1e6


def throttled(text: str) -> float:
    """Read cpu.stat of a control group: seconds that its limit took."""
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("throttled_usec")) / 1e6


def load(begun: Mapping[str, float], ended: Mapping[str, float]) -> dict[str, float]:
    """Return what happened between two moments, in percent of the time."""

    def since(name: str) -> float | None:
        return max(0.0, ended[name] - begun[name]) if name in begun and name in ended else None

    clock = since("clock") or 1e-9
    every, used, steal, own = since("all"), since("used"), since("steal"), since("own") or 0.0
    found: dict[str, float] = {}
    if every and used is not None and steal is not None:
        found["others_percent"] = 100 * max(0.0, used - own) / every
        found["steal_percent"] = 100 * steal / every
    for name in ("pressure", "throttled"):
        seconds = since(name)
        if seconds is not None:
            found[f"{name}_percent"] = min(100.0, 100 * seconds / clock)
    return {name: round(value, 1) for name, value in found.items()}


def busy(figures: Mapping[str, float]) -> list[str]:
    """Return why the host counts as busy; nothing if it had time."""
    why = [name for name, limit in BUSY.items() if figures.get(name, 0.0) >= limit]
    if figures.get("pressure_percent", 0.0) >= PRESSURE and figures.get("others_percent", OTHERS) >= OTHERS:
        why = list(dict.fromkeys([*why, "pressure_percent", *({"others_percent"} & figures.keys())]))
    return [f"{name} {figures[name]:g}" for name in why]


def percentile(times: Sequence[float], share: float) -> float:
    """Return the time that a share of the requests keep: the nearest rank, one of the times."""
    ranked = sorted(times)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def measure(call: Callable[[int], None], wanted: int, ends: float) -> list[float]:
    """Time a number of calls, in milliseconds; fewer when time is up, or when enough of them were too slow."""
    times: list[float] = []
    for number in range(wanted):
        if time.monotonic() > ends or sum(each >= LIMIT_MS for each in times) >= ENOUGH:
            break
        begun = time.perf_counter()
        call(number)
        times.append((time.perf_counter() - begun) * 1000)
    return times


def judge(name: str, times: Sequence[float], wanted: int, figures: Mapping[str, float]) -> dict[str, Any]:
    """Return a channel's figures and verdict. Every time must be below the limit.

    Figures that a verdict can't rest upon are under `measured`, where no requirement looks.
    """
    shown = {
        "p50_ms": round(percentile(times, 0.5), 1) if times else None,
        "p95_ms": round(percentile(times, 0.95), 1) if times else None,
        "max_ms": round(max(times), 1) if times else None,
        "margin_ms": round(LIMIT_MS - max(times), 1) if times else None,
    }
    common = {"requests": len(times), "wanted": wanted, "limit_ms": LIMIT_MS, "load": dict(figures)}
    slow = [each for each in times if each >= LIMIT_MS]
    if not slow and len(times) == wanted:
        return {"verdict": PASS, "detail": "", **shown, **common}
    if not slow:
        detail = f"{name}: found {len(times)} of {wanted} requests made when time was up; expected all. {MORE_TIME}"
        return {"verdict": UNKNOWN, "detail": detail, "measured": shown, **common}
    found = f"{name}: found {shown['max_ms']:g} ms at most in {len(times)} requests; expected less than {LIMIT_MS} ms"
    why = busy(figures)
    if why:
        detail = (
            f"{found}. The host was busy: {', '.join(why)}. Next: run it again when the host has nothing else to do"
        )
        return {"verdict": UNKNOWN, "detail": detail, "measured": shown, **common}
    detail = (
        f"{found}, on a host that was not busy. Next: look for what slows it down, or give the host faster processors"
    )
    return {"verdict": FAIL, "detail": detail, **shown, **common}
