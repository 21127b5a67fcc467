# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy a site's own models into a service's volume, and remove those that nothing names. Runs where Docker is.

A copy has another name until it was read back from the volume and found whole, and a mark beside it says that a run is
at work: what nothing names goes when the service is healthy with what it has now, for until then its container of
before may come back.
"""

from __future__ import annotations

import contextlib
import hashlib
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_STACK, LABEL_TRIAL
from ..common.output_excerpt import excerpt
from ..stack.models import own_models
from ..stack.resolved import copy_volumes, short_model
from .create import create
from .model_source import BLOCK, ModelError, Source, opened
from .spec import NO_RIGHTS, ContainerSpec
from .state import TIMEOUT, EngineError, reason, sdk_errors
from .tar_stream import Stream

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: There while a volume may hold what nothing names.
MARK = ".uncleared"
_PLACE = "/volume"
#: Removes what is not among its arguments, the mark last, and prints the names.
_CLEAR = """\
cd /volume
ls -A | while read -r name; do
  case " $* .uncleared " in *" $name "*) ;; *) rm -rf -- "./$name"; echo "$name" ;; esac
done
rm -f -- .uncleared
"""


def _exists(container: Container, path: str) -> bool:
    """Return whether a container, running or not, has this file; nothing of it is read."""
    api: Any = container.client.api  # type: ignore[union-attr]
    answer = api.head(api._url("/containers/{0}/archive", container.id), params={"path": path}, timeout=TIMEOUT)
    return bool(answer.status_code == 200)


def in_volume(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return {held: SHA-256 of the own models that its volume has, uncleared} of a service's container."""
    return {
        "held": sorted(sha256 for sha256, its in own_models(service).items() if _exists(container, its["file"])),
        "uncleared": any(_exists(container, f"{volume['path']}/{MARK}") for volume in copy_volumes(service)),
    }


class Copies:
    """The volume of copies of one service.

    Args:
        client: a connected client whose timeout fits gigabytes.
        stack: the stack's name.
        service: the resolved service.
        image: id of an image with sh, ls, mv and rm; the service's own.
    """

    def __init__(self, client: DockerClient, stack: str, service: Mapping[str, Any], image: str) -> None:
        self.client, self.stack, self.service, self.image = client, stack, service, image
        self.volume = str(copy_volumes(service)[0]["name"])

    @contextmanager
    def _helper(self, command: Sequence[str]) -> Iterator[Container]:
        spec = ContainerSpec(
            image=self.image,
            entrypoint=command,
            command=[],
            user="0:0",
            labels={LABEL_STACK: self.stack, LABEL_TRIAL: self.service["name"]},  # a killed run's goes by the next one
            volumes={_PLACE: f"{self.volume}:rw"},
            **NO_RIGHTS,
        )
        container = create(self.client, spec)
        try:
            yield container
        finally:
            container.remove(v=True, force=True)

    def _run(self, script: str, *arguments: str) -> str:
        with self._helper(["sh", "-ec", script, "sh", *arguments]) as container:
            container.start()
            code = container.wait(timeout=TIMEOUT)["StatusCode"]
            output = container.logs()
        if code != 0:
            raise EngineError(f"volume {self.volume}: a helper ended with {code}: {excerpt(output)}")
        return str(output.decode(errors="replace"))

    def put(self, urls: Mapping[str, str]) -> list[str]:
        """Have every own model in the volume, and return a line per copy that was made.

        What is there is read: a damaged copy is replaced. Raises ModelError, or EngineError when Docker refuses.

        Args:
            urls: SHA-256 -> URL with whatever secret is in it.
        """
        lines = []
        for sha256, model in own_models(self.service).items():
            name = f"{sha256}.gguf"
            with self._helper(["true"]) as container:
                if _sha256(container, name) == sha256:
                    continue
                self._send(container, f".{name}.part", model, urls)
                if (found := _sha256(container, f".{name}.part")) != sha256:
                    self._forget(f".{name}.part")
                    raise ModelError(
                        f"{short_model(model)}: found SHA-256 {found} in volume {self.volume} after the copy, expected "
                        f"{sha256}"
                    )
            self._run('mv -f -- "/volume/$1" "/volume/$2" && sync', f".{name}.part", name)
            lines.append(f"copied the model {short_model(model)} into volume {self.volume}")
        return lines

    def _send(self, container: Container, name: str, model: Mapping[str, Any], urls: Mapping[str, str]) -> None:
        """Write a model's file into the volume, under this name; of one that fails nothing stays.

        Raises ModelError or EngineError.
        """
        try:
            with opened(model, urls) as source:
                container.put_archive(_PLACE, _tar(name, source))
        except ModelError as error:
            self._forget(name)
            raise ModelError(f"{short_model(model)}: {error}") from error
        except sdk_errors() as error:
            self._forget(name)
            raise EngineError(
                f"{short_model(model)}: it can't be copied into volume {self.volume}: found {reason(error)}"
            ) from error

    def _forget(self, name: str) -> None:
        """Remove what there is of a file. Where even that fails, the mark stays, and a later run clears the volume."""
        with contextlib.suppress(EngineError, *sdk_errors()):
            self._run('rm -f -- "/volume/$1"', name)

    def clear(self) -> list[str]:
        """Remove what no model names, and return a line for each. Raises EngineError."""
        names = self._run(_CLEAR, *(f"{sha256}.gguf" for sha256 in own_models(self.service))).split()
        return [f"removed {name} from volume {self.volume}: no model names it" for name in names]


def _sha256(container: Container, name: str) -> str:
    """Return the checksum of a file of the volume, "" when there is none."""
    from docker.errors import NotFound

    try:
        chunks, _ = container.get_archive(f"{_PLACE}/{name}", chunk_size=BLOCK)
    except NotFound:
        return ""
    digest = hashlib.sha256()
    with tarfile.open(fileobj=Stream(chunks), mode="r|", bufsize=BLOCK) as archive:
        for member in archive:
            handle = archive.extractfile(member)
            while handle and (block := handle.read(BLOCK)):
                digest.update(block)
    return digest.hexdigest()


def _entry(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o444
    return info.tobuf(tarfile.PAX_FORMAT)


def _tar(name: str, source: Source) -> Iterator[bytes]:
    """Yield the mark and a file as a tar. Raises ModelError, which ends the request, when it is not the one."""
    yield _entry(MARK, 0)
    yield _entry(name, source.size)
    yield from source
    yield b"\0" * (-source.size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)
