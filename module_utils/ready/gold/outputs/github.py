# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings as workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from ..engine import Result
from ..shown import printable
from .code import path_in, repository

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def github(result: Result) -> str:
    """Return a command per finding."""
    base = repository(result.root)
    severity = {rule.id: rule.severity for rule in result.rules}
    return "\n".join(
        f"::{_LEVELS[severity.get(item.base, 'critical')]} "
        f"file={_property(path_in(base, result.root, item.path))},line={item.line},"
        f"col={item.column},endLine={item.end_line},title={_property(item.rule)}::{_data(item.message)}"
        for judged in result.judged
        for item in judged.findings
    )
