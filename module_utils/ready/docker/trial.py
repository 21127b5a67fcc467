# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Try a service's new files, command and limits on empty data, before its running container is touched.

Checkers of the engines know names and values only, and Redis has none: whether a store starts, only a start tells. So
the same image is started with what is new, without network, port or data, for some seconds. Runs where Docker is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_SERVICE, LABEL_STACK, LABEL_TRIAL
from ..stack.resolved import CONFIG_PATH, copy_volumes, data_volumes
from .create import create
from .leftovers import remove_leftovers
from .spec import ContainerSpec
from .state import EngineError, reason, sdk_errors, write_volume
from .wait import Readiness, wait_for_all

if TYPE_CHECKING:
    from docker import DockerClient

#: Seconds that the trials of all services may take together: the longest deadline among them, within these two. A trial
#: that is cut short decides nothing, and what does not start is seen only in place of the running container.
SECONDS = (20.0, 60.0)
#: What stands for the health test of a service that answers only beside another one, which a trial has not.
_STAYS = {"test": ["CMD", "sleep", "2"], "timeout": 5}


def trial_spec(service: Mapping[str, Any], spec: ContainerSpec, image_id: str) -> ContainerSpec:
    """Return a service's container as it is tried: without network, port, data and restart.

    Args:
        service: the resolved service.
        spec: its container.
        image_id: the image that its own container is made of.
    """
    kept = {key: value for key, value in (spec.labels or {}).items() if key == LABEL_STACK}
    return replace(
        spec,
        name=f"{spec.name}-tried",
        reference=image_id,
        ports={},
        volumes={
            CONFIG_PATH: f"{service['config_volume']}_tried:ro",
            **{volume["path"]: f"{volume['name']}:ro" for volume in copy_volumes(service)},
        },
        anonymous=[volume["path"] for volume in data_volumes(service)],
        restart="no",
        networks=[],
        aliases=None,
        hostname="localhost",  # without a network nothing else resolves, and Neo4j asks
        labels=kept | {LABEL_TRIAL: service["name"]},
    )


def try_out(
    client: DockerClient,
    services: Mapping[str, Mapping[str, Any]],
    specs: Mapping[str, ContainerSpec],
    images: Mapping[str, str],
    files: Mapping[str, Mapping[str, tuple[int, bytes]]],
    seconds: float | None = None,
) -> dict[str, dict[str, Any]]:
    """Start every service with what is new, all at the same time, and return service -> how it went.

    Each is a `wait.Readiness` as a dict. Nothing is left behind.

    Args:
        client: a connected client.
        services: resolved services by name.
        specs: service -> its container.
        images: service -> id of its image.
        files: service -> path -> (mode, content) of its config volume.
        seconds: for all of them together; see SECONDS.
    """
    if seconds is None:
        least, most = SECONDS
        seconds = max([least, *(min(most, float(its["health"]["deadline"])) for its in services.values())])
    stacks = {(specs[name].labels or {})[LABEL_STACK] for name in services}
    for stack in stacks:
        remove_leftovers(client, stack)
    ends = time.monotonic() + seconds
    errors: tuple[type[Exception], ...] = (EngineError, *sdk_errors())
    found: dict[str, dict[str, Any]] = {}
    started: dict[str, dict[str, Any]] = {}
    try:
        for name, service in services.items():
            wanted = trial_spec(service, specs[name], images[name])
            volume = f"{service['config_volume']}_tried"
            labels = {**(wanted.labels or {}), LABEL_SERVICE: name}
            try:
                client.volumes.create(volume, labels=labels)
                write_volume(client, images[name], volume, service["image"]["user"], files[name], labels)
                create(client, wanted).start()
            except errors as error:
                found[name] = asdict(Readiness(name, refused=True, detail=reason(error)))
                continue
            started[name] = {**service, "container": wanted.name}
            if service.get("needs") or "of" in service:
                started[name]["health"] = {**service["health"], **_STAYS}
        return found | wait_for_all(started, list(started), max(1.0, ends - time.monotonic()))
    finally:
        for stack in stacks:
            remove_leftovers(client, stack)
