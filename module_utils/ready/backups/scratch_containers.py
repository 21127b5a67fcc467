# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start a service in a scratch container on its own volumes, network and ports. Nothing of the stack is touched.

Their label is <stack>.<purpose>: no stack's name has a dot, so they never are another stack's.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..checks.probe import Probe
from ..checks.probes import PROBES
from ..common.labels import LABEL_SERVICE, LABEL_STACK
from ..docker.create import create
from ..docker.spec import ContainerSpec
from ..docker.state import read_files, write_volume
from ..docker.wait import wait_for_all
from ..stack.resolved import CONFIG_PATH
from .helper_containers import remove_all
from .manifest import BackupError
from .service_states import STARTING as STARTING

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: Where dumps are handed over; a volume of the scratch containers alone.
TRANSFER = "/transfer"
#: Seconds that one question about data may take.
ASKING = 1800.0


class WrongPasswordError(BackupError):
    """The data are of another inventory, or of before a rotation."""


class Scratch:
    """The scratch side of a stack, for one purpose; a context that leaves nothing behind."""

    def __init__(self, client: DockerClient, stack: Mapping[str, Any], purpose: str) -> None:
        self.client, self.stack = client, stack
        self.label = f"{stack['name']}.{purpose}"

    def __enter__(self) -> Scratch:
        """Remove what an interrupted run left, and make the network."""
        remove_all(self.client, self.label)
        self.client.networks.create(self.label, labels={LABEL_STACK: self.label})
        return self

    def __exit__(self, *_: object) -> None:
        """Remove everything."""
        remove_all(self.client, self.label)

    def volume(self, name: str) -> str:
        """Make a volume and return its name."""
        volume = f"{self.label}_{name}"
        self.client.volumes.create(volume, labels={LABEL_STACK: self.label})
        return volume

    def service(self, name: str) -> ScratchService:
        """Return a service's scratch side."""
        return ScratchService(self, name)


class ScratchService:
    """One service in scratch: its volumes, and at most one container at a time.

    Attributes:
        service: the resolved service with the scratch container's name and, once it runs, its ports.
        data: name of the volume that stands for the service's data volume.
        image: id of the image that it runs from.
    """

    def __init__(self, scratch: Scratch, name: str) -> None:
        self.scratch, self.client, self.name = scratch, scratch.client, name
        live = scratch.stack["services"][name]
        self.service: dict[str, Any] = copy.deepcopy(dict(live))
        self.service["container"] = f"{scratch.label}-{name}"
        for volume in self.service["volumes"]:
            volume["name"] = scratch.volume(volume["name"])
        self.data = self.service["volumes"][0]["name"]
        self.transfer = scratch.volume(f"{name}_transfer")
        running = self.client.containers.get(live["container"])
        self.image = str(running.attrs["Image"])
        self.files = {path: (mode, content) for path, mode, _, content in read_files(running)}
        self.passwords = {
            account: self.files[f"secrets/{account}"][1].decode()
            for account in live["accounts"]
            if f"secrets/{account}" in self.files
        }
        self.service["config_volume"] = f"{scratch.label}_{name}_config"
        self.container: Container | None = None

    def configure(self, extra: Mapping[str, bytes] | None = None) -> None:
        """Fill the config volume with the running service's files, and more."""
        files = self.files | {path: (0o400, content) for path, content in (extra or {}).items()}
        labels = {LABEL_STACK: self.scratch.label, LABEL_SERVICE: self.name}
        self.client.volumes.create(self.service["config_volume"], labels=labels)
        user = self.service["image"]["user"]
        write_volume(self.client, self.image, self.service["config_volume"], user, files, labels)

    def create(
        self,
        arguments: list[str] | None = None,
        env: Mapping[str, str] | None = None,
        mounts: Mapping[str, str] | None = None,
    ) -> Container:
        """Create the container, limited and hardened as the service's own.

        Args:
            arguments: added to the service's command.
            env: added to its environment.
            mounts: path -> volume that it may read and not write.
        """
        self.remove()
        label = self.scratch.label
        spec = ContainerSpec.from_service(self.service, label, label, self.image)
        own = {volume["path"]: volume["name"] for volume in self.service["volumes"]} | {TRANSFER: self.transfer}
        read = {CONFIG_PATH: self.service["config_volume"], **(mounts or {})}
        spec = replace(
            spec,
            command=[*(spec.command or []), *(arguments or [])],
            env={**(spec.env or {}), **(env or {})},
            ports={f"{port['container']}/tcp": "127.0.0.1:0" for port in self.service["ports"]},
            volumes={path: f"{volume}:rw" for path, volume in own.items()}
            | {path: f"{volume}:ro" for path, volume in read.items()},
            stop_timeout=None,
            restart=None,
            log=None,
            aliases=None,
            health={"test": ["NONE"]},
            labels={LABEL_STACK: label, LABEL_SERVICE: self.name},
        )
        self.container = create(self.client, spec)
        return self.container

    def start(self, *, reconcile: bool) -> None:
        """Start the container and wait until its health test is green. Raises BackupError with its last words."""
        container = self.running()
        container.start()
        container.reload()
        bound = container.attrs["NetworkSettings"]["Ports"]
        for port in self.service["ports"]:
            port.update(bind="127.0.0.1", host=int(bound[f"{port['container']}/tcp"][0]["HostPort"]))
        self.wait(reconcile=reconcile)

    def wait(self, *, reconcile: bool) -> None:
        """Wait until the health test is green; `reconcile` sets the accounts first. Raises BackupError."""
        outcome = wait_for_all({self.name: self.service}, [self.name] if reconcile else [], STARTING)[self.name]
        if outcome["wrong_password"]:
            raise WrongPasswordError(f"{self.name}: the data hold another password than this inventory's")
        if not outcome["healthy"]:
            raise BackupError(
                f"{self.name}: the scratch container did not become healthy: {outcome['detail']} {outcome['logs'][-3:]}"
            )

    def running(self) -> Container:
        """Return the container. Raises BackupError when none was created."""
        if self.container is None:
            raise BackupError(f"{self.name}: no scratch container was created")
        return self.container

    def probe(self, database: str | None = None) -> Probe:
        """Return the driver's side, with enough time for questions about all data."""
        service = {**self.service, "database": database} if database else self.service
        ca = self.files.get("tls/ca.crt")
        return PROBES[self.name](service, self.passwords, ASKING, ca[1].decode() if ca else None)

    def stop(self) -> None:
        """Stop the service cleanly, so that its data volume may become the real one."""
        container = self.running()
        container.stop(timeout=self.service["stop_timeout"])
        container.reload()
        if container.attrs["State"]["OOMKilled"]:
            raise BackupError(f"{self.name}: the scratch container was killed for lack of memory")
        self.remove()

    def remove(self) -> None:
        """Remove the container, keep the volumes."""
        if self.container is not None:
            self.container.remove(force=True, v=True)
            self.container = None
