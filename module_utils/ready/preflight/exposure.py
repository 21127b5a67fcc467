# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which services may be published beyond the host's loopback. Pure functions."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any


def published_beyond_loopback(services: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> address of a port of it that is published beyond loopback."""
    return {
        name: port["bind"]
        for name, service in services.items()
        for port in service["ports"]
        if not ipaddress.ip_address(port["bind"]).is_loopback
    }


def exposure_refusals(services: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> the next step, for every one that is published without authentication or TLS."""
    found = {}
    for name in published_beyond_loopback(services):
        service, variable = services[name], f"{name}_bind_address"
        if not service["accounts"]:
            found[name] = (
                f"set {variable} to 127.0.0.1, for {name} has no authentication, and publish the gateway in its place: "
                "ready_services with gateway, and gateway_bind_address"
            )
        elif not service.get("tls", {}).get("enabled"):
            found[name] = f"set {variable} (or ready_bind_address) to 127.0.0.1, or {name}_tls to {{enabled: true}}"
    return found
