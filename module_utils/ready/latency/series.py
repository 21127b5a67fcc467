# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Series of requests and their figures. Runs where the services are; needs the probes' environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]

from ..secrets.redaction import without_secrets
from .verdicts import P99_SAMPLES, percentile

#: Nanoseconds that a histogram reaches from and to, and its significant digits.
_LOWEST, _HIGHEST, _DIGITS = 1, 3_600_000_000_000, 3
_DETAIL = 300


@dataclass
class Series:
    """Requests of one kind: nanoseconds of those that were answered rightly, and the misses."""

    samples: list[int] = field(default_factory=list)
    misses: int = 0
    in_a_row: int = 0  #: misses since the last right answer
    first_error: str = ""
    #: nanoseconds of a part of each right answer, by its name
    beside: dict[str, list[int]] = field(default_factory=dict)

    def hit(self, nanoseconds: int) -> None:
        """Count a right answer."""
        self.samples.append(nanoseconds)
        self.in_a_row = 0

    def miss(self, why: object, count: int = 1) -> None:
        """Count misses; the first one's reason is kept."""
        self.misses += count
        self.in_a_row += count
        text = " ".join(str(why).split()) or type(why).__name__
        self.first_error = self.first_error or text[:_DETAIL]

    @property
    def n(self) -> int:
        """Requests, answered or not."""
        return len(self.samples) + self.misses


def milliseconds(nanoseconds: int | None) -> float | None:
    """Return milliseconds, to the microsecond."""
    return None if nanoseconds is None else round(nanoseconds / 1e6, 4)


def histogram(samples: list[int]) -> str:
    """Return an HDR histogram of nanoseconds in its V2 encoding: deflated, base64."""
    recorded = HdrHistogram(_LOWEST, _HIGHEST, _DIGITS)
    for sample in samples:
        recorded.record_value(max(_LOWEST, min(sample, _HIGHEST)))
    return str(recorded.encode().decode("ascii"))


def brief(series: Series, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """Return n, errors, the first error without any of the secrets, p50, p95 and max."""
    ordered = sorted(series.samples)
    return {
        "n": series.n,
        "errors": series.misses,
        "first_error": without_secrets(series.first_error, secrets),
        "p50_ms": milliseconds(percentile(ordered, series.misses, 50)),
        "p95_ms": milliseconds(percentile(ordered, series.misses, 95)),
        "max_ms": milliseconds(ordered[-1] if ordered else None),
    }


def figures(series: Series, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """Return all figures of a series. Misses rank above every sample; no p99 of fewer than a thousand requests."""
    ordered = sorted(series.samples)
    return brief(series, secrets) | {
        "min_ms": milliseconds(ordered[0] if ordered else None),
        "p99_ms": milliseconds(percentile(ordered, series.misses, 99)) if series.n >= P99_SAMPLES else None,
        "histogram": histogram(series.samples),
    }
