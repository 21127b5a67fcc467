# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Search for a stack's secrets in what Docker shows, in processes, and in files of the host. Runs where Docker is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_STACK
from ..host.installed import stack_path
from ..secrets.search import Search

if TYPE_CHECKING:
    from docker import DockerClient

#: The last lines of a container's log that are searched.
LOG_LINES = 20_000


def _processes(proc: Path = Path("/proc")) -> Iterable[tuple[str, bytes]]:
    """Yield place and content of every process's argv and environment."""
    for directory in proc.iterdir():
        if not directory.name.isdigit():
            continue
        try:
            name = (directory / "comm").read_text().strip()
            for what, file in (("arguments", "cmdline"), ("environment", "environ")):
                yield f"the {what} of the process {name}", (directory / file).read_bytes()
        except OSError:  # it has just ended
            continue


def search_containers(client: DockerClient, stack: str, search: Search) -> dict[str, dict[str, Any]]:
    """Return place -> {looked, found} for what Docker shows of all containers of a stack: inspect, logs, images."""
    containers = client.containers.list(all=True, filters={"label": f"{LABEL_STACK}={stack}"})
    found: dict[str, list[str]] = {"inspect": [], "logs": [], "images": []}
    images = set()
    for container in containers:
        found["inspect"] += search.text(
            json.dumps(container.attrs, ensure_ascii=False), f"docker inspect {container.name}"
        )
        found["logs"] += search.text(container.logs(tail=LOG_LINES), f"docker logs {container.name}")
        images.add(container.attrs["Image"])
    for image in sorted(images):
        its = client.images.get(image)
        shown = json.dumps([its.attrs, its.history()], ensure_ascii=False)
        found["images"] += search.text(shown, f"docker history {image[:19]}")
    many = {"inspect": len(containers), "logs": len(containers), "images": len(images)}
    nouns = {"inspect": "containers", "logs": "containers' logs", "images": "images"}
    return {place: {"looked": f"{many[place]} {nouns[place]}", "found": lines} for place, lines in found.items()}


def search_processes(search: Search) -> dict[str, dict[str, Any]]:
    """Return the same for arguments and environments of all processes of the host."""
    lines, looked = [], 0
    for place, content in _processes():
        looked += 1
        lines += search.text(content, place)
    return {"processes": {"looked": f"{looked // 2} processes", "found": sorted(set(lines))}}


def search_files(stack: Mapping[str, Any], search: Search) -> dict[str, dict[str, Any]]:
    """Return the same for the files that a run leaves on the host.

    They are the lock, the stack's description for the probes, and Ansible's remote temporary files.
    """
    described = [stack_path(stack["name"])]
    temporary = Path("~/.ansible/tmp").expanduser().glob("ansible-*")  # others keep things there too
    lines, read = search.files([Path(f"/run/lock/ready-{stack['name']}.json"), *described, *temporary])
    return {"files": {"looked": f"{read} files", "found": lines}}
