# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the archive of classes that an image's Java loads at its start, by a run of the finished image.

In a container without a network: a server that starts there can't listen on the host, and nothing there can speak to
the host's servers. A build step can do both, since steps have the host's network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from ..docker.create import create
from ..docker.spec import NO_RIGHTS, ContainerSpec
from .build_failures import KEPT, relevant_lines

try:
    from docker.errors import DockerException
    from requests.exceptions import RequestException
except ImportError:  # pragma: no cover - depends on the target; engine.connect says so
    DockerException = RequestException = OSError  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from docker import DockerClient

#: The recipe's file that makes the archive: a bash script, which is given the path to write to.
SCRIPT = "archive.sh"
#: The archive's name. It goes into the image's working directory, where the image's entrypoint looks for it.
FILE = "server.jsa"
#: Seconds that it may take: 30 on two idle cores, 480 were seen beside much other work.
TIMEOUT = 1800
_TOO_LONG = 124  # how `timeout` ends then


class NoArchiveError(Exception):
    """The archive could not be made; the message says why, in one line."""


def make_class_archive(
    client: DockerClient, image: str, script: str, labels: Mapping[str, str], into: IO[bytes]
) -> None:
    """Write a tar that holds the archive as FILE. Raises NoArchiveError, also when Docker fails."""
    try:
        _make(client, image, script, labels, into)
    except (DockerException, RequestException, OSError) as error:
        raise NoArchiveError(" ".join(str(error).split())) from error


def _make(client: DockerClient, image: str, script: str, labels: Mapping[str, str], into: IO[bytes]) -> None:
    path = f"/tmp/{FILE}"  # noqa: S108  # the container's own
    spec = ContainerSpec(
        image=image,
        entrypoint=["timeout", "-k", "9", str(TIMEOUT), "bash", "-c", script, SCRIPT],  # it ends when we are gone, too
        command=[path],
        hostname="localhost",  # without network nothing else resolves, and Neo4j asks
        labels=labels,
        **NO_RIGHTS,
    )
    container = create(client, spec)
    try:
        container.start()
        code = container.wait(timeout=TIMEOUT + 60)["StatusCode"]
        if code == _TOO_LONG:
            raise NoArchiveError(f"{SCRIPT} did not end within {TIMEOUT} s")
        if code != 0:
            output = container.logs(tail=KEPT).decode(errors="replace").splitlines()
            why = "".join(relevant_lines([line.strip() for line in output if line.strip()], 1))
            raise NoArchiveError(f"{SCRIPT} ended with {code}: {why or 'no output'}")
        into.writelines(container.get_archive(path)[0])
    finally:
        container.remove(v=True, force=True)
