# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Creating a container from the options that the plan has for it. Runs where Docker is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_NANO = 10**9


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
