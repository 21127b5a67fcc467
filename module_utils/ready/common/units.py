# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes and numbers as people write and read them: all units are binary. Pure functions."""

from __future__ import annotations

import re
from typing import Any

MIB = 2**20
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?(b?)", re.IGNORECASE)


def parse_size(value: Any, unit: int = 1) -> int:
    """Return a size in bytes: 536870912, "512m", "1.5 GiB". Raises ValueError for anything else.

    Args:
        value: what stands in an inventory, a definition or a service's settings.
        unit: the bytes that a number without a unit counts.
    """
    match = _SIZE.fullmatch(str(value).strip())
    if not match:
        raise ValueError(f"{value!r} is not a size such as 512m or 2g")
    return int(float(match[1]) * (1024 ** " kmgt".index(match[2].lower() or " ") if match[2] or match[3] else unit))


def setting_size(value: Any, unit: int) -> int | None:
    """Return the bytes that a service's setting asks for; None for what is no size, such as "auto"."""
    try:
        return parse_size(value, unit)
    except ValueError:
        return None


def human_size(size: float | None) -> str:
    """Return bytes with a binary unit, "-" for unknown."""
    if size is None:
        return "-"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit in {"B", "KiB"} else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError


def mib(size: float) -> str:
    """Return bytes in MiB, for people."""
    return f"{size / MIB:,.0f} MiB"


def counted(number: int, word: str) -> str:
    """Return a number of things, in words: "1 machine", "2 machines"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
