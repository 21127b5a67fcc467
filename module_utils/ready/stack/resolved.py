# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answer questions about a resolved stack: containers, ports, volumes, accounts, files. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..common.labels import COPIES

#: The account whose key a gateway itself sends to what is behind it.
SERVER = "server"
CONFIG_PATH = "/run/ready"
#: In a config volume: a running container has not yet been seen to take over what is there.
PENDING = "reload.pending"


def containers(stack: Mapping[str, Any], only: Iterable[str] = ()) -> dict[str, Any]:
    """Return name -> whatever of a resolved stack has a container: services, and sidecars, which nobody asks for data.

    Args:
        stack: the resolved stack.
        only: names of those that are meant, each with its sidecars; all of them when there is none.
    """
    everything = {**stack["services"], **stack.get("sidecars", {})}
    wanted = set(only)
    return {name: its for name, its in everything.items() if not wanted or {name, its.get("of")} & wanted}


def with_services(stack: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the stack with these services alone."""
    return {**stack, "services": {name: stack["services"][name] for name in names}}


def published_ports(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the ports of a resolved service, or sidecar, that its own container publishes."""
    return [] if "front" in service else list(service["ports"])


def container_ports(service: Mapping[str, Any]) -> set[int]:
    """Return the ports on which a resolved service, or sidecar, listens in its container, for the stack's network."""
    return (
        set(service["front"]["ports"]) if "front" in service else {int(port["container"]) for port in service["ports"]}
    )


def answering_container(service: Mapping[str, Any]) -> str:
    """Return the name of the container that answers for a service at its ports, for whoever is in its network."""
    return str(service["front"]["container"] if "front" in service else service["container"])


def serves_clients(its: Mapping[str, Any]) -> bool:
    """Return whether clients miss a service, or sidecar, that does not start: what it becomes is tried before."""
    return "of" not in its or bool(its.get("publishes"))


def stop_order(its: Mapping[str, Any]) -> int:
    """Return when a service, or sidecar, is stopped: 0 before the services, 1 with them, 2 after them.

    What publishes a service's ports is first, so that requests under way are answered. Other sidecars are last: they
    read from their service to the end, and PostgreSQL hands out its last WAL when it is stopped.
    """
    return (0 if its.get("publishes") else 2) if "of" in its else 1


def data_volumes(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the volumes of a service that hold data; what `up` can make again is none."""
    return [volume for volume in service["volumes"] if volume.get("holds") != COPIES]


def copy_volumes(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the volumes of a service that hold copies alone: its container only reads them."""
    return [volume for volume in service["volumes"] if volume.get("holds") == COPIES]


def mounted_accounts(service: Mapping[str, Any]) -> list[str]:
    """Return the accounts whose passwords the config volume of a service or sidecar holds.

    Those of clients are where clients are met: what is behind a gateway has the key that the gateway sends alone.
    """
    if "account" in service:
        return [str(service["account"])]
    return [account for account in service["accounts"] if account == SERVER or "front" not in service]


def is_reloadable(service: Mapping[str, Any], path: str) -> bool:
    """Return whether a file of the config volume is one that the running container takes over."""
    patterns = service["reload"]["files"] if "reload" in service else ()
    return path == PENDING or any(fnmatchcase(path, pattern) for pattern in patterns)


def short_model(model: Mapping[str, Any]) -> str:
    """Return a model as people and labels name it: its name, and enough of its SHA-256 to tell two apart."""
    return f"{model['name']}@{model['sha256'][:12]}"
