# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the rules say of one file within its project."""

from __future__ import annotations

from collections.abc import Sequence

from .collect import collect
from .context import Context
from .index import Index
from .model import Finding, Judged, Rule, Tally
from .shown import printable
from .source import Problem, Source

#: The rule of files that can't be judged: none of them is skipped.
UNREAD = "GS00"


def judge(source: Source, index: Index, rules: Sequence[Rule]) -> Judged:
    """Return what rules say of a file. Raises RecursionError."""
    wanted = {kind for rule in rules for kind in rule.on}
    collected = collect(source, wanted)
    context = Context(source, collected, index)
    found = Judged(source.path, source.text.count("\n") + bool(source.text.rpartition("\n")[2]))
    for rule in rules:
        context.rule = rule.id
        for kind in rule.on:
            for site in collected.sites[kind]:
                for judgement in rule.check(site, context):
                    _note(found, rule, judgement, source)
    found.findings.sort(key=lambda item: (item.line, item.column, item.rule))
    return found


def _note(found: Judged, rule: Rule, judgement: Finding | None, source: Source) -> None:
    """Count a judgement; what a comment allows is neither kept nor violated, and is listed."""
    if judgement is not None and (reason := _allowed(judgement, source)) is not None:
        found.allowed.append((judgement, printable(reason)))
        return
    tally = found.tallies.setdefault(rule.id, Tally())
    tally.applicable += 1
    if judgement is None:
        tally.compliant += 1
    else:
        found.findings.append(judgement)


def _allowed(finding: Finding, source: Source) -> str | None:
    """Return the reason with which the code allows a finding, None where it does not; no reason allows nothing."""
    for line in {finding.line, finding.end_line}:
        rules = source.allowed.get(line, {})
        if reason := rules.get(finding.rule) or rules.get(finding.base):
            return reason
    return None


def unread(path: str, problem: Problem) -> Judged:
    """Return the finding that a file is which can't be judged."""
    finding = Finding(
        UNREAD,
        path,
        problem.line,
        1,
        problem.line,
        1,
        printable(problem.found),
        problem.expected,
        f"{problem.next}. It is not judged",
    )
    return Judged(path, 0, [finding], tallies={UNREAD: Tally(1, 0)})
