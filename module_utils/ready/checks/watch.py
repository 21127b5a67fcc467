# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Round after round of health: what has changed, and a summary at the end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN


def took(seconds: float) -> str:
    """Return a time in milliseconds, for people."""
    return f"{seconds * 1000:.1f} ms"


def reasons(checks: Mapping[str, Mapping[str, Any]]) -> str:
    """Return why checks have not passed, in one line; empty when all have."""
    return "; ".join(f"{name}: {check['detail']}" for name, check in checks.items() if check["detail"])


def service_lines(services: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a line a service: name, verdict, time, and why it has not passed."""
    width = max(map(len, services), default=0)
    return [
        f"{name:<{width}}  {item['verdict']:<14}  {took(item['seconds']):>10}  {reasons(item['checks'])}".rstrip()
        for name, item in services.items()
    ]


@dataclass
class _Course:
    verdict: str = ""
    failed: int = 0
    down_since: float | None = None
    longest: float = 0.0


@dataclass
class Watch:
    """The course of every service over the rounds. An outage lasts from the first failed round to the first good one.

    Attributes:
        rounds: how many there were.
    """

    rounds: int = 0
    _courses: dict[str, _Course] = field(default_factory=dict)

    def observe(self, at: float, services: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Take in a round; return a line for each service that has changed, for all of them in the first round.

        Args:
            at: when the round began, in seconds since 1970.
            services: service -> {verdict, seconds, checks}.
        """
        self.rounds += 1
        lines = []
        clock = datetime.fromtimestamp(at, tz=timezone.utc).strftime("%H:%M:%SZ")
        for name, item in services.items():
            course = self._courses.setdefault(name, _Course())
            before, course.verdict = course.verdict, item["verdict"]
            outage = ""
            if item["verdict"] == FAIL:
                course.failed += 1
                course.down_since = at if course.down_since is None else course.down_since
                course.longest = max(course.longest, at - course.down_since)
            elif course.down_since is not None:
                lasted = at - course.down_since
                course.longest, course.down_since = max(course.longest, lasted), None
                outage = f" after {lasted:.1f} s"
            if before != course.verdict:
                detail = reasons(item["checks"])
                lines.append(f"{clock} {name}: {course.verdict}{outage}{f': {detail}' if detail else ''}")
        return lines

    def summary(self) -> dict[str, Any]:
        """Return {rounds, verdict, services: name -> {failed_rounds, longest_outage_seconds, verdict of the last}}."""
        return {
            "rounds": self.rounds,
            "verdict": FAIL
            if any(course.failed for course in self._courses.values())
            else PASS
            if any(course.verdict != NOT_APPLICABLE for course in self._courses.values())
            else UNKNOWN,
            "services": {
                name: {
                    "verdict": course.verdict,
                    "failed_rounds": course.failed,
                    "longest_outage_seconds": round(course.longest, 1),
                }
                for name, course in self._courses.items()
            },
        }

    def summary_lines(self) -> list[str]:
        """Return the summary for people, a line a service."""
        return [
            f"{name}: {course.failed} of {self.rounds} rounds failed"
            + (f", longest outage {course.longest:.1f} s" if course.failed else "")
            + (", still failing" if course.down_since is not None else "")
            for name, course in self._courses.items()
        ]
