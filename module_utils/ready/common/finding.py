# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A finding: what was found of one thing, what was expected, and the next step. Preflight shows a row per finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        id: stable, as evidence holds it, such as "port_redis".
        title: for people.
        verdict: one of `common/verdict.py`.
        found: what is there.
        expected: what must be there, empty where nothing is asked.
        next: the next step when they differ, else empty.
    """

    id: str
    title: str
    verdict: str
    found: str
    expected: str = ""
    next: str = ""
