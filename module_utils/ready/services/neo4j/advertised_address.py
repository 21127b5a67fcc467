# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where Neo4j tells clients to find it: by itself it knows the ports of its container alone. Pure functions."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ...common.addresses import host_port

_DEFAULT = "server.default_advertised_address"
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>\d+))?")


def _own(service: Mapping[str, Any], setting: str) -> str:
    """Return what the inventory says of a setting, in neo4j_settings or neo4j_env; "" where it says nothing."""
    variable = "NEO4J_" + setting.replace("_", "__").replace(".", "_")
    return str(service["settings"].get(setting) or service.get("env", {}).get(variable) or "")


def _host(service: Mapping[str, Any], bind: str) -> str:
    """Return the name or address to advertise; of what is bound to every address nobody knows what clients call it."""
    if own := _own(service, _DEFAULT):
        return own.strip("[]")
    tls = service.get("tls", {})
    if tls.get("enabled") and tls["names"] and (tls["certificate"] or ipaddress.ip_address(bind).is_unspecified):
        return str(tls["names"][0])
    if ipaddress.ip_address(bind).is_unspecified:
        return "localhost"  # for which Neo4j's discovery page has the name that the client asked for
    return bind


def _address(service: Mapping[str, Any], setting: str, port: Mapping[str, Any]) -> str:
    """Return host:port: the inventory's own, with what it leaves out, or where the port is published."""
    host = _host(service, port["bind"])
    if not (own := _own(service, setting)):
        return host_port(host, port["host"])
    if not (given := _ADDRESS.fullmatch(own)):
        return own
    # Without a port Neo4j means its own one.
    return host_port(given["v6"] or given["name"] or host, int(given["port"] or port["container"]))


def advertised_addresses(service: Mapping[str, Any]) -> dict[str, str]:
    """Return setting -> host:port of every port that is published; what the inventory says itself wins."""
    secured = service.get("tls", {}).get("enabled")
    names = {
        port["name"]: f"server.{'https' if secured and port['name'] == 'http' else port['name']}.advertised_address"
        for port in service["ports"]
    }
    return {names[port["name"]]: _address(service, names[port["name"]], port) for port in service["ports"]}
