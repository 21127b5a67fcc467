# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Moments in UTC, as evidence, manifests and locks write them. Pure functions."""

from __future__ import annotations

from datetime import datetime, timezone


def timestamp(moment: datetime | None = None) -> str:
    """Return a moment (now without one) in UTC, as all evidence writes it: 2026-01-31T23:59:59Z."""
    return f"{(moment or datetime.now(timezone.utc)).astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def parse_timestamp(text: str) -> datetime:
    """Return the moment that a timestamp names. Raises ValueError."""
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00")
