# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words of verdicts, and the verdict of a whole. Every other file takes them from here."""

from __future__ import annotations

from collections.abc import Iterable

PASS, FAIL, UNKNOWN, NOT_APPLICABLE, WAIVED = "pass", "fail", "insufficient_data", "not_applicable", "waived"
VERDICTS = (PASS, FAIL, UNKNOWN, NOT_APPLICABLE, WAIVED)
#: The first one that occurs is the verdict of the whole.
ORDER = (FAIL, UNKNOWN, WAIVED, PASS, NOT_APPLICABLE)


def worst(verdicts: Iterable[str]) -> str:
    """Return the verdict of a whole from those of its parts; without parts nothing is known."""
    present = set(verdicts)
    return next((verdict for verdict in ORDER if verdict in present), UNKNOWN)
