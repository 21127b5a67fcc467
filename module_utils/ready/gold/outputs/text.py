# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings as lines for people, with the offending code, in a form that editors make links of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...common.units import counted
from ..engine import Result
from ..judge import UNREAD
from ..model import Finding
from ..score import Row, rows, score, unread_files
from ..shown import printable
from ..standing import TARGET
from .code import code_of


def shown_path(finding: Finding, root: Path) -> str:
    """Return a finding's file as it can be opened from the working directory."""
    path = root / finding.path
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _finding(finding: Finding, root: Path) -> Iterator[str]:
    shown = printable(shown_path(finding, root))
    shown = f"./{shown}" if shown.startswith(("::", "##")) else shown  # a command in a job's log
    yield f"{shown}:{finding.line}:{finding.column}: {finding.rule}: {finding.message}"
    path = root / finding.path
    if finding.rule == UNREAD and path.is_symlink():  # where it leads to is nobody's business
        return
    if code := code_of(path, finding.line):
        yield f"    | {code}"  # no line begins as the file says: `::error::` in a job's log is a command


def _allowed(finding: Finding, reason: str, root: Path) -> str:
    place = f"{shown_path(finding, root)}:{finding.line}:{finding.column}"
    return f"{place}: {finding.rule}: allowed by a comment: {reason}"


def _score(result: Result, parts: list[Row], threshold: float) -> str:
    """Return what the score is, or why there is none."""
    if not result.judged:
        return "score: none. Found no Python file to judge; expected one. Next: name another path, or exclude less"
    if not result.kailash:
        return "score: none. Found no import of kailash, dataflow or nexus; expected an application on the Kailash SDK"
    found = f"score: {score(parts, len(unread_files(result))):g} of 100, expected at least {threshold:g}"
    if not result.sdk_files:
        found += ". Tests alone import the Kailash SDK: this says nothing of an application"
    return found


def text(result: Result, threshold: float = TARGET) -> str:
    """Return findings by file and line, what comments allow, a line per rule that is violated, then the score."""
    lines = [line for item in result.judged for finding in item.findings for line in _finding(finding, result.root)]
    lines += [_allowed(finding, reason, result.root) for item in result.judged for finding, reason in item.allowed]
    parts = rows(result)
    violated = [row for row in parts if row.violated or row.allowed]
    if lines:
        lines.append("")
    lines += [
        f"{row.rule.id}  {row.rule.severity:<8}  {row.violated} of {row.applicable} violated"
        + (f", {row.allowed} allowed" if row.allowed else "")
        + f"  {row.rule.title}"
        for row in violated
    ]
    lines.append(_score(result, parts, threshold))
    lines.append(f"{counted(len(result.judged), 'file')}, {counted(result.lines, 'line')} in {result.seconds:.1f} s")
    return "\n".join(lines)
