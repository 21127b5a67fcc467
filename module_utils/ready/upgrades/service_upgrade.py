# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Move a service's data to another engine, and back. Runs where Docker is; every step is in the journal first.

The old data are copied aside before anything touches them; the new engine opens the moved data in a trial container
that no client reaches; only when it holds what the old one held does the service's own container start on them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..backups.manifest import BackupError
from ..backups.postgresql import closed_databases, databases, lost_databases, schema_proof, schema_proof_report
from ..common.labels import (
    LABEL_DATA_FORMAT,
    LABEL_ENGINE,
    LABEL_SOURCE,
    LABEL_STACK,
    LABEL_UPGRADE,
)
from ..docker.create import create
from ..docker.kept_volumes import upgrade_copy_labels, upgrade_copy_name
from ..docker.spec import ContainerSpec
from ..docker.state import EngineError
from ..docker.wait import wait_for_all
from ..host import upgrade_journal
from ..stack.resolved import CONFIG_PATH, copy_volumes, data_volumes
from . import fingerprint, postgresql_transfer

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

COPYING, KEPT, READY, RESTORED = "copying", "kept", "ready", "restored"


def new_labels(labels: Mapping[str, str], image: Mapping[str, Any]) -> dict[str, str]:
    """Return a data volume's labels for data that an image has made."""
    return {
        **labels,
        LABEL_SOURCE: str(image["source"]),
        LABEL_DATA_FORMAT: str(image["data_format"]),
        LABEL_ENGINE: str(image["engine_version"]),
    }


class ServiceUpgrade:
    """One move of one service.

    Args:
        client: a connected client whose timeout fits a long copy.
        stack: the resolved stack.
        move: what `plan.steps` returned for the service.
        deadline: seconds that the new engine may take to open or migrate the data.
    """

    def __init__(
        self, client: DockerClient, stack: Mapping[str, Any], move: Mapping[str, Any], deadline: float
    ) -> None:
        self.client, self.stack, self.move, self.deadline = client, stack, move, deadline
        self.service: Mapping[str, Any] = stack["services"][move["service"]]
        self.labels = {LABEL_STACK: stack["name"], LABEL_UPGRADE: move["service"]}

    # ------------------------------------------------------------ forth
    def check(self, lose: Collection[str]) -> list[str]:
        """Return what could not be looked at, a line each.

        Raises BackupError when the move would lose a database or can't succeed, EngineError when that can't be asked.

        Args:
            lose: names of databases that may be lost.
        """
        if self.move["how"] == "dump_restore":
            self._running()
            lost_databases.refuse_loss(self.client, self.stack, [self.service["name"]], lose)
            return self._refuse_broken()
        return []

    def _refuse_broken(self) -> list[str]:
        """Raise BackupError when the new engine would refuse what the old one holds, as a restore would.

        Returns what of it nothing is known: it may fail while the data move, which then go back.
        """
        container, login = self._running(), self.service["accounts"]["admin"]["login"]
        found = closed_databases.read_databases(container, login)
        live = schema_proof.evaluate(container, databases.readable(found), databases.names_of_closed(found))
        if live.faults:
            raise BackupError(f"nothing was changed: {schema_proof_report.fault_line(live.faults)}")
        return live.unproven

    def prepare(self, lose: Collection[str] = ()) -> dict[str, Any]:
        """Copy the old data aside, move them, and try them; return the figures. Raises EngineError or BackupError.

        After an exception the journal says what `rollback` has to undo.
        """
        entry = upgrade_journal.read(self.stack["name"])
        if entry and entry["phase"] == READY:
            return dict(entry["figures"])
        started = time.monotonic()
        container = self._running()
        closed_databases.heal(self.client, self.stack)
        self.check(lose)
        volumes = {item["name"]: self._volume_labels(item["name"]) for item in data_volumes(self.service)}
        for name in volumes:
            self._refuse_taken(upgrade_copy_name(name, self.move["wanted"]))
        entry = {"service": self.service["name"], "move": dict(self.move), "volumes": volumes, "phase": COPYING}
        upgrade_journal.write(self.stack["name"], entry)
        before = self._fenced_fingerprint(container)
        container.stop(timeout=self.service["stop_timeout"])
        for name, labels in volumes.items():
            kept = upgrade_copy_name(name, self.move["wanted"])
            self.client.volumes.create(kept, labels=upgrade_copy_labels(labels, self.service["name"], name))
            self._copy(name, kept)
        upgrade_journal.write(self.stack["name"], entry | {"phase": KEPT})
        copied = time.monotonic()
        container.remove(v=True)
        for name, labels in volumes.items():
            self._recreate_volume(name, new_labels(labels, self.move["after"]))
        if self.move["how"] == "dump_restore":
            before, after = self._transfer()
        else:
            for name in volumes:
                self._copy(upgrade_copy_name(name, self.move["wanted"]), name)
            after = self._trial()
        if lines := fingerprint.differing(before, after):
            raise EngineError(f"the data are not the same after the move: {'; '.join(lines[:5])}")
        figures = {
            "contents": after,
            "copy_seconds": round(copied - started, 2),
            "move_seconds": round(time.monotonic() - copied, 2),
        }
        upgrade_journal.write(self.stack["name"], entry | {"phase": READY, "figures": figures})
        return figures

    def _fenced_fingerprint(self, container: Container) -> dict[str, Any]:
        """Return what the old engine holds once no client reaches it any more."""
        for name in container.attrs["NetworkSettings"]["Networks"]:
            self.client.networks.get(name).disconnect(container)
        if self.move["how"] == "dump_restore":
            return {}  # counted during the move, in the same way on both sides
        return fingerprint.read(container, self.service)

    def _trial(self) -> dict[str, Any]:
        with self.scratch("trial", self.move["after"]["id"]) as container:
            self._await(container)
            found = fingerprint.read(container, self.service)
            container.stop(timeout=self.service["stop_timeout"])
        return found

    def _transfer(self) -> tuple[dict[str, Any], dict[str, Any]]:
        data = self.service["volumes"][0]
        kept = upgrade_copy_name(data["name"], self.move["wanted"])
        sockets = f"{self.stack['name']}_upgrade_sockets"
        self.client.volumes.create(sockets, labels=self.labels)
        command = list(self.service["command"])
        with (
            self.scratch(
                "before",
                self.move["before"]["id"],
                data={kept: data["path"]},
                sockets=sockets,
                command=[*command, "-c", "listen_addresses="],
            ) as old,
            self.scratch(
                "trial",
                self.move["after"]["id"],
                sockets=sockets,
                command=[*command, "-c", "listen_addresses=127.0.0.1"],
                env=postgresql_transfer.NEW_ENVIRONMENT,
            ) as new,
        ):
            until = time.monotonic() + self.deadline
            record = closed_databases.OpenedRecord.of(self.stack["name"])
            result = postgresql_transfer.transfer(old, new, self.service["accounts"]["admin"]["login"], until, record)
            for container in (new, old):
                container.stop(timeout=self.service["stop_timeout"])
        self.client.volumes.get(sockets).remove()
        return result

    def _await(self, container: Container) -> None:
        """Wait for the service's own health test in a trial container. Raises EngineError."""
        trial = {**self.service, "container": container.name, "reconcile": None}
        outcome = wait_for_all({self.service["name"]: trial}, deadline=self.deadline)[self.service["name"]]
        if not outcome["healthy"]:
            last = "".join(f"\n    {line}" for line in outcome["logs"][-8:])
            raise EngineError(
                f"the image {self.move['after']['ref']} is {outcome['state']} after {outcome['seconds']:.0f} s with "
                f"the moved data, expected healthy; it says: {outcome['detail'] or 'nothing'}{last}"
            )

    # ------------------------------------------------------------ back, and the end
    def rollback(self, entry: Mapping[str, Any]) -> None:
        """Make the volumes what they were, from the copies. May be run again after it was killed."""
        self._remove_scratch()
        if entry["phase"] in {KEPT, READY}:
            container = self._container(self.service["container"])
            if container is not None and container.labels.get(LABEL_STACK) == self.stack["name"]:
                container.stop(timeout=self.service["stop_timeout"])
                container.remove(v=True)
            for name, labels in entry["volumes"].items():
                self._recreate_volume(name, labels)
                self._copy(upgrade_copy_name(name, self.move["wanted"]), name)
        upgrade_journal.write(self.stack["name"], {**entry, "phase": RESTORED})

    def finish(self, entry: Mapping[str, Any]) -> list[str]:
        """End the upgrade, good or rolled back; return the copies that stay: those that the matrix wants kept."""
        self._remove_scratch()
        closed_databases.heal(self.client, self.stack)
        names = [upgrade_copy_name(name, self.move["wanted"]) for name in entry["volumes"]]
        stay = entry["phase"] == READY and self.move["rollback"] == "copy"
        for name in [] if stay else names:
            self._remove_volume(name)
        upgrade_journal.forget(self.stack["name"])
        return names if stay else []

    # ------------------------------------------------------------ pieces
    @contextmanager
    def scratch(
        self,
        role: str,
        image: str,
        *,
        data: Mapping[str, str] | None = None,
        sockets: str = "",
        command: list[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Iterator[Container]:
        """Start the service's container under another name, without network, port and restart; remove it at the end.

        Args:
            role: what it is for, the end of its name.
            image: id of the image.
            data: volume -> path in place of the service's own data volumes.
            sockets: volume for PostgreSQL's sockets, in place of the temporary file system there.
            command: in place of the service's own.
            env: beside the service's own.
        """
        if data is None:
            data = {item["name"]: item["path"] for item in data_volumes(self.service)}
        beside = {sockets: postgresql_transfer.SOCKETS} if sockets else {}
        volumes = {path: f"{name}:rw" for name, path in [*data.items(), *beside.items()]}
        volumes |= {item["path"]: f"{item['name']}:ro" for item in copy_volumes(self.service)}
        volumes[CONFIG_PATH] = f"{self.service['config_volume']}:ro"
        spec = ContainerSpec.from_service(self.service, self.stack["name"], self.stack["network"], image)
        spec = replace(
            spec,
            name=f"{self.service['container']}-{role}",
            command=command or spec.command,
            env={**(spec.env or {}), **(env or {})},
            ports=None,
            volumes=volumes,
            tmpfs={path: flags for path, flags in (spec.tmpfs or {}).items() if path not in beside.values()},
            stop_timeout=None,
            restart=None,
            log=None,
            networks=[],
            aliases=None,
            hostname="localhost",  # without network nothing else resolves, and Neo4j asks
            health=None,
            labels=self.labels,
        )
        container = create(self.client, spec)
        try:
            container.start()
            yield container
        finally:
            container.remove(v=True, force=True)

    def _copy(self, source: str, target: str) -> None:
        """Make one volume hold what another does, owners and modes included. Raises BackupError."""
        from ..backups.helper_containers import create_copier, run_helper  # brings the Docker SDK along

        copier = create_copier(self.client, self.move["before"]["id"], source, target, self.stack["name"], self.labels)
        run_helper(copier, f"copying the volume {source} to {target}")

    def _container(self, name: str) -> Container | None:
        return next(iter(self.client.containers.list(all=True, filters={"name": f"^/{name}$"})), None)

    def _running(self) -> Container:
        container = self._container(self.service["container"])
        if container is None or container.status != "running":
            raise EngineError(f"{self.service['container']} does not run. Next: ./ready up, then again")
        return container

    def _volume_labels(self, name: str) -> dict[str, str]:
        return dict(self.client.volumes.get(name).attrs.get("Labels") or {})

    def _names(self) -> set[str]:
        return {str(volume.name) for volume in self.client.volumes.list()}

    def _refuse_taken(self, name: str) -> None:
        if name in self._names():
            raise EngineError(
                f"the volume {name} is there, kept by an earlier upgrade: it holds the data from before. Next: "
                "when nothing of them is wanted, ./ready prune --kept shows and removes such copies; then again"
            )

    def _remove_volume(self, name: str) -> None:
        if name in self._names():
            volume = self.client.volumes.get(name)
            if (volume.attrs.get("Labels") or {}).get(LABEL_STACK) != self.stack["name"]:
                raise EngineError(f"the volume {name} is not of the stack {self.stack['name']}: left untouched")
            volume.remove()

    def _recreate_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a volume empty, with these labels: Docker can't change the labels of one that is there."""
        self._remove_volume(name)
        self.client.volumes.create(name, labels=dict(labels))

    def _remove_scratch(self) -> None:
        filters: dict[str, str | list[str] | bool] = {"label": [f"{key}={value}" for key, value in self.labels.items()]}
        for container in self.client.containers.list(all=True, filters=filters):
            container.remove(v=True, force=True)
        for volume in self.client.volumes.list(filters={**filters}):
            volume.remove()
