# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Docker and the kernel say of a stack's containers, and where its secrets lie. Runs where Docker is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import dockerexec
from .container import LABEL_STACK
from .engine import EngineError, read_files
from .installed import stack_path
from .leaks import Search
from .sockets import listening

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: Written by a root without capabilities; removed at once where it succeeds.
_MARK = "/.ready-attack"
#: One `docker exec`: what the kernel says of the main process, then all sockets, then whether root may write to /.
LOOK_INSIDE = f"""
cat /proc/1/status; echo ---
cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null; echo ---
if (: > {_MARK}) 2>/dev/null; then rm -f {_MARK}; echo written; else echo refused; fi
"""
_HOST_KEYS = (
    *("Privileged", "CapAdd", "CapDrop", "SecurityOpt", "ReadonlyRootfs", "Memory", "NanoCpus", "PidsLimit"),
    *("NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupParent", "Devices"),
    *("PortBindings", "RestartPolicy"),
)
#: The last lines of a container's log that are searched.
LOG_LINES = 20_000


def parse_inside(output: str) -> dict[str, Any]:
    """Return what LOOK_INSIDE printed: kernel (keys of /proc/1/status), sockets, and the outcome of the write."""
    status, tables, written = output.split("---\n")
    kernel = {line.partition(":")[0]: line.partition(":")[2].strip() for line in status.splitlines()}
    wanted = ("Uid", "Gid", "CapEff", "CapBnd", "CapPrm", "NoNewPrivs", "Seccomp")
    return {
        "kernel": {key: kernel[key] for key in wanted if key in kernel},
        "sockets": [list(item) for item in listening(tables)],
        "root_write": written.strip(),
    }


def read_container(client: DockerClient, stack: str, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a service's container is. Environment and command stay out: there a secret may stand.

    Raises EngineError when there is no such container of this stack, or it does not run.
    """
    container = _ours(client, stack, service)
    attrs = container.attrs
    state = attrs["State"]["Status"]
    if state != "running":
        raise EngineError(f"container {service['container']} is {state}. Next: ./ready up")
    done = dockerexec.run(container, ["sh", "-c", LOOK_INSIDE], user="0")
    if done.exit_code != 0:
        raise EngineError(f"nothing can be run in container {service['container']}: {done.output!r}")
    image = client.images.get(attrs["Image"]).attrs
    return {
        "host_config": {key: attrs["HostConfig"].get(key) for key in _HOST_KEYS},
        "mounts": [
            {key: mount.get(key) for key in ("Type", "Name", "Source", "Destination", "RW", "Propagation")}
            for mount in attrs.get("Mounts") or []
        ],
        "apparmor": attrs.get("AppArmorProfile") or "",
        "has_health_test": bool((attrs["Config"].get("Healthcheck") or {}).get("Test")),
        "health": (attrs["State"].get("Health") or {}).get("Status"),
        "image": attrs["Image"],
        "image_from": (image.get("RepoDigests") or [""])[0]
        or (image["Config"].get("Labels") or {}).get("io.ready.recipe", ""),
        "networks": {
            name: {"address": its.get("IPAddress") or "", "address6": its.get("GlobalIPv6Address") or ""}
            for name, its in (attrs["NetworkSettings"].get("Networks") or {}).items()
        },
        "files": [
            {"path": path, "mode": f"{mode:04o}", "owner": owner} for path, mode, owner, _ in read_files(container)
        ],
        **parse_inside(done.output.decode()),
    }


def _ours(client: DockerClient, stack: str, service: Mapping[str, Any]) -> Container:
    found = client.containers.list(
        all=True, filters={"name": f"^/{service['container']}$", "label": f"{LABEL_STACK}={stack}"}
    )
    if not found:
        raise EngineError(f"there is no container {service['container']} of this stack. Next: ./ready up")
    return found[0]


def read_configuration(client: DockerClient, stack: str, service: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a service's config volume, path -> content. Raises EngineError without a container."""
    return {path: content for path, _, _, content in read_files(_ours(client, stack, service))}


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
