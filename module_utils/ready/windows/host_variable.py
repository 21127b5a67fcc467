# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variable `ready_windows`: the state of a Windows host, and what roles and verbs read from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import keepalive, logon, scheduled_tasks
from .preflight import provenance


def facts(
    read: Mapping[str, Any], *, host: str, distribution: str, location: str, user: str, backend: str
) -> dict[str, Any]:
    """Return the variable `ready_windows`, which the roles for Windows take.

    Args:
        read: what the action windows_script returned of windows_state: `result`, `before` and `after`.
        host: the host's name.
        distribution: name of the distro.
        location: its folder on Windows.
        user: its default user.
        backend: desktop or engine.
    """
    state = read["result"]
    return {
        "state": state,
        "before": read["before"],
        "after": read["after"],
        "provenance": provenance(state),
        "distribution": distribution,
        "location": location,
        "user": user,
        "backend": backend,
        "keepalive": _keepalive(state, distribution, host),
    }


def _keepalive(state: Mapping[str, Any], distribution: str, host: str) -> dict[str, Any]:
    """Return what holds the distro, what stops and starts it, and why a run stops where nobody has logged on."""
    return {
        "missing_distro": keepalive.missing_distro(state, distribution),
        "holders": scheduled_tasks.holders(state, distribution),
        "stop_plan": keepalive.stop_plan(state, distribution),
        "start_plan": keepalive.start_plan(state, distribution),
        "session_fault": logon.stop_fault(state, host) if state["account"] else "",
    }
