# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The mark on what Ready makes on Windows, and what other roles take from the look at a host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .preflight import provenance

#: The first word of our firewall rules' names, and the folder of our scheduled tasks.
RULE_PREFIX = "Ready"


def facts(read: Mapping[str, Any], *, distribution: str, location: str, user: str, backend: str) -> dict[str, Any]:
    """Return the fact `ready_windows`, which the other roles for Windows take.

    Args:
        read: what the action windows_script returned of windows_state: `result`, `before` and `after`.
        distribution: name of the distro.
        location: its folder on Windows.
        user: its default user.
        backend: desktop or engine.
    """
    return {
        "state": read["result"],
        "before": read["before"],
        "after": read["after"],
        "provenance": provenance(read["result"]),
        "distribution": distribution,
        "location": location,
        "user": user,
        "backend": backend,
    }


def ports(stack: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ports that a stack publishes: port, service, protocol, and the variable that moves it."""
    return [
        {
            "port": port["host"],
            "service": name,
            "name": port["name"],
            "protocol": port["protocol"],
            "variable": f"{name}_{port['variable']}",
        }
        for name, service in stack["services"].items()
        for port in service["ports"]
    ]
