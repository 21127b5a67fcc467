# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cost of the network path from Windows to a service, over those in the distro and in the containers' network.

Milliseconds throughout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..common.verdict import FAIL, PASS, UNKNOWN, worst

#: The ADR's limit for what the bridge between Windows and WSL may add.
LIMIT_MS = 15.0
#: Fewer than so many measurements say nothing about a 95th percentile.
MIN_SAMPLES = 20


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile by the nearest rank: a value that was measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def figures(values: Sequence[float]) -> dict[str, float | int]:
    """Return how many there are, their median and their 95th percentile."""
    return {
        "samples": len(values),
        "median_ms": round(percentile(values, 50), 3),
        "p95_ms": round(percentile(values, 95), 3),
    }


def _difference(path: Mapping[str, float], base: Mapping[str, float]) -> dict[str, float]:
    return {f"more_{key}": round(path[key] - base[key], 3) for key in ("median_ms", "p95_ms")}


def _container(
    item: Mapping[str, Any] | None, key: str, windows: Mapping[str, float], distro: Mapping[str, float]
) -> dict[str, Any]:
    """Return the third path: its figures and what the other two cost over it, or why it is not known."""
    empty = {"measured_from": "", "figures": None, "windows": None, "distro": None}
    if item is None or item["error"] or len(item[key]) < MIN_SAMPLES:
        return {**empty, "reason": (item and item["error"]) or "too few measurements"}
    container = figures(item[key])
    paths = {"windows": _difference(windows, container), "distro": _difference(distro, container)}
    return {"measured_from": item["measured_from"], "figures": container, **paths, "reason": ""}


def evaluate(
    outside: Sequence[Mapping[str, Any]],
    inside: Sequence[Mapping[str, Any]],
    containers: Sequence[Mapping[str, Any]] = (),
    limit_ms: float = LIMIT_MS,
) -> dict[str, Any]:
    """Return the overhead of each target, and a verdict over all of them.

    Args:
        outside: the targets as latency.ps1 measured them on Windows.
        inside: the same targets, measured inside of the distro.
        containers: the same services at their own addresses in the containers' network, and where they were
            `measured_from`. They tell where the time goes and decide nothing: the limit is for the path from Windows
            into the distro.
        limit_ms: how much longer the 95th percentile may be from Windows.

    Of a target without a round trip (a protocol that does not speak first) the connects are compared.
    """
    near = {item["name"]: item for item in inside}
    within = {item["name"]: item for item in containers}
    rows: dict[str, dict[str, Any]] = {}
    verdicts = set()
    for item in outside:
        other = near.get(item["name"])
        errors = [
            f"{where}: {one['error']}" for where, one in (("Windows", item), ("distro", other)) if one and one["error"]
        ]
        key = "round_trip_ms" if item["round_trip_ms"] else "connect_ms"
        enough = other is not None and min(len(item[key]), len(other[key])) >= MIN_SAMPLES
        if errors or other is None or not enough:
            verdicts.add(FAIL if errors else UNKNOWN)
            rows[item["name"]] = {"verdict": FAIL if errors else UNKNOWN, "errors": errors}
            continue
        windows, distro = figures(item[key]), figures(other[key])
        difference = _difference(windows, distro)
        verdict = PASS if difference["more_p95_ms"] < limit_ms else FAIL
        verdicts.add(verdict)
        rows[item["name"]] = {
            "verdict": verdict,
            "what": key.removesuffix("_ms"),
            "windows": windows,
            "distro": distro,
            "container": _container(within.get(item["name"]), key, windows, distro),
            "overhead_median_ms": difference["more_median_ms"],
            "overhead_p95_ms": difference["more_p95_ms"],
            "limit_ms": limit_ms,
            "errors": [],
        }
    known = [row for row in rows.values() if "overhead_median_ms" in row]
    return {
        "verdict": worst(verdicts),
        "targets": rows,
        "overhead_median_ms": max((row["overhead_median_ms"] for row in known), default=None),
        "overhead_p95_ms": max((row["overhead_p95_ms"] for row in known), default=None),
    }


def _found(row: Mapping[str, Any]) -> str:
    if row["errors"] or "what" not in row:
        return "; ".join(row["errors"]) or "too few measurements"
    reason = row["container"]["reason"]
    return f"{row['what']}; containers' network: {reason}" if reason else str(row["what"])


def fault(found: Mapping[str, Any], host: str) -> str:
    """Return what is wrong with the path from Windows, "" when nothing is. No answer is not the same as too slow."""
    failed = {name: row for name, row in found["targets"].items() if row["verdict"] == FAIL}
    silent = [f"{name} ({'; '.join(row['errors'])})" for name, row in failed.items() if row["errors"]]
    slow = [f"{name} {row['overhead_p95_ms']:g} ms more" for name, row in failed.items() if not row["errors"]]
    messages = []
    if silent:
        messages.append(
            f"{host}: the path from Windows: found no answer of {', '.join(silent)}; expected each service to answer. "
            "Next: ./ready status, then ./ready diagnose."
        )
    if slow:
        messages.append(
            f"{host}: the path from Windows: found {', '.join(slow)} at the 95th percentile than in the distro; "
            f"expected less than {LIMIT_MS:g} ms. Next: use 127.0.0.1 and not localhost, which may try IPv6 first, "
            "and see in the table above where the time goes."
        )
    return " ".join(messages)


def rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the overhead as rows of a table: medians, and what Windows costs over the distro."""
    return [
        {
            "name": name,
            "verdict": row["verdict"],
            "windows": row["windows"]["median_ms"] if "windows" in row else None,
            "distro": row["distro"]["median_ms"] if "distro" in row else None,
            "container": (row.get("container", {}).get("figures") or {}).get("median_ms"),
            "median": row.get("overhead_median_ms"),
            "p95": row.get("overhead_p95_ms"),
            "found": _found(row),
        }
        for name, row in found["targets"].items()
    ]
