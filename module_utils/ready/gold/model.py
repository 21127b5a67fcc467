# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules and findings: what each of them is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .shown import printable

if TYPE_CHECKING:
    from .context import Context
    from .scopes import Site


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of text, in a file as it was read: 1-based lines, 0-based columns in characters."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that violates a rule.

    Attributes:
        rule: the rule's id; a kind of violation within it follows a dot: GS16.patch.
        path: the file, relative to the project, with slashes.
        line, column, end_line, end_column: where; lines and columns from 1, as editors count.
        found, expected, next: what is there, what should be, and what to do.
        edits: a safe fix, () where there is none.
    """

    rule: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    found: str
    expected: str
    next: str
    edits: tuple[Edit, ...] = ()

    @property
    def base(self) -> str:
        """Return the id of its rule, without the kind."""
        return self.rule.partition(".")[0]

    @property
    def message(self) -> str:
        """Return it in words."""
        return f"found {self.found}; expected {self.expected}. Next: {self.next}"


#: What a rule yields: a node that is right (None), or the finding of one that is not.
Judgement = Finding | None
Check = Callable[["Site", "Context"], Iterator[Judgement]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: data for texts, and one function that judges places of certain kinds.

    Attributes:
        id: GS01 ..., as in the published standard, WIN01 ... for Windows, SEC01 ... for parameters.
        title: the rule in one imperative clause.
        severity: critical, high, medium or low.
        source: where it is written, and what differs elsewhere.
        rationale: why.
        bad, good: examples, which are its tests: path of a file -> its text. `good` has no finding of this rule.
        on: the kinds of syntax nodes that it is asked about.
        check: yields None for each place that the rule applies to and that keeps it, a Finding for each that does not.
        fix: what `--fix` does, "" where nothing is safe.
        known: what it can't see.
    """

    id: str
    title: str
    severity: str
    source: str
    rationale: str
    bad: dict[str, str]
    good: dict[str, str]
    on: tuple[type[ast.AST], ...]
    check: Check
    fix: str = ""
    known: str = ""


@dataclass(slots=True)
class Tally:
    """How often a rule applied, and how often it was kept, in one file or in all."""

    applicable: int = 0
    compliant: int = 0


@dataclass(slots=True)
class Judged:
    """What the rules say of one file."""

    path: str
    lines: int
    findings: list[Finding] = field(default_factory=list)
    #: Findings that a comment in the code allows, with its reason.
    allowed: list[tuple[Finding, str]] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)


def as_data(finding: Finding) -> dict[str, Any]:
    """Return a finding for evidence and outputs."""
    return {
        "rule": finding.rule,
        "path": printable(finding.path),
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "found": finding.found,
        "expected": finding.expected,
        "next": finding.next,
        "fixable": bool(finding.edits),
    }
