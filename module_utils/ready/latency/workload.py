# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the workloads of all services share: operations over a fixture."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..checks.probe import Probe

#: Rows, nodes, vectors, keys: small enough to build within seconds, big enough that a missing index shows.
SIZE = 10_000
#: Seconds that a step of building or removing a fixture may take; a single request's limit is much shorter.
FIXTURE_SECONDS = 30
#: Different questions that an operation goes round; the same one again and again would be answered from a cache.
QUESTIONS = 500


class NoRoomError(Exception):
    """The fixture is not built: the service's own data could suffer from it. The text says what was found."""


@dataclass(frozen=True)
class Operation:
    """One kind of request.

    Attributes:
        name: as the evidence names it.
        objective: key of the service's `objectives`, in milliseconds at p95.
        ask: makes the request number i and returns the answer; this alone is timed.
        check: raises CheckError when that answer is wrong.
        plan: raises CheckError when the service would not use its index, and None where it has no such thing.
        judged: whether its objective is one of the ADR's own; others are reported beside it.
        warm_up: requests before those that count; caches and compilers settle in them.
        rate: requests per second that are sent at fixed times, for the response time.
        few: requests that count, where each takes so long that there can't be many: `small_sample` says how many of
            them pass and fail. None: as many as are asked for.
        seconds: that they may take; None is the same as elsewhere. Where a slow service needs more for what decides,
            it has them until the deadline.
        computes: whether a processor works for all of the answer's time, so that a busy host makes it slow.
        beside: name -> reads off an answer the seconds that a part of it took; shown beside the figures.
    """

    name: str
    objective: str
    ask: Callable[[int], Any]
    check: Callable[[int, Any], None]
    plan: Callable[[], None] | None = None
    judged: bool = True
    warm_up: int = 100
    rate: float = 500.0
    few: int | None = None
    seconds: float | None = None
    computes: bool = False
    beside: Mapping[str, Callable[[Any], float]] = field(default_factory=dict)


def questions(seed: int, count: int = QUESTIONS, below: int = SIZE) -> list[int]:
    """Return numbers of rows to ask for, the same ones in every run."""
    return random.Random(seed).sample(range(below), count)  # noqa: S311  # a fixture, no secret


class Workload:
    """A fixture in a service, and operations over it. What it makes has a name of its own, and goes again.

    Args:
        probe: of the service; it knows where that is and how to connect.
    """

    #: What the fixture holds, in words.
    size: str

    def __init__(self, probe: Probe) -> None:
        self.service, self.timeout = probe.service, probe.timeout
        self.secrets = list(probe.passwords.values())
        self.container_seconds = probe.container_seconds

    def open(self) -> None:
        """Open the connection that is kept."""
        raise NotImplementedError

    def close(self) -> None:
        """Close it, if it is open."""
        raise NotImplementedError

    def round_trip(self) -> None:
        """Make the cheapest request there is, over the kept connection."""
        raise NotImplementedError

    def reconnect(self) -> None:
        """Open a connection, make the cheapest request, close it: what an application without a pool pays."""
        raise NotImplementedError

    def build(self) -> None:
        """Remove leftovers of interrupted runs and build the fixture. Raises NoRoomError where there is none for it."""
        raise NotImplementedError

    def operations(self) -> list[Operation]:
        """Return what is measured over the fixture."""
        raise NotImplementedError

    def remove(self) -> None:
        """Remove the fixture, also a half-built one, over a separate connection."""
        raise NotImplementedError
