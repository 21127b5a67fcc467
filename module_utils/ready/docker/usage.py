# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read how much disk containers and volumes take up, as Docker counts it. Runs where Docker is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from .memory_use import memory_stats
from .state import TIMEOUT, find_container

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container


def read_memory(client: DockerClient, name: str) -> tuple[int, int] | None:
    """Return the bytes that the processes of a container hold, without page cache, and its limit, 0 for none.

    None when Docker does not say, as of a container that does not run. Docker's own count is the slower source.
    """
    from docker.errors import APIError, DockerException  # connect() has checked for it, here and below

    try:
        container = client.containers.get(name)
        try:
            used = 1024 * sum(int(rss) for _, rss in container.top(ps_args="-o pid,rss")["Processes"])
        except (APIError, ValueError):  # no ps where Docker is, or BusyBox's, which rounds to "12m"
            found = memory_stats(client, container)["stats"]
            used = int(found["total_rss"] if "total_rss" in found else found["anon"])  # control groups v1, v2
    except (DockerException, OSError, KeyError):
        return None
    return used, int(container.attrs["HostConfig"]["Memory"])


def read_seconds(client: DockerClient, name: str) -> float | None:
    """Return the seconds of processors that a container has used since its start, with all that was run in it.

    None when Docker does not say, as of a container that does not run. Docker is asked because the control groups of
    its containers can't be seen everywhere (Docker Desktop). Whoever asks twice within a second waits for the next one.
    """
    from docker.errors import DockerException

    try:
        used = client.api.stats(name, stream=False, one_shot=True)["cpu_stats"]["cpu_usage"]["total_usage"]
    except (DockerException, OSError, KeyError):
        return None
    return int(used) / 1e9 or None  # 0 of a container that does not run


def _disk_usage(client: DockerClient) -> dict[str, Any]:
    """Return what takes room; Docker adds it up for one asker at a time, and turns the others away."""
    from docker.errors import APIError

    ends = time.monotonic() + TIMEOUT
    while True:
        try:
            return dict(client.df())
        except APIError as error:
            if "already running" not in str(error) or time.monotonic() > ends:
                raise
        time.sleep(0.5)


def _in_use(client: DockerClient, container: Container) -> int:
    """Return bytes of memory without the page cache that can be taken back at once."""
    usage = memory_stats(client, container)
    stats = usage.get("stats", {})
    cache = stats.get("total_inactive_file", stats.get("inactive_file", 0))
    return max(0, int(usage.get("usage", 0)) - int(cache))


def read_details(client: DockerClient, services: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return memory in use by service (without the page cache) and sizes by volume, in bytes; all are asked at once."""
    found = {service["name"]: find_container(client, service["container"]) for service in services}
    running = {name: container for name, container in found.items() if container and container.status == "running"}
    with ThreadPoolExecutor(max_workers=len(running) + 1) as pool:
        sizes = pool.submit(_disk_usage, client)
        memory = dict(zip(running, pool.map(partial(_in_use, client), running.values()), strict=True))
        volumes = {item["Name"]: item.get("UsageData", {}).get("Size", -1) for item in sizes.result()["Volumes"] or []}
    return {"memory": memory, "volumes": {name: size for name, size in volumes.items() if size >= 0}}
