# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which known name somebody probably meant. Pure functions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the known name that a word is nearly, "" where it is none; `cutoff` is how alike, from 0 to 1."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)), "")


def hint(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return " (did you mean …?)" for a word that is nearly a known one, else nothing."""
    close = closest(word, known, cutoff)
    return f" (did you mean {close}?)" if close else ""
