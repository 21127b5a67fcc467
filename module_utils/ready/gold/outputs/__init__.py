# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings in the forms that people and tools read: text, JSON, SARIF, JUnit, annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Protocol

from ..engine import Result
from ..score import results
from ..standing import TARGET
from .github import github
from .junit import junit
from .sarif import sarif
from .text import text


class Form(Protocol):
    """A function that writes findings; the threshold is the score that was asked for."""

    def __call__(self, result: Result, threshold: float = TARGET) -> str:
        """Return the text."""


def as_json(result: Result) -> str:
    """Return the results of the evidence, as JSON."""
    return json.dumps(results(result), indent=2)


def _alone(write: Callable[[Result], str]) -> Form:
    """Return a form of the findings alone, which no threshold is in."""
    return lambda result, threshold=TARGET: write(result)


FORMATS: Mapping[str, Form] = {
    "text": text,
    "json": _alone(as_json),
    "sarif": _alone(sarif),
    "junit": _alone(junit),
    "github": _alone(github),
}
