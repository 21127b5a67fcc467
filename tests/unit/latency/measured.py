"""Runs of operations as latency measures them, and the evidence that they make."""

from __future__ import annotations

from typing import Any

from ready.evidence.document import check, make
from ready.latency.series import Series, brief, figures
from ready.latency.verdicts import judge_latency

NOW = "2026-11-24T12:00:00Z"
IMAGE = "sha256:1"
QUIET = {"others_percent": 40.0, "stolen_percent": 0.0}


def series(milliseconds: list[float], misses: int = 0) -> dict[str, Any]:
    """Return the figures of samples and misses."""
    made = Series([int(value * 1e6) for value in milliseconds])
    if misses:
        made.miss("CheckError: wrong", misses)
    return figures(made)


def run(milliseconds: list[float], misses: int = 0, late_ms: float | None = 0.01, **other: Any) -> dict[str, Any]:
    """Return a run of an operation."""
    return {
        "service": series(milliseconds, misses),
        "lateness": None if late_ms is None else series([late_ms] * 100),
        "response": series(milliseconds) | {"rate_per_s": 500.0},
        "connection": series([5.0] * 10),
        "warm_up": brief(Series([1_000_000])),
        "first_ms": 3.0,
        "steal_percent": 0.0,
        "busy": QUIET,
        "load": 0.5,
        "detail": "",
    } | other


def spread(p50: float, p95: float, p99: float, n: int = 1000) -> list[float]:
    """Return samples with about these percentiles."""
    return [p50] * int(n * 0.9) + [p95] * int(n * 0.06) + [p99] * int(n * 0.04)


GOOD = spread(1, 2, 3)
BASE = {"p99_ms": 3.0, "at": NOW, "image_id": IMAGE, "samples": 1000, "busy": QUIET}
HOST = {
    "seconds": 1.0,
    "cpu_percent": 3.0,
    "steal_percent": 0.0,
    "memory_percent": 20.0,
    "disk_percent": 5.0,
    "load": 0.1,
    "psi": None,
}


def answer(runs: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
    """Return what the module would return for Redis."""
    operations = {
        "cache_hit": {"objective_ms": 1.0, "judged": True, "runs": runs},
        "cache_miss": {"objective_ms": 5.0, "judged": False, "runs": [run([9.0] * 200)]},
    }
    redis = {"image_id": IMAGE, "size": "keys", "error": "", "complete": True, "left": "", "operations": operations}
    return {
        "at": NOW,
        "samples": 1000,
        "seconds": 9.0,
        "services": {"redis": redis | other},
        "host": {"idle": HOST, "loaded": HOST},
    }


FAST = spread(0.1, 0.2, 0.3)


def evidence(stack: dict[str, Any], measured: dict[str, Any], previous: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the part as evidence, which must fit its schema."""
    part = judge_latency(stack, measured, previous or {})
    document = make("latency", "ready", "localhost", part.verdict, part.results, NOW, finished_at=NOW)
    assert check(document) == []
    return dict(document)


SLOW = spread(0.1, 0.2, 0.7)
