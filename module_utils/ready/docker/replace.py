# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replace a running container so that it can come back with the files that it ran with. Runs where Docker is.

The old container is stopped and kept under another name, its files in a volume of their own, until the new one is
healthy. Only one of the two ever runs: they share their data volumes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_CONFIG, LABEL_REPLACED, LABEL_SERVICE, LABEL_STACK, REPLACED
from ..stack.resolved import CONFIG_PATH
from .create import create
from .drift import runs_with
from .rollback_decision import stays
from .spec import ContainerSpec, files_copy
from .state import find_container, read_files, read_fingerprints, stop_and_remove, write_volume
from .wait import wait_for_all

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.volumes import Volume

_NANO = 10**9
_ENDED = frozenset({"exited", "dead", "created"})


def _is_healthy(container: Container | None) -> bool:
    return container is not None and (container.attrs["State"].get("Health") or {}).get("Status") == "healthy"


def keep_files(client: DockerClient, stack: str, service: Mapping[str, Any]) -> None:
    """Copy the files that a service's container runs with. Raises what engine.write_volume raises.

    Files that are not those are not copied: a run that was killed has written them, and copied the right ones before.
    The container that it was replacing counts, not the one that may have failed in its place.
    """
    name = service["container"]
    container = find_container(client, f"{name}{REPLACED}") or find_container(client, name)
    if container is None:
        return
    found = read_files(container)
    if not runs_with(container.labels.get(LABEL_CONFIG), read_fingerprints(service, found)):
        return
    labels = {LABEL_STACK: stack, LABEL_SERVICE: service["name"], LABEL_REPLACED: service["name"]}
    copy = files_copy(service["config_volume"])
    client.volumes.create(copy, labels=labels)
    files = {path: (mode, content) for path, mode, _, content in found}
    write_volume(client, str(container.attrs["Image"]), copy, service["image"]["user"], files, labels)


def _read_volume(client: DockerClient, image: str, volume: str, stack: str) -> dict[str, tuple[int, bytes]]:
    spec = ContainerSpec(
        image=image,
        entrypoint=[],
        command=["true"],
        labels={LABEL_STACK: stack, LABEL_REPLACED: volume},
        volumes={"/volume": f"{volume}:rw"},
    )
    helper = create(client, spec)
    try:
        return {path: (mode, content) for path, mode, _, content in read_files(helper, "/volume")}
    finally:
        helper.remove(v=True, force=True)


def _config_volume(spec: ContainerSpec) -> str:
    return (spec.volumes or {})[CONFIG_PATH].partition(":")[0]


def stop_timeout(spec: ContainerSpec) -> int:
    """Return the seconds that a container gets to stop: Docker's own, where it states none."""
    return spec.stop_timeout or 10


class Replacing:
    """The containers of one run that are replaced and may come back.

    Args:
        client: a connected client.
        stack: the stack's name.
        specs: service -> its container.
        kept: the services whose container may come back.
    """

    def __init__(
        self,
        client: DockerClient,
        stack: str,
        specs: Mapping[str, ContainerSpec],
        kept: Collection[str],
    ) -> None:
        self.client, self.stack, self.specs, self.kept = client, stack, specs, kept

    def _old(self, name: str) -> Container | None:
        return find_container(self.client, f"{self.specs[name].name}{REPLACED}")

    def _copy(self, name: str) -> Volume | None:
        """Return the volume with the files of before; there is none where no files were written."""
        from docker.errors import NotFound  # connect() has checked for it

        try:
            return self.client.volumes.get(files_copy(_config_volume(self.specs[name])))
        except NotFound:
            return None

    def clear(self) -> tuple[list[str], list[str]]:
        """Deal with what a killed run has left; return who got its name back, and what was done.

        One that was being replaced has its name again where the new one is not there, or was never started. Beside a
        new one it stays, stopped, while it may come back, and goes otherwise.
        """
        back: list[str] = []
        lines: list[str] = []
        needed = set(self.kept)
        mine: dict[str, Any] = {"label": [f"{LABEL_STACK}={self.stack}"]}
        for container in self.client.containers.list(all=True, filters=mine, ignore_removed=True):
            name = str(container.name)
            if container.labels.get(LABEL_REPLACED):
                container.remove(v=True, force=True)
            elif name.endswith(REPLACED) and LABEL_SERVICE in container.labels:
                main = name.removesuffix(REPLACED)
                new = find_container(self.client, main)
                kept = container.labels[LABEL_SERVICE] in self.kept and not _is_healthy(new)
                if new is not None and kept and container.status not in _ENDED:
                    stop_and_remove(new, 10)  # it can't have been started: both have the same data
                    new = None
                if new is None:
                    container.rename(main)
                    back.append(main)
                    lines.append(f"rename container {name} to {main}")
                elif not kept:
                    stop_and_remove(container, int(container.attrs["Config"].get("StopTimeout") or 10))
                    needed.discard(container.labels[LABEL_SERVICE])
                    lines.append(f"remove container {name}")
        for volume in self.client.volumes.list(filters={"label": [*mine["label"], LABEL_REPLACED]}):
            if volume.attrs["Labels"][LABEL_REPLACED] not in needed:
                volume.remove()
        return back, lines

    def replace(self, name: str) -> None:
        """Start a service's new container in place of the old one, which stays, stopped. Raises what the SDK raises.

        What Docker refuses to create does not stop the old one. Where one that a killed run was replacing is kept, what
        failed in its place goes.
        """
        spec = self.specs[name]
        old = self.client.containers.get(spec.name)
        if self._old(name) is not None:
            stop_and_remove(old, stop_timeout(spec))
            create(self.client, spec).start()
            return
        old.rename(f"{spec.name}{REPLACED}")
        new = create(self.client, spec)
        if old.status == "paused":
            old.unpause()
        old.stop(timeout=stop_timeout(spec))
        new.start()

    def put_back(self, name: str) -> None:
        """Make the container and the files of a service what they were. Raises what the SDK raises."""
        spec = self.specs[name]
        old = self._old(name)
        if old is not None and (new := find_container(self.client, spec.name)) is not None:
            stop_and_remove(new, stop_timeout(spec))
        if (copy := self._copy(name)) is not None:
            image = str((old or self.client.containers.get(spec.name)).attrs["Image"])
            files = _read_volume(self.client, image, str(copy.name), self.stack)
            labels = {LABEL_STACK: self.stack, LABEL_SERVICE: name}
            write_volume(self.client, image, _config_volume(spec), spec.user, files, labels)
            copy.remove()
        if old is not None:
            old.rename(spec.name)
            old.start()  # nothing happens to one that was never stopped

    def let_go(self, name: str) -> None:
        """Remove what could have come back. Raises what the SDK raises."""
        if (old := self._old(name)) is not None:
            stop_and_remove(old, stop_timeout(self.specs[name]))
        if (copy := self._copy(name)) is not None:
            copy.remove()

    def wait(self, names: Iterable[str], deadlines: Mapping[str, float]) -> dict[str, dict[str, Any]]:
        """Wait for containers that are back, each by the health test that it came with; return Readiness as dicts."""
        services = {}
        for name in names:
            container = self.client.containers.get(self.specs[name].name)
            check = container.attrs["Config"]["Healthcheck"]
            health = {"test": check["Test"], "timeout": check["Timeout"] / _NANO, "deadline": deadlines[name]}
            services[name] = {"container": container.name, "health": health}
        return wait_for_all(services)

    def finish(self, waited: Mapping[str, Mapping[str, Any]], deadlines: Mapping[str, float]) -> dict[str, Any]:
        """Let go of what was replaced by something healthy, and bring back the rest where that is right.

        Returns service -> {back: bool, healthy: bool, left: "" | "accounts" | "recovers"} of those that are not
        healthy. Raises what the SDK raises.

        Args:
            waited: service -> how the wait for its new container ended.
            deadlines: service -> seconds that its old one may take to be healthy again.
        """
        found: dict[str, Any] = {}
        for name in self.kept:
            outcome = waited[name]
            left = "" if outcome["healthy"] else stays(outcome)
            if outcome["healthy"] or left:
                self.let_go(name)
            else:
                self.put_back(name)
            if not outcome["healthy"]:
                found[name] = {"back": not left, "healthy": False, "left": left}
        for name, again in self.wait([name for name in found if found[name]["back"]], deadlines).items():
            found[name]["healthy"] = again["healthy"]
        return found
