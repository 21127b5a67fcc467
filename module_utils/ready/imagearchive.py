# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The archive of the classes that an image's Java loads at its start, made by a run of the finished image.

In a container without a network: a server that starts there can't listen on the host, and nothing there can speak to
the host's servers. A build step can do both, since steps have the host's network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from .buildfailures import KEPT, telling
from .container import SECURITY_OPTIONS

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


def make(client: DockerClient, image: str, script: str, labels: Mapping[str, str], into: IO[bytes]) -> None:
    """Write a tar that holds the archive as FILE. Raises NoArchiveError, also when Docker fails."""
    try:
        _make(client, image, script, labels, into)
    except (DockerException, RequestException, OSError) as error:
        raise NoArchiveError(" ".join(str(error).split())) from error


def _make(client: DockerClient, image: str, script: str, labels: Mapping[str, str], into: IO[bytes]) -> None:
    path = f"/tmp/{FILE}"  # noqa: S108  # the container's own
    container = client.containers.create(
        image,
        [path],
        entrypoint=["timeout", "-k", "9", str(TIMEOUT), "bash", "-c", script, SCRIPT],  # it ends when we are gone, too
        network_mode="none",
        hostname="localhost",  # without network nothing else resolves, and Neo4j asks
        cap_drop=["ALL"],
        security_opt=SECURITY_OPTIONS,
        labels=dict(labels),
    )
    try:
        container.start()
        code = container.wait(timeout=TIMEOUT + 60)["StatusCode"]
        if code == _TOO_LONG:
            raise NoArchiveError(f"{SCRIPT} did not end within {TIMEOUT} s")
        if code != 0:
            said = container.logs(tail=KEPT).decode(errors="replace").splitlines()
            why = "".join(telling([line.strip() for line in said if line.strip()], 1))
            raise NoArchiveError(f"{SCRIPT} ended with {code}: {why or 'it said nothing'}")
        into.writelines(container.get_archive(path)[0])
    finally:
        container.remove(v=True, force=True)
