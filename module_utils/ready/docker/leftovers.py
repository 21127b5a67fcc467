# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remove what an interrupted run left behind. Runs where Docker is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..common.labels import LABEL_STACK, LABEL_TRIAL

if TYPE_CHECKING:
    from docker import DockerClient


def remove_leftovers(client: DockerClient, stack: str) -> list[str]:
    """Remove what trials of a stack have left behind, and return a line for each container."""
    wanted = [f"{LABEL_STACK}={stack}", LABEL_TRIAL]
    lines = []
    for container in client.containers.list(all=True, filters={"label": wanted}, ignore_removed=True):
        container.remove(v=True, force=True)
        lines.append(f"remove container {container.name}")
    for volume in client.volumes.list(filters={"label": wanted}):
        volume.remove()
    return lines
