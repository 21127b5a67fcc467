# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Base classes of a store's dump, which may stop its service, and of its load into a scratch container."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..checks.probes import PROBES
from ..docker.wait import wait_for_all
from ..secrets.redaction import without_secrets
from .helper_containers import PromptCopy
from .manifest import BackupError
from .scratch_containers import ASKING, STARTING, Scratch, ScratchService

if TYPE_CHECKING:
    from docker import DockerClient

#: What a store is made of, as its manifest part holds it: counts, checksums, names, samples.
Content = dict[str, Any]


@dataclass
class DumpOutcome:
    """What a dump was: its moment, its files, what is in it, and for how long the service stood still."""

    mark: float = 0.0  #: epoch seconds of the state that was dumped
    outage: float = 0.0  #: seconds
    files: list[str] = field(default_factory=list)
    content: Content = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)  #: what else the manifest says of it
    warnings: list[str] = field(default_factory=list)  #: what the set is without, for people
    proof: dict[str, Any] | None = None  #: whether it can be restored, as far as that was looked at


class Dump:
    """A store being dumped. Steps, in this order: prepare, fence, mark, release, write; `close` whatever happens.

    Attributes:
        needs_stop: whether `fence` stops the service.
        physical: whether the files are the engine's own, which only the same data format can read.
    """

    needs_stop: ClassVar[bool] = False
    physical: ClassVar[bool] = True

    def __init__(
        self,
        client: DockerClient,
        service: Mapping[str, Any],
        passwords: Mapping[str, str],
        ca: str | None,
        scratch: Scratch,
    ) -> None:
        self.client, self.service, self.scratch = client, service, scratch
        self.name = service["name"]
        self.container = client.containers.get(service["container"])
        self.probe = PROBES[self.name](service, passwords, ASKING, ca)
        self.passwords = passwords
        self.outcome = DumpOutcome()
        self.proved: Mapping[str, Any] = {}  #: the proof that an earlier run has made
        self.live = 0  #: the store's own count of its things, around the dump
        self.stopped_at = 0.0  #: of the monotonic clock; 0 while it runs

    def step(self, name: str, *arguments: Any) -> None:
        """Take a step; whatever it raises becomes a BackupError that names the service and no password."""
        try:
            getattr(self, name)(*arguments)
        except BackupError:
            raise
        except Exception as error:
            text = without_secrets(" ".join(str(error).split()), self.passwords.values())
            raise BackupError(f"{self.name}: {name}: {type(error).__name__}: {text[:400]}") from error

    def prepare(self) -> None:
        """Do what can be done before anything stands still."""

    def fence(self) -> None:
        """Keep writers out until `release`."""

    def mark(self) -> None:
        """Fix the state that is dumped."""
        self.outcome.mark = time.time()

    def release(self) -> None:
        """Let writers in again."""

    def write(self, directory: Path) -> None:
        """Write the dump's files and say what is in them."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of whatever is held; never raises for what is gone already."""

    @classmethod
    def things(cls, content: Content) -> int:
        """Return how many things a person would call its data: rows, nodes, vectors, keys."""
        raise NotImplementedError


class StoppedDump(Dump):
    """A store that is copied while it stands still: stop, copy within Docker, start; the dump is made of the copy."""

    needs_stop = True

    def prepare(self) -> None:
        """Make volume and helper, so that the outage is the copy alone; count."""
        self.live = self.count()
        self.copied: ScratchService = self.scratch.service(self.name)
        self.copied.configure()
        self.copier = PromptCopy(
            self.client, self.copied.image, self.service["volumes"][0]["name"], self.copied.data, self.scratch.label
        )

    def count(self) -> int:
        """Return the store's own count of its things: cheap, and independent of the dump."""
        raise NotImplementedError

    def fence(self) -> None:
        """Stop the service."""
        self.stopped_at = time.monotonic()
        self.container.stop(timeout=self.service["stop_timeout"])
        self.container.reload()
        state = self.container.attrs["State"]
        if state["ExitCode"] == 137 or state["OOMKilled"]:
            raise BackupError(
                f"{self.name}: it did not stop within {self.service['stop_timeout']} s and was killed, so its files "
                f"are not at rest. Next: ./ready logs --service {self.name}"
            )

    def release(self) -> None:
        """Copy, start, and wait until it is well again."""
        self.copier.finish(f"{self.name}: copying its data")
        self.resume()

    def resume(self) -> None:
        """Start the service and wait for it; the outage ends here."""
        if not self.stopped_at:
            return
        self.container.start()
        outcome = wait_for_all({self.name: self.service}, [], STARTING)[self.name]
        self.outcome.outage = round(time.monotonic() - self.stopped_at, 3)
        self.stopped_at = 0.0
        if not outcome["healthy"]:
            raise BackupError(
                f"{self.name}: it was stopped for the backup and did not become healthy again: {outcome['detail']}. "
                f"Next: ./ready logs --service {self.name}; ./ready up"
            )

    def close(self) -> None:
        """Start it again if something went wrong in between."""
        self.resume()


class Load:
    """A store being restored into scratch, and asked."""

    def __init__(self, scratch: ScratchService, part: Mapping[str, Any], directory: Path) -> None:
        self.scratch, self.part, self.directory = scratch, part, directory
        self.skip_broken = False  #: whether what can't be restored is left out
        self.missing: list[str] = []  #: what was left out, for people
        self.retried: list[str] = []  #: what came back at the second try alone
        self.unasked: list[str] = []  #: accounts of the inventory that `up` has not made yet

    def load(self) -> None:
        """Make the data volume of the files, and start the service on it. Raises BackupError."""
        raise NotImplementedError

    def promised(self) -> Content:
        """Return what the manifest says is there."""
        content: Content = self.part["content"]
        return content

    def integrity(self) -> list[str]:
        """Let the engine's own tools look for damage; return the names of what was asked. Raises BackupError."""
        return []

    def fingerprint(self) -> Content:
        """Return what is there, in the form in which the dump reports it."""
        raise NotImplementedError

    def logins(self) -> int:
        """Log in with every account and return how many there are. Raises the driver's error."""
        raise NotImplementedError

    def settle(self) -> None:
        """Leave the data volume as the service's own container wants to find it, and stop."""
        self.scratch.stop()
