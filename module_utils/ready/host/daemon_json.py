# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Merge Ready's settings into /etc/docker/daemon.json; what the file has wins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class DaemonJsonError(ValueError):
    """The file is not what Docker could read; nothing was changed."""


def _merge(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(theirs)
    for key, value in ours.items():
        if key not in theirs:
            merged[key] = value
        elif isinstance(value, Mapping) and isinstance(theirs[key], Mapping):
            merged[key] = _merge(value, theirs[key])
    return merged


def log_and_restore_settings(max_size: str, max_file: int, *, live_restore: bool) -> dict[str, Any]:
    """Return what Ready sets where nobody else did: bounded logs, and containers that outlive a daemon restart."""
    options: dict[str, Any] = {"log-driver": "json-file", "log-opts": {"max-size": max_size, "max-file": str(max_file)}}
    return options | ({"live-restore": True} if live_restore else {})


def merge_daemon_json(text: str | None, *wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return {write, content}: the file with every wanted key that it does not have; the first mapping wins.

    Args:
        text: the file, or None when there is none.
        wanted: mappings of options, the most important first.
    """
    try:
        present = json.loads(text) if text and text.strip() else {}
    except json.JSONDecodeError as error:
        raise DaemonJsonError(f"no valid JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    if not isinstance(present, dict):
        raise DaemonJsonError(f"a JSON {type(present).__name__}, expected an object")
    result = dict(present)
    for options in wanted:
        if "log-opts" in options and result.get("log-driver", options.get("log-driver")) != options.get("log-driver"):
            # Options of one log driver stop a daemon that uses another.
            options = {key: value for key, value in options.items() if key not in {"log-driver", "log-opts"}}
        result = _merge(options, result)
    if result == present:
        return {"write": False, "content": text or ""}
    return {"write": True, "content": json.dumps(result, indent=2) + "\n"}
