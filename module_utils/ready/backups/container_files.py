# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy files into and out of containers and their volumes by Docker's API: no bind mount, nothing secret in argv."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from docker.errors import APIError, NotFound

from ..common.output_excerpt import excerpt
from ..docker import execute as docker_execute
from ..docker.tar_stream import Stream
from .manifest import BackupError

if TYPE_CHECKING:
    from docker.models.containers import Container

_BLOCK = 2**20


def exec_to_file(container: Container, command: Sequence[str], path: Path) -> None:
    """Write what a command in a running container prints to a file. Raises BackupError unless it exits with 0."""
    with path.open("xb") as stream:
        done = docker_execute.run(container, command, write=stream.write)
    if done.exit_code != 0:
        raise BackupError(f"{container.name}: {command[0]} ended with {done.exit_code}: {excerpt(done.errors)}")


def execute(container: Container, command: Sequence[str]) -> str:
    """Return what a command in a running container prints. Raises BackupError unless it exits with 0."""
    done = docker_execute.run(container, command)
    if done.exit_code != 0:
        raise BackupError(f"{container.name}: {command[0]} ended with {done.exit_code}: {excerpt(done.output)}")
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
    with tarfile.open(fileobj=Stream(chunks), mode="r|") as archive, path.open("xb") as target:
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
