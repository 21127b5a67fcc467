# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Results of workflows by the id of their run: kept in Redis, so that any channel of any worker gives the same one."""

import json
from typing import Any

from catalogue.sessions import named

SECONDS = 3600


class UnknownRunError(LookupError):
    """There is no such run, or its result has expired."""


def text(value: Any) -> str:
    """Return JSON that is the same for equal values; what JSON cannot say is refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


class Runs:
    """The results of one application, by a client for Redis that decodes answers."""

    def __init__(self, client: Any, prefix: str, seconds: int = SECONDS) -> None:
        self.client = client
        self.prefix = prefix
        self.seconds = seconds

    def key(self, run: str) -> str:
        """Return the key of a run."""
        return f"{self.prefix}:run:{named('run id', run)}"

    def keep(self, run: str, workflow: str, outputs: Any) -> dict[str, str]:
        """Keep what a run gave, once: a run has one result."""
        document = {"run_id": run, "workflow": workflow, "outputs": text(outputs)}
        if not self.client.set(self.key(run), text(document), nx=True, ex=self.seconds):
            raise ValueError(f"found a result of run {run} already; expected each run to be kept once")
        return document

    def get(self, run: str) -> dict[str, str]:
        """Return what a run gave: its id, the workflow, and the outputs as JSON."""
        kept = self.client.get(self.key(run))
        if kept is None:
            raise UnknownRunError(f"found no run {run}; it never ended well, or its result has expired")
        document: dict[str, str] = json.loads(kept)
        return document
