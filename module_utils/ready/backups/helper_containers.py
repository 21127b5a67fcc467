# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run helper containers on volumes for backups, restores and upgrades: create, find an image, run, remove."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from docker.errors import APIError, ImageNotFound, NotFound

from ..common.labels import LABEL_STACK
from ..common.output_excerpt import excerpt
from ..docker.create import create
from ..docker.spec import NO_RIGHTS, ContainerSpec
from .manifest import BackupError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: Seconds that copying, dumping or loading may take: they grow with the data.
LONG = 6 * 3600
_COPY = "find /to -mindepth 1 -delete; cp -a /from/. /to/"


def create_helper(
    client: DockerClient,
    image: str,
    command: Sequence[str],
    mounts: Mapping[str, str],
    stack: str,
    user: str = "0:0",
    memory: int | None = None,
    stdin: bool = False,
    read_only: Collection[str] = (),
    labels: Mapping[str, str] | None = None,
) -> Container:
    """Create a throw-away container of a service's own image, without network, on volumes of which nobody else writes.

    Args:
        client: a connected client.
        image: the image's id.
        command: what it runs.
        mounts: path -> volume.
        stack: value of the label by which leftovers are found.
        user: "uid:gid"; root copies whatever owner files have, and has no more rights than that needs.
        memory: limit in bytes.
        stdin: whether it reads from us; its input ends when the one who is attached goes.
        read_only: those of the paths that it only reads.
        labels: more of them.
    """
    spec = ContainerSpec(
        image=image,
        entrypoint=command,
        command=[],
        user=user,
        hostname="localhost",  # neo4j-admin logs an unknown host otherwise
        cap_add=["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"] if user == "0:0" else None,
        memory=memory,
        stdin=stdin,
        labels={LABEL_STACK: stack, **(labels or {})},
        volumes={path: f"{volume}:{'ro' if path in read_only else 'rw'}" for path, volume in mounts.items()},
        **NO_RIGHTS,
    )
    return create(client, spec)


def run_helper(container: Container, what: str, begin: Callable[[], object] | None = None) -> str:
    """Run a helper to its end, remove it, and return what it printed. Raises BackupError unless it exits with 0.

    Args:
        container: the helper.
        what: begins the error.
        begin: sets off a helper that is up already; without it the helper is started.
    """
    try:
        (begin or container.start)()
        code = int(container.wait(timeout=LONG)["StatusCode"])
        output = container.logs()
    finally:
        container.remove(v=True, force=True)
    if code != 0:
        raise BackupError(f"{what}: ended with {code}: {excerpt(output)}")
    return output.decode(errors="replace")


def create_copier(
    client: DockerClient,
    image: str,
    source: str,
    target: str,
    stack: str,
    labels: Mapping[str, str] | None = None,
) -> Container:
    """Create the helper that makes volume `target` hold exactly what `source` does, on the disk."""
    command, mounts = ["sh", "-ec", f"{_COPY} && sync"], {"/from": source, "/to": target}
    return create_helper(client, image, command, mounts, stack, read_only={"/from"}, labels=labels)


class PromptCopy:
    """A copy that begins at a word: its helper is up by then, for starting one takes as long as copying a small store.

    It is not waited for until it is on the disk: of a copy that a crash may take, all that the host has yet to write is
    no concern. The helper ends by itself when the one who made it does.

    Args:
        client: a connected client.
        image: the image's id.
        source: a volume.
        target: the volume that is to hold exactly the same.
        stack: value of the label by which leftovers are found.
    """

    def __init__(self, client: DockerClient, image: str, source: str, target: str, stack: str) -> None:
        command = ["sh", "-ec", f"read -r _; {_COPY}"]
        self._helper = create_helper(client, image, command, {"/from": source, "/to": target}, stack, stdin=True)
        self._word: Any = self._helper.attach_socket(params={"stdin": 1, "stream": 1})
        self._helper.start()

    def finish(self, what: str) -> None:
        """Copy, and remove the helper. Raises BackupError unless everything was copied."""
        # docker-py gives a file for reading, around the socket
        run_helper(self._helper, what, lambda: os.write(self._word.fileno(), b"\n"))
        self._word.close()


def remove_containers(client: DockerClient, stack: str) -> list[str]:
    """Remove containers with this label, and return their names."""
    filters: dict[str, Any] = {"label": f"{LABEL_STACK}={stack}"}
    removed = []
    for container in client.containers.list(all=True, filters=filters, ignore_removed=True):
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)
            removed.append(str(container.name))
    return removed


def remove_all(client: DockerClient, stack: str) -> list[str]:
    """Remove containers, networks and volumes with this label, and return their names."""
    filters: dict[str, Any] = {"label": f"{LABEL_STACK}={stack}"}
    removed = remove_containers(client, stack)
    for network in client.networks.list(filters=filters):
        network.remove()
        removed.append(str(network.name))
    for volume in client.volumes.list(filters=filters):
        for attempt in range(20):  # a volume is busy for a moment after its container is gone
            try:
                volume.remove(force=True)
                break
            except APIError:
                if attempt == 19:
                    raise
                time.sleep(0.25)
        removed.append(volume.name)
    return removed


def journal_entry(service: str, image: str) -> str:
    """Return how the journal names the image of a service's container."""
    return f"{service}:{image}"


def find_image(
    client: DockerClient, container: Container | None, stack: Mapping[str, Any], name: str, notes: Iterable[str]
) -> str:
    """Return the id of an image on this host that has `cp`. Raises BackupError when there is none.

    Args:
        client: a connected client.
        container: the service's, if there is one.
        stack: the resolved stack.
        name: the service.
        notes: what the journal says of images, each as `journal_entry` returns it.
    """
    if container is not None:
        return str(container.attrs["Image"])
    upstream = stack["services"][name]["image"].get("repository", "")
    for image in _candidates(client, stack, name, notes):
        try:
            return str(client.images.get(image).id)
        except ImageNotFound:
            continue
    raise BackupError(
        f"{name}: found neither its container nor an image of a service of this stack, expected one to put its data "
        "right with. Nothing was changed, and what they are put right from stays. Next: ./ready images load"
        f"{f', or docker pull {upstream}' if upstream else ''}; then again"
    )


def _candidates(client: DockerClient, stack: Mapping[str, Any], name: str, notes: Iterable[str]) -> Iterator[str]:
    """Yield images that services of this stack run from: its own first."""
    yield from (image for its, _, image in (note.partition(":") for note in notes) if its == name)
    ours: dict[str, Any] = {"label": f"{LABEL_STACK}={stack['name']}"}
    for container in client.containers.list(all=True, filters=ours, ignore_removed=True):
        yield str(container.attrs["Image"])
    for service in (name, *stack["services"]):
        for repository in (stack["services"][service]["image"].get("repository"), f"ready/{service}"):
            if repository:  # one of Ready's own has no upstream
                yield from (
                    str(image.id) for image in client.images.list(name=repository.removeprefix("docker.io/library/"))
                )
