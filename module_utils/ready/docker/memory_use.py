# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read how much memory a container uses, as Docker counts it. Runs where Docker is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container


def memory_stats(client: DockerClient, container: Container) -> dict[str, Any]:
    """Return what Docker counts of memory; whoever asks twice within a second waits for the next one."""
    stats = client.api.stats(str(container.id), stream=False, one_shot=True)
    return dict(stats.get("memory_stats", {}))


def held(stats: Mapping[str, Any]) -> int | None:
    """Return the bytes that a container can't do without: no page cache, which the kernel takes back.

    None when Docker does not say.
    """
    found = stats.get("stats", {})
    if "anon" in found:  # control groups v2
        return int(found["anon"]) + int(found.get("shmem", 0))
    if "total_active_anon" in found:  # v1, whose lists of anonymous pages have shared memory in them
        return sum(int(found.get(f"total_{key}", 0)) for key in ("active_anon", "inactive_anon", "unevictable"))
    return None
