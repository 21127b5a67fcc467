# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Give a running container other files, which it takes over without a restart. Runs where Docker is.

While that is under way, a file in the config volume says so: the next run of Ready does it again if this one is killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_SERVICE, LABEL_STACK
from ..stack.resolved import PENDING
from . import execute
from .state import EngineError, read_files, reason, sdk_errors, write_volume

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container


def reload_files(
    client: DockerClient,
    stack: str,
    service: Mapping[str, Any],
    image: str,
    files: Mapping[str, tuple[int, bytes]],
) -> dict[str, list[str]]:
    """Write a config volume and run the service's reload command; return the paths added, changed and removed.

    Args:
        client: a connected client.
        stack: the stack's name.
        service: the resolved service, or sidecar; its container runs.
        image: id of an image with the service's user.
        files: path -> (mode, content) of the whole volume.

    Raises:
        EngineError: the container does not take them; those of before are in the volume again. Where it does not take
            these either, the mark stays: nobody knows which ones it runs with.
    """
    owner, volume = service["image"]["user"], service["config_volume"]
    labels = {LABEL_STACK: stack, LABEL_SERVICE: service["name"]}
    try:
        container = client.containers.get(service["container"])
        before = {path: (mode, content) for path, mode, _, content in read_files(container)}
    except sdk_errors() as error:
        raise EngineError(f"container {service['container']} can't be read: {reason(error)}") from error
    result = write_volume(client, image, volume, owner, {**files, PENDING: (0o400, b"")}, labels)
    if refusal := _take_over(container, service["reload"]["command"]):
        write_volume(client, image, volume, owner, {**before, PENDING: (0o400, b"")}, labels)
        back = "It runs with those of before, and they are in its volume again"
        # What gave up waiting may have taken the new ones since.
        if again := _take_over(container, service["reload"]["command"]):
            back = f"Those of before are in its volume again; which ones it runs with is not known ({again})"
        else:
            write_volume(client, image, volume, owner, before, labels)
        raise EngineError(
            f"container {service['container']}: found that it does not take over its new files ({refusal}); expected a "
            f"reload. {back}. Next: remove the cause, then ./ready up"
        )
    write_volume(client, image, volume, owner, files, labels)
    return {kind: [path for path in paths if path != PENDING] for kind, paths in result.items()}


def _take_over(container: Container, command: Sequence[str]) -> str:
    """Run a reload command; return why the container did not take its files over, "" if it did."""
    try:
        done = execute.run(container, command)
    except sdk_errors() as error:  # it has ended meanwhile, or the daemon has
        return reason(error)
    words = " ".join(done.output.decode(errors="replace").split())
    return "" if done.exit_code == 0 else words or f"exit {done.exit_code}"
