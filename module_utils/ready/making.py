# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Making a stack's network and containers as the plan says. Runs where Docker is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .container import LABEL_STACK
from .engine import find_container, reason, sdk_errors, stop_and_remove
from .leftovers import remove_leftovers

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_NANO = 10**9


class NotOursError(Exception):
    """What has the name carries no label of the stack."""


def create(client: DockerClient, options: Mapping[str, Any]) -> Container:
    """Create a container from the options that `container.module_options`, or `trial.trial_options`, returns."""
    from docker.types import LogConfig  # connect() has checked for it

    api: Any = client.api  # its stubs are narrower than it is
    ports = {}
    networks = {
        network["name"]: api.create_endpoint_config(aliases=network["aliases"]) for network in options["networks"]
    }
    for published in options["published_ports"]:
        bind, host, inside = published.rsplit(":", 2)
        ports[int(inside)] = (bind, int(host))
    check = options["healthcheck"]
    made = api.create_container(
        options["image"],
        options["command"],
        name=options["name"],
        hostname=options.get("hostname"),
        volumes=options.get("scratch"),
        user=options["user"],
        entrypoint=options.get("entrypoint"),
        environment=options["env"],
        labels=options["labels"],
        ports=[(port, "tcp") for port in ports],
        stop_timeout=options["stop_timeout"],
        healthcheck={
            "test": check["test"],
            "retries": check["retries"],
            **{key: int(check[key].rstrip("s")) * _NANO for key in ("interval", "timeout", "start_period")},
        },
        networking_config=api.create_networking_config(networks) if networks else None,
        host_config=api.create_host_config(
            binds=options["volumes"],
            tmpfs=options["tmpfs"],
            port_bindings=ports,
            network_mode=next(iter(networks), "none"),
            restart_policy={"Name": options["restart_policy"]},
            log_config=LogConfig(type=options["log_driver"], config=options["log_options"]),
            mem_limit=int(options["memory"]),
            memswap_limit=int(options["memory_swap"]),
            nano_cpus=round(options["cpus"] * _NANO),
            pids_limit=options["pids_limit"],
            shm_size=int(options["shm_size"]),
            cap_drop=options["cap_drop"],
            security_opt=options["security_opts"],
            read_only=options["read_only"],
        ),
        use_config_proxy=False,  # a proxy of whoever runs this is none of the service's environment
    )
    return client.containers.get(made["Id"])


class Making:
    """One run's changes on a host; a container that fails does not keep the others."""

    def __init__(self, client: DockerClient, host: str, stack: str) -> None:
        self.client, self.host, self.stack = client, host, stack
        self.lines: list[str] = []
        self.faults: list[str] = []

    def network(self, name: str) -> None:
        """Make the stack's network. Raises what the SDK raises: without it no container can be made."""
        if not any(network.name == name for network in self.client.networks.list(names=[name])):
            self.client.networks.create(name, driver="bridge", labels={LABEL_STACK: self.stack})
            self.lines.append(f"create network {name}")

    def container(self, action: str, options: Mapping[str, Any]) -> None:
        """Make one container run: by create, recreate (its volumes stay) or start."""
        name = options["name"]
        try:
            if self._act(action, options):
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

    def _act(self, action: str, options: Mapping[str, Any]) -> bool:
        container = find_container(self.client, options["name"])
        if container is not None and container.labels.get(LABEL_STACK) != self.stack:
            raise NotOursError
        if container is not None and action == "recreate":
            stop_and_remove(container, options["stop_timeout"])
            container = None
        if container is None:
            container = create(self.client, options)
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
    options: Mapping[str, Mapping[str, Any]],
) -> Making:
    """Make network and containers, one after another, and return what was done and what could not be.

    Args:
        client: a connected client.
        host: what messages call this host.
        stack: the stack's name.
        network: the network to make, None where it is there.
        containers: {service, action} as `plan.make_plan` returns them, in its order.
        options: service -> options, as it returns them.
    """
    making = Making(client, host, stack)
    making.lines += remove_leftovers(client, stack)
    if network:
        making.network(network)
    for item in containers:
        making.container(item["action"], options[item["service"]])
    return making
