# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Create a container from the options that the plan has for it. Runs where Docker is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .spec import ContainerSpec

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container


def create(client: DockerClient, spec: ContainerSpec) -> Container:
    """Create a container, and do not start it. Raises what the SDK raises."""
    api: Any = client.api  # its stubs are narrower than it is
    container, host = spec.arguments()
    made = api.create_container(**container, host_config=api.create_host_config(**host))
    return client.containers.get(made["Id"])
