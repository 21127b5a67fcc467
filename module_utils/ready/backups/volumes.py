# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bytes in and out of volumes and containers, through Docker's API alone: no bind mount, nothing secret in argv."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import docker
from docker.errors import APIError, NotFound

from .. import dockerexec
from ..container import LABEL_STACK
from ..said import shortened
from .manifest import BackupError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: Seconds that copying, dumping or loading may take: they grow with the data.
LONG = 6 * 3600
_BLOCK = 2**20
_COPY = "find /to -mindepth 1 -delete; cp -a /from/. /to/"


def exec_to_file(container: Container, command: Sequence[str], path: Path) -> None:
    """Write what a command in a running container prints to a file. Raises BackupError unless it exits with 0."""
    with path.open("xb") as stream:
        done = dockerexec.run(container, command, write=stream.write)
    if done.exit_code != 0:
        raise BackupError(f"{container.name}: {command[0]} ended with {done.exit_code}: {shortened(done.errors)}")


def execute(container: Container, command: Sequence[str]) -> str:
    """Return what a command in a running container prints. Raises BackupError unless it exits with 0."""
    done = dockerexec.run(container, command)
    if done.exit_code != 0:
        raise BackupError(f"{container.name}: {command[0]} ended with {done.exit_code}: {shortened(done.output)}")
    return done.output.decode(errors="replace")


def _tar(path: Path, name: str, owner: tuple[int, int]) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode, (info.uid, info.gid) = path.stat().st_size, 0o600, owner
    yield info.tobuf(tarfile.PAX_FORMAT)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block
    yield b"\0" * (-info.size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)


def put_file(container: Container, directory: str, path: Path, name: str, owner: str) -> None:
    """Put a file into a volume of a container, running or not, as a stream. `owner` is "uid:gid"."""
    uid, _, gid = owner.partition(":")
    try:
        container.put_archive(directory, _tar(path, name, (int(uid), int(gid))))
    except APIError as error:
        raise BackupError(f"{container.name}: {name} can't be written: {error.explanation or error}") from error


def put_archive(container: Container, directory: str, path: Path) -> None:
    """Unpack a tar file into a volume of a container."""
    with path.open("rb") as stream:
        try:
            container.put_archive(directory, stream)
        except APIError as error:
            raise BackupError(
                f"{container.name}: {path.name} can't be unpacked: {error.explanation or error}"
            ) from error


def get_file(
    container: Container,
    source: str,
    path: Path,
    write: Callable[[IO[bytes], IO[bytes]], None] = shutil.copyfileobj,
) -> None:
    """Write a file of a container, running or not, to `path`, as a stream. Raises BackupError when it is not there.

    Args:
        container: the container.
        source: the file's path in it.
        path: the new file.
        write: copies what is in the first one to the second one, and may change it on the way.
    """
    try:
        chunks, _ = container.get_archive(source)
    except NotFound as error:
        raise BackupError(f"{container.name}: found no {source}, expected a dump there") from error
    with tarfile.open(fileobj=_Stream(chunks), mode="r|") as archive, path.open("xb") as target:
        for member in archive:
            handle = archive.extractfile(member) if member.isfile() else None
            if handle:
                write(handle, target)


def get_archive(container: Container, source: str, path: Path) -> None:
    """Write everything below a directory of a container to `path` as a tar."""
    chunks, _ = container.get_archive(source)
    with path.open("xb") as target:
        for chunk in chunks:
            target.write(chunk)


class _Stream(io.RawIOBase):
    """What tarfile reads from: a file made of the chunks that Docker sends."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.rest = chunks, b""

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, fewer at the end."""
        while len(self.rest) < size and (chunk := next(self.chunks, b"")):
            self.rest += chunk
        out, self.rest = self.rest[:size], self.rest[size:]
        return out


def helper(
    client: DockerClient,
    image: str,
    command: Sequence[str],
    mounts: Mapping[str, str],
    stack: str,
    user: str = "0:0",
    memory: int | None = None,
    stdin: bool = False,
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
    """
    return client.containers.create(
        image,
        [],
        entrypoint=list(command),
        user=user,
        network_mode="none",
        hostname="localhost",  # neo4j-admin logs an unknown host otherwise
        cap_drop=["ALL"],
        cap_add=["CHOWN", "DAC_OVERRIDE", "FOWNER"] if user == "0:0" else [],
        security_opt=["no-new-privileges:true"],
        mem_limit=memory,
        stdin_open=stdin,
        labels={LABEL_STACK: stack},
        mounts=[docker.types.Mount(path, volume, type="volume") for path, volume in mounts.items()],
    )


def finish(container: Container, what: str, begin: Callable[[], object] | None = None) -> str:
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
        raise BackupError(f"{what}: ended with {code}: {shortened(output)}")
    return output.decode(errors="replace")


def copy(client: DockerClient, image: str, source: str, target: str, stack: str) -> Container:
    """Create the helper that makes volume `target` hold exactly what `source` does, on the disk; `finish` runs it."""
    script = f"{_COPY} && sync"
    return helper(client, image, ["sh", "-ec", script], {"/from": source, "/to": target}, stack)


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
        self._helper = helper(client, image, command, {"/from": source, "/to": target}, stack, stdin=True)
        self._word: Any = self._helper.attach_socket(params={"stdin": 1, "stream": 1})
        self._helper.start()

    def finish(self, what: str) -> None:
        """Copy, and remove the helper. Raises BackupError unless everything was copied."""
        # docker-py gives a file for reading, around the socket
        finish(self._helper, what, lambda: os.write(self._word.fileno(), b"\n"))
        self._word.close()


def remove_containers(client: DockerClient, stack: str) -> list[str]:
    """Remove containers with this label, and return their names."""
    wanted: dict[str, Any] = {"label": f"{LABEL_STACK}={stack}"}
    removed = []
    for container in client.containers.list(all=True, filters=wanted, ignore_removed=True):
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)
            removed.append(str(container.name))
    return removed


def remove_all(client: DockerClient, stack: str) -> list[str]:
    """Remove containers, networks and volumes with this label, and return their names."""
    wanted: dict[str, Any] = {"label": f"{LABEL_STACK}={stack}"}
    removed = remove_containers(client, stack)
    for network in client.networks.list(filters=wanted):
        network.remove()
        removed.append(str(network.name))
    for volume in client.volumes.list(filters=wanted):
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
