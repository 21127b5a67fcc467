# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a stack under test has on this host, and its removal by label: `python -m tests.cleanup remove|identities NAME`.

Quick, and of whatever state a killed run has left; that the verb `destroy` removes everything is tested elsewhere.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import docker
from docker.errors import NotFound

#: Where hosts keep the descriptions of their stacks.
STACKS = Path("/opt/ready/stacks")


def remove(name: str) -> bool:
    """Remove a stack by its label, with what has joined its network; return whether there was anything."""
    client = docker.from_env()
    wanted: dict[str, Any] = {"label": f"io.ready.stack={name}"}
    containers = client.containers.list(all=True, filters=wanted, ignore_removed=True)
    networks = client.networks.list(filters=wanted)
    volumes = client.volumes.list(filters=wanted)
    for container in containers:
        try:
            container.remove(force=True, v=True)
        except NotFound:
            continue
    for network in networks:
        network.reload()
        for endpoint in network.attrs.get("Containers") or {}:
            network.disconnect(endpoint, force=True)
        network.remove()
    for volume in volumes:
        volume.remove(force=True)
    (STACKS / f"{name}.json").unlink(missing_ok=True)
    return bool(containers or networks or volumes)


def identities(name: str) -> dict[str, tuple[str, str]]:
    """Return container -> (Id, StartedAt): equal before and after means that nothing was restarted."""
    containers = docker.from_env().containers.list(all=True, filters={"label": f"io.ready.stack={name}"})
    return {str(item.name): (str(item.id), item.attrs["State"]["StartedAt"]) for item in containers}


if __name__ == "__main__":
    verb, stack = sys.argv[1:]
    print(json.dumps(identities(stack)) if verb == "identities" else "removed" if remove(stack) else "nothing")
