# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the connection settings of applications, under the names that drivers and the Kailash SDK use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ..stack.backends import checked_services
from ..stack.resolved import answering_container
from .registered import CONNECTIONS

#: Where a container that uses the settings is to have the certificates that sign the services' own.
CERTIFICATES = PurePath("/etc/ready")
#: What every variable of the settings is called like.
VARIABLES = re.compile(f"({'|'.join(word for its in CONNECTIONS.values() for word in its.variables)})[A-Z0-9_]*")


class NetworkSettingsError(ValueError):
    """An application can't be given settings for where it is; the message says why."""


def seen_from_network(service: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service as other containers of the stack's network meet it: by the container's name and own ports.

    Raises:
        NetworkSettingsError: its certificate is not for that name.
    """
    name, tls = answering_container(service), service.get("tls", {})
    if tls.get("enabled") and tls["certificate"]:
        if name not in tls["names"]:
            raise NetworkSettingsError(
                f"{service['name']}: found a given certificate for {', '.join(tls['names'])}, expected {name} too, "
                f"by which containers connect. Next: a certificate that is for it as well, and {name} in "
                f"{service['name']}_tls: names"
            )
        tls = dict(tls) | {"names": [name]}
    ports = [dict(port) | {"bind": name, "host": port["container"]} for port in service["ports"]]
    return dict(service) | {"ports": ports, "tls": tls}


def settings(
    stack: Mapping[str, Any], passwords: Mapping[str, Mapping[str, str]] | None, where: str = "host"
) -> dict[str, str]:
    """Return variable -> value for the app account of every service, and for PostgreSQL's further databases.

    Without `passwords` no value holds a secret.

    Args:
        stack: the resolved stack; `authorities` has the path of the CA certificate by service that speaks TLS.
        passwords: service -> account -> password, or None for settings that may be shown to anybody.
        where: whether the application is on the `host`, or in a `container` in the stack's network.

    Raises:
        NetworkSettingsError: see `seen_from_network`.
    """
    values: dict[str, str] = {}
    order = list(CONNECTIONS)
    # What stands before another service comes right after it, and wins.
    for name in sorted(order, key=lambda name: order.index(CONNECTIONS[name].stands_before or name)):
        if service := checked_services(stack).get(name):
            ca = stack.get("authorities", {}).get(name)
            if where == "container" and name in stack.get("external", {}):
                ca = ca and str(CERTIFICATES / PurePath(ca).name)
            elif where == "container":
                service, ca = seen_from_network(service), ca and str(CERTIFICATES / PurePath(ca).name)
            values |= CONNECTIONS[name].settings(service, (passwords or {}).get(name, {}), ca)
    return values


def as_text(values: Mapping[str, str], form: str) -> str:
    """Return settings as `dotenv` (KEY=value lines, values that need no quotes) or `json`."""
    if form == "json":
        return json.dumps(dict(values), indent=2) + "\n"
    return "".join(f"{key}={value}\n" for key, value in values.items())
