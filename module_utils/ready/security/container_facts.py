# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what Docker and the kernel report of a stack's containers. Runs where Docker is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_STACK
from ..docker import execute
from ..docker.state import EngineError, read_files
from ..host.sockets import listening

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
    done = execute.run(container, ["sh", "-c", LOOK_INSIDE], user="0")
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
