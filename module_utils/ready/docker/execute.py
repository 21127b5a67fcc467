# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run commands in running containers and return their whole output.

`exec_run` of Docker's SDK asks the daemon to take the connection over (`Upgrade: tcp`) and then reads its socket behind
the back of http.client, which has buffered whatever came together with the response's head: now and then the first
frames of an output are lost, with exit code 0 (docker/docker-py#3332; 6 of 1,600 by hand, on two busy cores). Without
`Upgrade` the daemon sends the same frames as the body of an ordinary response, as its API has it, which is read here.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from docker.models.containers import Container

#: A frame's head: its stream, three zeros, the length of what follows.
_HEAD = struct.Struct(">BxxxL")
_STDOUT = 1
#: Seconds for which a command may still be reported as running after its output has ended, and between two looks.
_SETTLE, _LOOK = 10.0, 0.02


class Ran(NamedTuple):
    """How a command ended."""

    exit_code: int
    output: bytes  #: standard output and errors, in the order in which they came
    errors: bytes  #: standard errors alone


def _read(body: Any, length: int, *, may_end: bool = False) -> bytes:
    """Return that many bytes; none at the end, where that may be."""
    from urllib3.exceptions import HTTPError  # comes with the SDK, which a host may lack

    lost = "the connection to the Docker daemon was lost in the middle of a command's output"
    try:
        content = bytes(body.read(length))
    except HTTPError as error:
        raise ConnectionError(f"{lost}: {error}") from error
    if len(content) < length and (content or not may_end):
        raise ConnectionError(lost)
    return content


def _frames(body: Any) -> Iterator[tuple[int, bytes]]:
    while head := _read(body, _HEAD.size, may_end=True):
        stream, length = _HEAD.unpack(head)
        yield stream, _read(body, length)


def run(
    container: Container, command: Sequence[str], user: str = "", write: Callable[[bytes], object] | None = None
) -> Ran:
    """Run a command in a container and return how it ended, however long it takes.

    Args:
        container: a running container.
        command: what to run, and its arguments.
        user: "uid" or "uid:gid"; the container's own without it.
        write: takes standard output as it comes; `output` then has errors alone.

    Raises docker.errors.APIError when the daemon can't run anything there, ConnectionError when it goes away.
    """
    api: Any = container.client.api  # type: ignore[union-attr]
    run_id = api.exec_create(container.id, list(command), user=user)["Id"]
    request = {"Detach": False, "Tty": False}
    output, errors = bytearray(), bytearray()
    # A command may be silent for as long as it likes.
    with api._post_json(api._url("/exec/{0}/start", run_id), data=request, stream=True, timeout=None) as response:
        api._raise_for_status(response)
        for stream, content in _frames(response.raw):
            if stream == _STDOUT and write:
                write(content)
                continue
            output += content
            errors += b"" if stream == _STDOUT else content
    return Ran(_exit_code(api, run_id), bytes(output), bytes(errors))


def _exit_code(api: Any, run_id: str) -> int:
    """Return a command's exit code; the daemon may hear of it later than of the end of its output."""
    ends = time.monotonic() + _SETTLE
    while (code := api.exec_inspect(run_id)["ExitCode"]) is None:
        if time.monotonic() > ends:
            raise ConnectionError(f"the Docker daemon does not tell how a command ended, {_SETTLE:g} s after its end")
        time.sleep(_LOOK)
    return int(code)
