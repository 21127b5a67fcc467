# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say what the proof of a schema found. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .expressions import CURE, ROWS


def fault_line(faults: Sequence[str]) -> str:
    """Return what can't be restored, with the cure, for people."""
    more = len(faults) - _SHOWN
    shown = "; ".join(faults[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return f"postgresql: a restore, which sets search_path = '', would fail: {shown}. Next: {CURE}"


def lines(proof: Mapping[str, Any]) -> list[str]:
    """Return exactly what was proven, for people."""
    shown = []
    if proof["state"] == KNOWN:
        shown.append(
            "PostgreSQL: functions, types, views, constraints and expression indexes are those that were proved at "
            f"{proof['at']}. The data are proved by a drill alone."
        )
    if proof["state"] == PROVED:
        shown.append(
            f"PostgreSQL: its schema was restored into a scratch server, and {proof['objects']} expressions of "
            "indexes, constraints, domains, generated columns, partition keys and materialized views were evaluated on "
            f"up to {ROWS} rows each with search_path = '' ({proof['rowless']} of them on no row). The data are proved "
            "by a drill alone."
        )
    if proof["unproven"]:
        shown.append(f"PostgreSQL: not proved: {'; '.join(proof['unproven'][:_SHOWN])}")
    return shown


PROVED, KNOWN, FAILED, UNKNOWN = "proved", "known", "failed", "unknown"
_SHOWN = 10
