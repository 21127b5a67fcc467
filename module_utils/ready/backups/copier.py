# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An image that copies volumes while data are put right, also when the service's container was removed meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..container import LABEL_STACK
from .manifest import BackupError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container


def noted(service: str, image: str) -> str:
    """Return how the journal names the image of a service's container."""
    return f"{service}:{image}"


def image_of(
    client: DockerClient, container: Container | None, stack: Mapping[str, Any], name: str, notes: Iterable[str]
) -> str:
    """Return the id of an image on this host that has `cp`. Raises BackupError when there is none.

    Args:
        client: a connected client.
        container: the service's, if there is one.
        stack: the resolved stack.
        name: the service.
        notes: what the journal says of images, each as `noted` returns it.
    """
    if container is not None:
        return str(container.attrs["Image"])
    from docker.errors import ImageNotFound

    for image in _candidates(client, stack, name, notes):
        try:
            return str(client.images.get(image).id)
        except ImageNotFound:
            continue
    raise BackupError(
        f"{name}: found neither its container nor an image of a service of this stack, expected one to put its data "
        "right with. Nothing was changed, and what they are put right from stays. Next: ./ready images load, or docker "
        f"pull {stack['services'][name]['image']['repository']}; then again"
    )


def _candidates(client: DockerClient, stack: Mapping[str, Any], name: str, notes: Iterable[str]) -> Iterator[str]:
    """Yield images that services of this stack run from: its own first."""
    yield from (image for its, _, image in (note.partition(":") for note in notes) if its == name)
    ours: dict[str, Any] = {"label": f"{LABEL_STACK}={stack['name']}"}
    for container in client.containers.list(all=True, filters=ours, ignore_removed=True):
        yield str(container.attrs["Image"])
    for service in (name, *stack["services"]):
        for repository in (str(stack["services"][service]["image"]["repository"]), f"ready/{service}"):
            yield from (
                str(image.id) for image in client.images.list(name=repository.removeprefix("docker.io/library/"))
            )
