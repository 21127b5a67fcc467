# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wait for all services until each one's health test passes, under one deadline.

Docker's own health status comes after one full interval at the earliest, so it is not what is waited for; a published
port accepts connections with nothing behind it (docker-proxy), so that is no sign either.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from . import execute
from .state import connect

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Seconds between two questions; a cheap health test costs 5 to 25 ms of CPU.
PAUSE = 0.25
LOG_LINES = 15
#: Restarts by Docker's policy after which a container counts as failed.
MAX_RESTARTS = 3
#: What Docker answers to a question to a container that does not run, and the exit code that stands for it here.
_CONFLICT, _ENDED = 409, -2
#: Stands for the exit code of a question whose answer was lost.
_UNANSWERED = -1
#: What the stores say when the data hold another password than the one we were given.
WRONG_PASSWORD = re.compile(
    r"password authentication failed|Neo\.ClientError\.Security\.Unauthorized|WRONGPASS|NOAUTH", re.IGNORECASE
)
#: What a file that sets accounts says before it changes anything (roles/postgresql/templates/accounts.sql.j2).
REFUSED = re.compile(r"ERROR: +refused: (.*)")


#: Docker's word for a container, or what a health test makes of a running one; schemas/evidence/health.schema.json has
#: the same list for everybody else.
State = Literal[
    "healthy",
    "starting",
    "unhealthy",
    "absent",
    "exited",
    "created",
    "running",
    "paused",
    "restarting",
    "removing",
    "dead",
]


@dataclass
class Readiness:
    """How the wait for one service ended."""

    service: str
    healthy: bool = False
    state: State = "absent"
    seconds: float = 0.0  #: from the start of the wait
    detail: str = ""  #: the health test's last words, when red
    reconciled: bool = False  #: accounts were set in this run
    wrong_password: bool = False
    refused: bool = False  #: Docker did not start it, or it refuses what it was given; `detail` says why
    restarts: int = 0  #: by Docker's policy, since somebody started it
    oom_killed: bool = False  #: the kernel has killed a process of it
    logs: list[str] = field(default_factory=list)  #: last lines of the container, when red


def exec_command(test: Sequence[str]) -> list[str]:
    """Return a health test ([CMD, …] or [CMD-SHELL, text]) as an argument list for exec."""
    return ["sh", "-c", test[1]] if test[0] == "CMD-SHELL" else list(test[1:])


def _run(container: Container, command: list[str]) -> tuple[int, str]:
    from docker.errors import APIError  # connect() has checked for it

    try:
        done = execute.run(container, command)
    except APIError as error:
        if error.status_code != _CONFLICT:
            raise
        return _ENDED, "the container ended before it could be asked"
    except ConnectionError as error:
        return _UNANSWERED, str(error)
    return done.exit_code, done.output.decode(errors="replace").strip()


def _wait_for(
    name: str, service: Mapping[str, Any], reconcile: bool, started: float, deadline: float, clock: Callable[[], float]
) -> Readiness:
    client = connect(timeout=max(5, int(service["health"]["timeout"]) + 25))
    outcome = Readiness(name)
    try:
        container = client.containers.get(service["container"])
        pending = bool(service.get("reconcile"))
        while True:
            container.reload()
            # Restarted again and again by its policy: it will not come up by being waited for.
            outcome.restarts = container.attrs["RestartCount"]
            outcome.oom_killed = outcome.oom_killed or bool(container.attrs["State"].get("OOMKilled"))
            looping = outcome.restarts >= MAX_RESTARTS
            if container.status != "running":
                outcome.state = "exited" if container.status in {"exited", "dead"} else cast("State", container.status)
                state = container.attrs["State"]
                cause = "killed for lack of memory" if state.get("OOMKilled") else f"exit code {state.get('ExitCode')}"
                outcome.detail = f"the container is {container.status} ({cause})"
                if looping or container.status in {"exited", "dead", "created", "paused"}:
                    break
            else:
                outcome.state = "starting"
                code, about = 1, ""
                if not (pending and reconcile):
                    code, outcome.detail = _run(container, exec_command(service["health"]["test"]))
                    about = outcome.detail
                if code != 0 and pending:
                    code, text = _run(container, list(service["reconcile"]))
                    outcome.detail, about = text or outcome.detail, text
                    if code == 0:
                        pending, outcome.reconciled = False, True
                        continue
                    if refused := REFUSED.search(text):
                        outcome.refused, outcome.detail = True, refused[1]
                        break
                if code == 0:
                    outcome.healthy, outcome.state, outcome.detail = True, "healthy", ""
                    break
                if code == _ENDED and looping:
                    outcome.state = "restarting"
                    break
                # Where accounts are set, only whoever sets them knows what password the data hold: the health test asks
                # as another account, which may be just about to be made.
                judges = pending or not service.get("reconcile")
                outcome.wrong_password = judges and bool(WRONG_PASSWORD.search(about))
            if clock() >= deadline or outcome.wrong_password:
                break
            time.sleep(PAUSE)
        if not outcome.healthy:
            outcome.state = "unhealthy" if outcome.state == "starting" else outcome.state
            lines = container.logs(tail=LOG_LINES).decode(errors="replace").splitlines()
            outcome.logs = lines[-LOG_LINES:]
    except Exception as error:
        outcome.detail = f"{type(error).__name__}: {error}"
    finally:
        outcome.seconds = round(clock() - started, 2)
        client.close()
    return outcome


def wait_for_all(
    services: Mapping[str, Mapping[str, Any]],
    reconcile: Sequence[str] = (),
    deadline: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, dict[str, Any]]:
    """Wait for every service at the same time and return service -> Readiness as a dict.

    Args:
        services: resolved services by name; `container`, `health` and `reconcile` are read.
        reconcile: names whose accounts must be set before the first health test (their container is new).
        deadline: seconds for all of them together; by default the longest `health.deadline` among them.
        clock: a monotonic clock in seconds.
    """
    if not services:
        return {}
    started = clock()
    limit = started + (deadline or max(float(item["health"]["deadline"]) for item in services.values()))
    with ThreadPoolExecutor(max_workers=len(services)) as pool:
        waits = [
            pool.submit(_wait_for, name, service, name in reconcile, started, limit, clock)
            for name, service in services.items()
        ]
        return {outcome.service: asdict(outcome) for outcome in (wait.result() for wait in waits)}
