# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which services are healthy before a run. Waits for those that are starting, and for nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..checks.status import drift
from ..common.labels import LABEL_STACK
from ..docker.state import find_container, read_state
from ..docker.wait import PAUSE, wait_for_all
from .manifest import BackupError

if TYPE_CHECKING:
    from docker import DockerClient

#: Seconds that a service which runs may take to become healthy: longer than `up` gives it, a machine may be at work.
STARTING = 600.0
#: Seconds for the first answer. Whatever has none then is asked again only while Docker calls it starting.
ANSWERING = 10.0
_WORDS = 200


@dataclass
class ServiceStates:
    """What was found.

    Attributes:
        well: services that are healthy.
        broken: service -> what was found instead.
        stopped: those of the broken ones whose container does not run.
        left_stopped: those of them that nobody starts; a run that changes nothing leaves them so.
        drifted: service -> what of its container differs from the inventory.
    """

    well: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    left_stopped: list[str] = field(default_factory=list)
    drifted: dict[str, str] = field(default_factory=dict)

    def fault(self, name: str) -> str:
        """Return what is wrong with a broken service, and in what it differs from the inventory."""
        differs = f"; it differs from the inventory in {self.drifted[name]}" if name in self.drifted else ""
        return f"{name}: found {self.broken[name]}{differs}"


def differing(stack: Mapping[str, Any], state: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return service -> what of its container differs from the inventory, for those that are not as it says.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        names: the services.
    """
    found = {name: drift(stack, name, state["services"][name]) for name in names}
    return {name: ", ".join(sorted(differs)) for name, differs in found.items() if differs}


def drift_lines(drifted: Mapping[str, str]) -> list[str]:
    """Return a line per service that differs from the inventory; see `differing`."""
    return [f"{name} differs from the inventory in {what}. Next: ./ready up" for name, what in drifted.items()]


def starting(state: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Return those of the services that Docker calls starting; `state` is what `stack_state` read."""
    services = state["services"]
    return [name for name in names if services[name].get("running") and services[name].get("health") == "starting"]


def notices(state: Mapping[str, Any], stack: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Return what people see before a run: what differs from the inventory, and what is waited for."""
    names = [name for name in names if name in state["services"]]
    shown = drift_lines(differing(stack, state, names))
    if waited := starting(state, names):
        shown.append(f"Waiting for {', '.join(waited)}, still starting: at most {STARTING / 60:.0f} minutes.")
    return shown


def read_service_states(client: DockerClient, stack: Mapping[str, Any], names: Iterable[str]) -> ServiceStates:
    """Return how services stand. Raises BackupError for a container that is another's."""
    states, running, foreign = ServiceStates(), {}, []
    names = list(names)
    state = read_state(client, stack["name"], stack["network"], stack["services"].values())
    states.drifted = differing(stack, state, names)
    for name in names:
        found = state["services"][name]
        if found["exists"] and not found["ours"]:
            foreign.append(f"{name}: {stack['services'][name]['container']} is not this stack's ({LABEL_STACK})")
        elif found["status"] != "running":
            states.broken[name] = f"its container {found['status']}, expected it to run"
            states.stopped.append(name)
            if found["status"] != "restarting":
                states.left_stopped.append(name)
        else:
            running[name] = stack["services"][name]
    if foreign:
        raise BackupError(f"nothing was changed: {'; '.join(foreign)}. Next: see whose it is; another stack_name here")
    restarts = {name: int(state["services"][name]["restarts"]) for name in running}
    for name, outcome in _health_outcomes(client, running, restarts).items():
        if outcome["healthy"]:
            states.well.append(name)
        else:
            detail = " ".join(str(outcome["detail"]).split())[:_WORDS]
            states.broken[name] = f"it {outcome['state']} ({detail}), expected it healthy"
    return states


def _health_outcomes(
    client: DockerClient, services: Mapping[str, Mapping[str, Any]], restarts: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """Return service -> how its health test ended, without waiting for one that is not starting.

    Args:
        client: a connected client.
        services: the resolved services, which run.
        restarts: how often Docker has restarted each so far; one that it restarts again is not starting, but failing.
    """
    outcomes: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + STARTING
    left = dict(services)
    while left:
        for name, outcome in wait_for_all(left, [], ANSWERING).items():
            if outcome["healthy"] or not _starting(client, left[name], restarts[name], deadline):
                outcomes[name] = outcome
                del left[name]
        if left:
            time.sleep(PAUSE)  # one that refuses a password while it starts answers at once
    return outcomes


def _starting(client: DockerClient, service: Mapping[str, Any], restarts: int, deadline: float) -> bool:
    container = find_container(client, service["container"])
    return bool(
        container
        and container.status == "running"
        and container.health == "starting"
        and container.attrs["RestartCount"] == restarts
        and time.monotonic() < deadline
    )


def refuse_down(client: DockerClient, stack: Mapping[str, Any], names: Iterable[str]) -> ServiceStates:
    """Return how services stand that are well. Raises BackupError naming every other one: no set is made without it."""
    states = read_service_states(client, stack, names)
    if states.broken:
        faults = "; ".join(map(states.fault, states.broken))
        raise BackupError(f"nothing was changed: {faults}. Next: ./ready up; where data are damaged ./ready restore")
    return states
