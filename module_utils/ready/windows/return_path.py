# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network path from Linux to programs that stay on Windows, as distro_latency.py measured it.

Milliseconds throughout. No limit is known for it, so what counts is that they answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, worst
from .path_overhead import MIN_SAMPLES, figures

_NONE = "no port of a program on Windows is named in ready_windows_ports"


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    connects = item["connect_ms"]
    enough = not item["error"] and len(connects) >= MIN_SAMPLES
    silent = item["error"] and item["measured_from"]  # without `measured_from` nobody asked
    return {
        "port": item["port"],
        "measured_from": item["measured_from"],
        "to": item["to"],
        "verdict": PASS if enough else FAIL if silent else UNKNOWN,
        "connect": figures(connects) if enough else None,
        "reason": "" if enough else item["error"] or "too few measurements",
    }


def evaluate(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the return path costs, from the distro and from a container, and a verdict over all of it."""
    paths = [_row(item) for item in measured]
    verdict = worst(path["verdict"] for path in paths) if paths else NOT_APPLICABLE
    return {"verdict": verdict, "reason": "" if paths else _NONE, "ways": paths}


def fault(found: Mapping[str, Any], host: str) -> str:
    """Return what is wrong with the return path, "" when nothing is."""
    silent = [
        f"port {way['port']} from {way['measured_from']} at {way['to']} ({way['reason']})"
        for way in found["ways"]
        if way["verdict"] == FAIL
    ]
    if not silent:
        return ""
    return (
        f"{host}: the path back to Windows: found no answer of {', '.join(silent)}; expected the program to answer. "
        "Next: see that it runs, listens on more than 127.0.0.1, and is let in by a rule (windows_network_allow)."
    )


def rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the paths as rows of a table."""
    return [
        {**way, "median": (way["connect"] or {}).get("median_ms"), "p95": (way["connect"] or {}).get("p95_ms")}
        for way in found["ways"]
    ]
