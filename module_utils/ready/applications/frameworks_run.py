# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run of what shows the frameworks working: its database, its container, what is left of it. Runs where Docker is.

The run writes under its own names alone, and removes them before and after, also when it failed or was ended.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..common.output_excerpt import excerpt
from ..docker import jobs
from ..docker.state import EngineError
from ..host.run_lock import Watch
from ..secrets.redaction import redacted
from .frameworks import PREFIX
from .job_settings import BELOW, JobSettings, job_settings, with_database
from .scratch_database import DatabaseError, ScratchDatabase

if TYPE_CHECKING:
    from docker import DockerClient

#: Who runs in the container, and where the application lies in it.
USER, APPLICATION = "10003:10003", "/app"
#: Seconds for removing alone, after a run that did not come to it, and of a run that cleans before and after.
CLEANING = 60.0
_RESULTS = "results.json"


@dataclass
class Run:
    """One run.

    Attributes:
        client: a connected client.
        stack: the resolved stack.
        image: id of the image `kailash`.
        application: the example application as a tar.
        parts: what to look at.
        seconds: how long the parts may take together.
        tokens: how many an external AI endpoint may use.
        external: keys and certificates of services elsewhere, packed.
        seed: of what is drawn at random.
    """

    client: DockerClient
    stack: Mapping[str, Any]
    image: str
    application: bytes
    parts: Sequence[str]
    seconds: float
    tokens: int
    external: str = ""
    seed: int = field(default_factory=lambda: secrets.randbelow(2**31))

    def __call__(self) -> dict[str, Any]:
        """Return {found, run, database, out_of_reach}, as library/frameworks.py documents it.

        Raises scratchdatabase.ForeignDatabaseError before anything is changed, engine.EngineError when no container can
        be run, NetworkSettingsError.
        """
        its, watch = job_settings(self.client, self.stack, self.external), Watch(self.stack["name"])
        database = ScratchDatabase(self.client, self.stack, PREFIX)
        made = {"left": False, "made": False, "fault": ""}
        try:
            made["left"], made["made"] = database.make(), True
        except DatabaseError as error:  # then what needs it fails, and nothing else
            made["fault"] = redacted(error)
        try:
            outcome = self._whole(its, watch)
            found = _read(outcome)
            _refuse(watch)
            if "removed" not in found.get("cleanup", {}):
                again = _read(self._job("clean", its, CLEANING)).get("cleanup", {})
                found["cleanup"] = again or found.get("cleanup", {})
        finally:
            dropped = self._drop(database, watch)
        return {
            "found": _without_secrets({name: its for name, its in found.items() if its}),
            "run": _said(outcome),
            "database": made | dropped,
            "out_of_reach": its.out_of_reach,
        }

    def _whole(self, its: JobSettings, watch: Watch) -> jobs.Outcome:
        """Return how the run ended; what it wrote is removed also when its container was taken away meanwhile."""
        try:
            return self._job("run", its, self.seconds + CLEANING)
        except EngineError:
            _refuse(watch)
            with suppress(EngineError):  # the first one says more
                self._job("clean", its, CLEANING)
            raise

    def _job(self, what: str, its: JobSettings, seconds: float) -> jobs.Outcome:
        values = with_database(its.values, PREFIX) | {"CATALOGUE_PREFIX": PREFIX, "DATAFLOW_POOL_SIZE": "5"}
        task = {
            "settings": values,
            "prefix": PREFIX,
            "word": secrets.token_hex(6),
            "seed": self.seed,
            "parts": list(self.parts),
            "seconds": seconds,
            "tokens": self.tokens,
        }
        job = jobs.Job(
            kind=jobs.FRAMEWORKS,
            image=self.image,
            command=["python3", "-m", "ready_frameworks", what],
            deadline=seconds,
            network=self.stack["network"],
            files={"job.json": (0o400, json.dumps(task).encode())},
            archives={"/": jobs.tar(its.files, "0:0", BELOW), APPLICATION: self.application},
            results=[_RESULTS],
            user=USER,
            environment={"PYTHONPATH": APPLICATION},
        )
        return jobs.run(self.client, self.stack["name"], job)

    def _drop(self, database: ScratchDatabase, watch: Watch) -> dict[str, Any]:
        try:
            _refuse(watch)
            return {"dropped": database.drop(), "stays": ""}
        except (DatabaseError, EngineError) as error:
            return {"dropped": False, "stays": redacted(error)}


def _refuse(watch: Watch) -> None:
    """End a run of which another one has taken the lock over: its database and container are the other's now."""
    if watch.lost:
        raise EngineError(
            "found the lock taken over by another run; expected it until the end. Next: wait for that one"
        )


def _read(outcome: jobs.Outcome) -> dict[str, Any]:
    """Return what a job wrote, {} when that is nothing, or no JSON."""
    try:
        found = json.loads(outcome.results.get(_RESULTS, b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _said(outcome: jobs.Outcome) -> dict[str, Any]:
    return {
        "exit_code": outcome.exit_code,
        "timed_out": outcome.timed_out,
        "oom_killed": outcome.oom_killed,
        "seconds": outcome.seconds,
        "output": redacted(excerpt(outcome.output[-4000:])),
    }


def _without_secrets(value: Any) -> Any:
    """Return a value of JSON whose texts hold no secret: the container is not trusted with that."""
    if isinstance(value, dict):
        return {str(key): _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return redacted(value) if isinstance(value, str) else value
