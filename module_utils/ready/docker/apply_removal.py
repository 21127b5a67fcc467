# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remove from Docker, and from the host's disk, what `destroy` has shown. Runs where Docker is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.concurrency import run_all
from ..common.labels import LABEL_SERVICE, LABEL_STACK
from ..host import restore_journal, upgrade_journal
from ..host.installed import stack_path
from ..stack.resolved import stop_order
from .state import TIMEOUT, find_container, not_found, reason, sdk_errors, stop_and_remove

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.networks import Network

#: Seconds that a service has to end by itself.
STOP_TIMEOUT = 120
#: What role `backup` sets up timers for.
TIMERS = ("backup", "drill", "wal")


def failures() -> tuple[type[Exception], ...]:
    """Return what a removal may raise that is reported and does not keep the others."""
    return (subprocess.SubprocessError, *sdk_errors())


@dataclass
class Removed:
    """What is gone, or would be in check mode, and what could not be removed: a line each."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Removal:
    """One run of `destroy` on a host: what is not there is no fault, and one fault does not keep the rest."""

    def __init__(
        self, host: str, stack: str, *, dry_run: bool, sidecars: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.host, self.stack, self.dry_run, self.sidecars = host, stack, dry_run, sidecars or {}
        self.removed = Removed()

    def _fault(self, what: str, found: str) -> None:
        self.removed.faults.append(
            f"{self.host}: {what} was not removed: found {found}; expected it to be gone. "
            "Next: remove the cause, then ./ready destroy again"
        )

    def _remove(self, what: str, work: Callable[[], object]) -> None:
        try:
            if not self.dry_run:
                work()
        except not_found():
            return  # somebody else was quicker
        except failures() as error:
            self._fault(what, reason(error))
            return
        self.removed.lines.append(f"remove {what}")

    def _ours(self, labels: Mapping[str, str] | None) -> bool:
        return (labels or {}).get(LABEL_STACK) == self.stack

    # ---------------------------------------------------------------- Docker
    def from_docker(
        self, client: DockerClient, containers: Sequence[str], networks: Sequence[str], volumes: Sequence[str]
    ) -> None:
        """Remove containers, all of a rank at once, then networks and volumes; each is looked at again before.

        What uses a volume or a network that could not be removed keeps it.
        """
        found = [container for name in containers if (container := find_container(client, name))]
        found = [container for container in found if self._ours(container.labels)]
        ranks: dict[int, list[Container]] = {}
        for container in found:
            its = self.sidecars.get(str(container.labels.get(LABEL_SERVICE)), {})
            ranks.setdefault(stop_order(its), []).append(container)
        left = [container for rank in sorted(ranks) for container in self._containers(ranks[rank])]
        names = ", ".join(str(container.name) for container in left)
        for name in networks:
            for network in client.networks.list(names=[name]):
                if network.name != name or not self._ours(network.attrs.get("Labels")):
                    continue
                if left:
                    self._fault(f"network {name}", f"{names} still there")
                else:
                    self._remove(f"network {name}", partial(_disconnect_and_remove, network))
        used = {mount.get("Name") for container in left for mount in container.attrs.get("Mounts") or []}
        for name in volumes:
            try:
                volume = client.volumes.get(name)
            except not_found():
                continue
            if name in used:
                self._fault(f"volume {name}", f"{names} still there")
            elif self._ours(volume.attrs.get("Labels")):
                self._remove(f"volume {name}", volume.remove)

    def _containers(self, containers: Sequence[Container]) -> list[Container]:
        """Stop and remove containers at the same time; return those that are left."""
        calls = {str(each.name): partial(_stop_and_remove, each) for each in containers if not self.dry_run}
        reasons, late = run_all(calls, STOP_TIMEOUT + 2 * TIMEOUT)
        left = []
        for container in containers:
            if found := (reasons | late).get(str(container.name)):
                self._fault(f"container {container.name}", found)
                left.append(container)
            else:
                self.removed.lines.append(f"remove container {container.name}")
        return left

    # ---------------------------------------------------------------- the host's disk
    def from_disk(self, paths: Iterable[Path], etc: Path = Path("/etc"), run: Path = Path("/run")) -> None:
        """Remove timers, then files and directories of this stack."""
        for kind in TIMERS:
            name = f"ready-{kind}-{self.stack}"
            unit = etc / "systemd" / "system" / f"{name}.timer"
            if unit.exists() and (run / "systemd" / "system").exists():
                self._remove(f"timer {name}", partial(_remove_timer, unit))
            jobs, job = etc / "cron.d" / name, f"ready {kind} {self.stack}"
            if jobs.exists() and _without_job(text := jobs.read_text(encoding="utf-8"), job) != text:
                self._remove(f"cron's {name}", partial(_remove_job, jobs, job))
        self.paths(paths)

    def paths(self, paths: Iterable[Path]) -> None:
        """Remove files and directories."""
        for path in paths:
            if path.exists():
                self._remove(str(path), partial(_remove_path, path))

    def journal(self, directory: Path = upgrade_journal.DIRECTORY) -> None:
        """Forget an upgrade that was interrupted, whose data are gone."""
        path = upgrade_journal.path_of(self.stack, directory)
        if path.exists():
            self._remove(str(path), partial(_forget, self.stack, directory))


def _stop_and_remove(container: Container) -> str:
    """Return why a container could not be removed; nothing when it is gone. Its volumes stay."""
    try:
        stop_and_remove(container, STOP_TIMEOUT)
    except not_found():
        pass
    except failures() as error:
        return reason(error)
    return ""


def _disconnect_and_remove(network: Network) -> None:
    network.reload()
    for endpoint in network.attrs.get("Containers") or {}:
        network.disconnect(endpoint, force=True)
    network.remove()


def _remove_timer(unit: Path) -> None:
    def systemctl(*words: str) -> None:
        subprocess.run(["systemctl", *words], check=True, capture_output=True, text=True, timeout=TIMEOUT)  # noqa: S603, S607

    systemctl("disable", "--now", unit.name)
    unit.with_suffix(".service").unlink(missing_ok=True)
    unit.unlink()  # last: by it the next run sees that this one has not come to its end
    systemctl("daemon-reload")


def _without_job(text: str, job: str) -> str:
    """Return cron's file without our job, which is a line by which Ansible knows it, and the next."""
    lines = text.splitlines(keepends=True)
    marks = [number for number, line in enumerate(lines) if line.rstrip() == f"#Ansible: {job}"]
    return "".join(line for number, line in enumerate(lines) if number not in marks and number - 1 not in marks)


def _remove_job(path: Path, job: str) -> None:
    """Remove our job from cron's file, and the file when nothing else is in it."""
    if rest := _without_job(path.read_text(encoding="utf-8"), job).strip():
        path.write_text(f"{rest}\n", encoding="utf-8")
    else:
        path.unlink()


def _remove_path(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _forget(stack: str, directory: Path) -> None:
    with upgrade_journal.held(stack, directory):
        upgrade_journal.forget(stack, directory)


def places(stack: str, description: Path) -> list[Path]:
    """Return what of a stack is on the host's disk: settings and runner of its backups, and its description."""
    return [Path("/etc/ready/backup") / stack, Path("/opt/ready/backup") / f"{stack}.pyz", description]


def remove_stack(
    connect: Callable[[], DockerClient],
    stack: Mapping[str, Any],
    wanted: Mapping[str, Sequence[str]],
    host: str,
    *,
    data: bool,
    dry_run: bool,
) -> Removed:
    """Remove what `destroy` has shown, and what the host keeps of the stack beside Docker. Raises EngineError.

    Args:
        connect: returns a client; it is not asked for one when nothing is to be removed from Docker.
        stack: the resolved stack.
        wanted: names of `containers`, `networks` and `volumes`.
        host: what messages call this host.
        data: whether the data go, too, and with them the journal of an upgrade that was interrupted, and what backups
            have on the host beside their settings.
        dry_run: whether to say only what would be removed.
    """
    removal = Removal(host, stack["name"], dry_run=dry_run, sidecars=stack.get("sidecars"))
    if any(wanted.values()):
        removal.from_docker(connect(), wanted["containers"], wanted["networks"], wanted["volumes"])
    removal.from_disk(places(stack["name"], stack_path(stack["name"])))
    if data and not removal.removed.faults:  # what is left of the data may need both journals
        removal.journal()
        removal.paths([restore_journal.WORK / stack["name"]])
    return removal.removed
