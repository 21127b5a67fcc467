# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ports of a stack on its Windows host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def published_ports(stack: Mapping[str, Any]) -> list[dict[str, Any]]:
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
