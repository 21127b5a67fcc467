# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evidence of runs by timer: which outcomes on a host are newer than what the controller has. On the controller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..common.plain import plain
from . import document as evidence

_OWN = ("name", "verdict", "results", "started_at", "finished_at")


def newer_outcomes(
    outcomes: Iterable[Mapping[str, Any]], directory: Path, stack: str, host: str
) -> list[Mapping[str, Any]]:
    """Return the outcomes that ended after the evidence of their name; a damaged one has none, and is among them.

    Args:
        outcomes: {name, started_at, finished_at, verdict, results} each, as the runner left them.
        directory: of the evidence.
        stack: its name.
        host: its name in the inventory.
    """

    def finished(name: str) -> str:
        return str(evidence.earlier(directory, stack, host, name).get("finished_at", ""))

    return [item for item in outcomes if str(item.get("finished_at")) > finished(str(item.get("name")))]


def evidence_of(outcome: Mapping[str, Any], stack: str, host: str) -> evidence.Evidence:
    """Return an outcome as evidence; `document.check` says what is wrong with that of another version's runner."""
    own = {key: plain(outcome.get(key)) for key in _OWN}
    own["finished_at"] = str(own["finished_at"])  # of a run that does not say when it ended, that is not now
    return evidence.make(stack=stack, host=host, **own)
