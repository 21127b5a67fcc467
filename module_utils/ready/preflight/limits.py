# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check the limits that the inventory sets for a host."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.units import MIB, parse_size


class LimitsError(ValueError):
    """A variable of role preflight that is no size; the message names both that may be meant."""


@dataclass(frozen=True)
class Limits:
    """What must be left on a host, in bytes, and by how many seconds its clock may be off."""

    memory_margin: int = 256 * MIB
    disk_free: int = 10 * 2**30
    clock_skew: float = 5


def limits_of(memory_margin: str, disk_free: str, clock_skew: float = Limits.clock_skew) -> Limits:
    """Return the limits that the variables of role preflight set. Raises LimitsError.

    Args:
        memory_margin: a size, such as "256m".
        disk_free: a size, such as "10g".
        clock_skew: seconds.
    """
    try:
        return Limits(parse_size(memory_margin), parse_size(disk_free), clock_skew)
    except ValueError as error:
        raise LimitsError(f"preflight_memory_margin or preflight_disk_free: {error}") from error
