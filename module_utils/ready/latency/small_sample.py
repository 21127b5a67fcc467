# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verdicts from a small sample: requests that take so long that there can't be many. Pure functions.

As in twenty of them one may be over the objective at p95, half of them pass when none is: of a service whose p95 is
just at the objective the one is seen in 74 % of all cases, the other in 60 %.
"""

from __future__ import annotations

from collections.abc import Sequence


def needed_to_pass(few: int) -> int:
    """Return how many requests it takes to pass, none of them over; `few` are all that are asked for."""
    return few // 2


def needed_to_fail(few: int) -> int:
    """Return how many it takes to fail."""
    return few // 5


def count_over(samples: Sequence[int], misses: int, objective_ms: float) -> int:
    """Return how many requests were over an objective, of samples in nanoseconds; a miss is."""
    return misses + sum(sample > objective_ms * 1e6 for sample in samples)


def undecided(n: int, over_it: int, few: int) -> bool:
    """Return whether the rest of them may still make a pass of what is over."""
    return n < few and 0 < over_it <= few // 20


def enough_samples(n: int, over_it: int, few: int, late: bool) -> bool:
    """Return whether no more of them are needed.

    Args:
        n: requests that were made.
        over_it: how many of these were over the objective.
        few: all that are asked for.
        late: whether the time is over that they take of a quick service; before that there are as many as can be.
    """
    return n >= needed_to_fail(few) if over_it > few // 20 else late and not over_it and n >= needed_to_pass(few)
