# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables of errors that programs print: what each means, and the next step. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownError:
    """An error that is recognized by its text.

    Attributes:
        pattern: regular expression that is searched for in the text.
        cause: what it means, in words; empty where the text itself says it.
        next: what to do, without "Next: ".
        ignore_case: whether upper and lower case are the same.
    """

    pattern: str
    cause: str
    next: str
    ignore_case: bool = True

    def matches(self, text: str) -> bool:
        """Return whether a text holds this error."""
        return re.search(self.pattern, text, re.IGNORECASE if self.ignore_case else 0) is not None


def first_match(errors: Iterable[KnownError], text: str) -> KnownError | None:
    """Return the first error of a table that a text holds, None when it holds none of them."""
    return next((error for error in errors if error.matches(text)), None)
