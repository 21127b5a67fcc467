# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The result of a check: a verdict, the results of its evidence, rows and next steps for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class CheckResult:
    """What a check found, as the pure functions that judge measurements return it.

    Attributes:
        evidence: name of the evidence that the results belong to, such as "latency".
        verdict: of the evidence.
        results: of the evidence, as its schema says.
        rows: for the table: service, check, verdict, took, detail (texts; took and detail may be absent).
        next: next steps, a line each, beginning with "Next: ".
    """

    evidence: str
    verdict: str
    results: dict[str, Any]
    rows: list[dict[str, str]] = field(default_factory=list)
    next: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """Return the fields by name, for filters to hand on; Ansible's own containers in them can't be copied deep."""
        return dict(vars(self))
