# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which timers a host needs for a stack's backups, and read which it has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS

#: What has a timer -> the variable that says how often.
VARIABLES = {"backup": "backup_schedule", "drill": "backup_drill_schedule", "wal": "backup_pitr_schedule"}
NEVER = "never"
#: What timers leave an outcome of that is evidence.
OUTCOMES = ("backup", "drill")
#: Where stacks have the settings of their backups: root's alone.
SETTINGS = Path("/etc/ready/backup")
#: Beside the settings of a stack's backups: says what they and the timers were made from, and is written last.
MARK = "mark"


def schedules(variables: Mapping[str, Any], sidecars: Mapping[str, Any]) -> dict[str, str]:
    """Return kind -> how often; WAL is saved only where something receives it."""
    found = {kind: str(variables[name]) for kind, name in VARIABLES.items()}
    return found | ({} if "wal" in sidecars else {"wal": NEVER})


def faults(variables: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    """Return a message for each schedule that is none.

    Args:
        variables: the values of VARIABLES.
        options: the options of role `backup`, as its specification has them.
    """
    return [
        f"{name}: found {variables[name]!r}, expected one of {', '.join(options[name]['choices'])}"
        for name in VARIABLES.values()
        if variables[name] not in options[name]["choices"]
    ]


def scheduled_backups(stack: Mapping[str, Any]) -> list[str]:
    """Return the kinds that the inventory wants a timer for."""
    return sorted(kind for kind, often in stack.get("schedules", {}).items() if often != NEVER)


def check(stack: Mapping[str, Any]) -> Finding:
    """Return whether what is saved by schedule has a place that somebody has chosen."""
    kinds = [kind for kind in VARIABLES if kind in scheduled_backups(stack)]
    asked = [f"{VARIABLES[kind]} {stack['schedules'][kind]}" for kind in kinds]
    variables = " and ".join(VARIABLES[kind] for kind in kinds)
    homeless = bool(asked) and not stack["repository_given"]
    return Finding(
        "schedule",
        "Schedule of backups",
        FAIL if homeless else PASS,
        (", ".join(asked) or "none") + (", without backup_repository" if homeless else ""),
        "a backup_repository in the inventory wherever something is scheduled",
        f"set backup_repository to another disk or machine, or {variables} to never" if homeless else "",
    )


def read(stack: str, settings: Path = SETTINGS, etc: Path = Path("/etc")) -> dict[str, Any]:
    """Return {mark: what the host's settings of backups were made from, timers: the kinds that have one}.

    Args:
        stack: the stack's name.
        settings: the directory of all stacks' settings.
        etc: where cron and systemd look.
    """
    try:
        mark = (settings / stack / MARK).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        mark = ""
    there = [
        kind
        for kind in VARIABLES
        if (etc / "systemd" / "system" / f"ready-{kind}-{stack}.timer").exists()
        or (etc / "cron.d" / f"ready-{kind}-{stack}").exists()
    ]
    return {"mark": mark, "timers": sorted(there)}


def last_outcomes(directory: str) -> list[dict[str, Any]]:
    """Return how the last runs by timer ended: {name, started_at, finished_at, verdict, results} each.

    Args:
        directory: where the stack's runs work on this host, "" where there is none.
    """
    found = []
    for kind in OUTCOMES if directory else ():
        try:
            outcome = json.loads((Path(directory) / f"last_{kind}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):  # there was none, or its disk was full
            continue
        if isinstance(outcome, dict):
            found.append(outcome)
    return found


def make_mark(files: Mapping[str, bytes], *made_from: Any) -> str:
    """Return the mark of files and of what else the timers are made from.

    Evidence among the files does not count: each run leaves some. What was encrypted is in it as it was encrypted.
    """
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode())
    for path in sorted(files):
        if not path.startswith("include/evidence_"):
            digest.update(f"{path}\0{hashlib.sha256(files[path]).hexdigest()}\n".encode())
    return digest.hexdigest()


def is_concerned(stack: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Return whether the stack has timers, or is to have some."""
    return bool(scheduled_backups(stack) or state["installed"]["timers"])


def is_complete(stack: Mapping[str, Any], state: Mapping[str, Any], mark: str) -> bool:
    """Return whether the host has exactly the timers that are wanted, made from what this mark says."""
    return bool(state["installed"]["timers"] == scheduled_backups(stack) and state["installed"]["mark"] == mark)
