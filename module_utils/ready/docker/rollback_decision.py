# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide whether a container that does not become healthy may give way to the one before it. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: What stores write while they make their data whole, and when they have.
_RECOVERS = re.compile(
    r"automatic recovery in progress|redo starts|redo in progress|starting up|entering standby|archive recovery|"
    r"Recovery (required|in progress|started)|recovering|replaying|DatabaseUnavailable|"
    r"Loading RDB|Reading RDB|Redis is loading the dataset",
    re.IGNORECASE,
)
_RECOVERED = re.compile(
    r"ready to accept connections|redo done|recovery (completed|finished)|DB loaded|Started\.", re.I
)
_RUNS = frozenset({"starting", "unhealthy", "running", "healthy"})


def recovers(outcome: Mapping[str, Any]) -> bool:
    """Return whether a store that is not healthy yet says that it is recovering its data, and may succeed.

    One that was killed while it did, or that ended, begins again and will end again.
    """
    if outcome["state"] not in _RUNS or outcome["refused"] or outcome["restarts"] or outcome["oom_killed"]:
        return False
    lines = [*outcome["logs"], outcome["detail"]]
    last = max((number for number, line in enumerate(lines) if _RECOVERS.search(line)), default=-1)
    return last >= 0 and not any(_RECOVERED.search(line) for line in lines[last + 1 :])


def stays(outcome: Mapping[str, Any]) -> str:
    """Return why a new container that is not healthy is left as it is: "accounts", "recovers", or "" to go back.

    Once accounts are set, the passwords in the old files may be wrong; a store that recovers must not be stopped.
    """
    return "accounts" if outcome["reconciled"] else "recovers" if recovers(outcome) else ""
