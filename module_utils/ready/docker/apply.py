# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Create and change a stack's network and containers as the plan says. Runs where Docker is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ..common.labels import LABEL_STACK
from .create import create
from .leftovers import remove_leftovers
from .replace import Replacing, stop_timeout
from .spec import ContainerSpec
from .state import EngineError, find_container, reason, sdk_errors, stop_and_remove

if TYPE_CHECKING:
    from docker import DockerClient


class NotOursError(Exception):
    """What has the name carries no label of the stack."""


class Making:
    """One run's changes on a host; a container that fails does not keep the others."""

    def __init__(self, client: DockerClient, host: str, replacing: Replacing) -> None:
        self.client, self.host, self.stack, self.replacing = client, host, replacing.stack, replacing
        self.lines: list[str] = []
        self.faults: list[str] = []

    def network(self, name: str) -> None:
        """Make the stack's network. Raises what the SDK raises: without it no container can be made."""
        if not any(network.name == name for network in self.client.networks.list(names=[name])):
            self.client.networks.create(name, driver="bridge", labels={LABEL_STACK: self.stack})
            self.lines.append(f"create network {name}")

    def container(self, action: str, service: str) -> None:
        """Make one service's container run: by create, recreate (its volumes stay) or start."""
        name = self.replacing.specs[service].name
        try:
            if self._act(action, service):
                self.lines.append(f"{action} container {name}")
        except NotOursError:
            self.faults.append(
                f"{self.host}: container {name}: found one that is not of the stack {self.stack}; it was not touched. "
                "Next: choose another stack_name, or give that container another name (docker rename)"
            )
        except sdk_errors() as error:
            self.faults.append(
                f"{self.host}: container {name}: found {reason(error)}; expected it to start. "
                "Next: remove the cause, then ./ready up"
            )

    def put_back(self) -> None:
        """Bring back every container that may, with its files: what was not done for all of them is done for none."""
        errors: tuple[type[Exception], ...] = (EngineError, *sdk_errors())
        for service in self.replacing.kept:
            name = self.replacing.specs[service].name
            try:
                self.replacing.put_back(service)
                self.faults.append(f"{self.host}: container {name} and its configuration are again those of before.")
            except errors as error:
                self.faults.append(
                    f"{self.host}: container {name}: found {reason(error)}; expected it to come back. "
                    "Next: remove the cause, then ./ready up"
                )

    def _act(self, action: str, service: str) -> bool:
        spec = self.replacing.specs[service]
        container = find_container(self.client, spec.name)
        if container is not None and container.labels.get(LABEL_STACK) != self.stack:
            raise NotOursError
        if container is not None and action == "recreate" and service in self.replacing.kept:
            self.replacing.replace(service)
            return True
        if container is not None and action == "recreate":
            stop_and_remove(container, stop_timeout(spec))
            container = None
        if container is None:
            container = create(self.client, spec)
        if container.status == "paused":
            container.unpause()
        elif container.status == "running":
            return False
        else:
            container.start()
        return True


def make(
    client: DockerClient,
    host: str,
    stack: str,
    network: str | None,
    containers: Sequence[Mapping[str, str]],
    specs: Mapping[str, ContainerSpec],
    kept: Collection[str] = (),
) -> Making:
    """Make network and containers, one after another, and return what was done and what could not be.

    When one of them can't be made, the containers that may come back do.

    Args:
        client: a connected client.
        host: what messages call this host.
        stack: the stack's name.
        network: the network to make, None where it is there.
        containers: {service, action} as `plan.make_plan` returns them, in its order.
        specs: service -> its container.
        kept: the services whose container of before is kept until `Replacing.finish`.
    """
    replacing = Replacing(client, stack, specs, kept)
    making = Making(client, host, replacing)
    making.lines += remove_leftovers(client, stack)
    again, lines = replacing.clear()
    making.lines += lines
    if network:
        making.network(network)
    for item in containers:
        name = specs[item["service"]].name
        making.container("recreate" if name in again else item["action"], item["service"])
    if making.faults:
        making.put_back()
    return making
