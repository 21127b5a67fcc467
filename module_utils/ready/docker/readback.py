# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read passwords, authorities and addresses back from a stack's containers. Runs where Docker is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_STACK
from ..secrets.redaction import register_secrets
from ..stack.resolved import CONFIG_PATH, answering_container
from .state import find_container, read_files

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container


def _own(service: Mapping[str, Any]) -> str:
    return str(service["container"])


def _ours(
    client: DockerClient, stack: Mapping[str, Any], which: Callable[[Mapping[str, Any]], str] = _own
) -> Iterator[tuple[str, Container]]:
    """Yield service, container of those that are this stack's; `which` names a service's container."""
    for name, service in stack["services"].items():
        container = find_container(client, which(service))
        if container is not None and container.labels.get(LABEL_STACK) == stack["name"]:
            yield name, container


def read_secrets(client: DockerClient, stack: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return service -> account -> password as the config volumes of our containers hold them.

    Of a service behind a gateway those are the gateway's: it knows the keys that clients send.
    """
    found: dict[str, dict[str, str]] = {}
    for name, container in _ours(client, stack, answering_container):
        files = read_files(container, f"{CONFIG_PATH}/secrets")
        accounts = stack["services"][name]["accounts"]
        secrets = {path: content.decode() for path, _, _, content in files if path in accounts}
        if secrets:
            register_secrets(secrets.values())
            found[name] = secrets
    return found


def read_authorities(client: DockerClient, stack: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> CA certificate (PEM) as the config volumes hold it, for our containers that speak TLS."""
    return {
        name: content.decode()
        for name, container in _ours(client, stack, answering_container)
        for _, _, _, content in read_files(container, f"{CONFIG_PATH}/tls/ca.crt")
    }


def read_running(client: DockerClient, stack: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return service -> {image_id, address, pid} of our running containers.

    The address is in the stack's network; where a sidecar answers for the service it is that one's.
    """
    found = {}
    for name, container in _ours(client, stack):
        if container.status == "running":
            service = stack["services"][name]
            front = find_container(client, answering_container(service)) if "front" in service else container
            networks = front.attrs["NetworkSettings"]["Networks"] if front is not None else {}
            network = networks.get(stack["network"]) or {}
            found[name] = {
                "image_id": container.attrs["Image"],
                "address": network.get("IPAddress") or None,
                "pid": container.attrs["State"]["Pid"],
            }
    return found
