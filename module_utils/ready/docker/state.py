# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read a stack's state from Docker, and write files into its volumes. Runs where Docker is."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_JOB, LABEL_SERVICE, LABEL_STACK, LEFTOVERS, REPLACED
from ..host import upgrade_journal
from ..host.engine_probe import exempt_daemon_from_proxy
from ..stack.resolved import CONFIG_PATH, copy_volumes, is_reloadable
from .create import create
from .memory_use import held, memory_stats
from .spec import NO_CAPABILITIES, ContainerSpec

# The SDK takes a third of a second of CPU, so it is imported where it is used; filters, for one, never speak to Docker.
# It comes from the lock (local) or from the distribution's python3-docker (remote hosts), and may be missing.
if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: Seconds that one call to the daemon may take; builds and pulls have their own.
TIMEOUT = 60


#: Colours and cursor movements that a service writes into its log.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class EngineError(Exception):
    """The daemon can't do what was asked; the message says what was found and what comes next."""


def sdk_errors() -> tuple[type[Exception], ...]:
    """Return what the SDK raises when the daemon refuses something or goes away."""
    try:
        from docker.errors import DockerException
    except ImportError:  # pragma: no cover - depends on the target
        return (OSError,)
    return (DockerException, OSError)


def not_found() -> type[Exception]:
    """Return what the SDK raises for what is not there."""
    try:
        from docker.errors import NotFound
    except ImportError:  # pragma: no cover - depends on the target
        return OSError
    return NotFound


def reason(error: Exception) -> str:
    """Return why the SDK, or a program, failed: in one line, in the daemon's or the program's own words."""
    return " ".join(str(getattr(error, "explanation", None) or getattr(error, "stderr", None) or error).split())


def connect(timeout: int = TIMEOUT) -> DockerClient:
    """Return a client for the daemon that DOCKER_HOST or the default socket names. Raises EngineError."""
    try:
        import docker
        from docker.errors import DockerException
    except ImportError as error:  # pragma: no cover - depends on the target
        raise EngineError("Python's docker package is missing here. Next: apt-get install python3-docker") from error
    exempt_daemon_from_proxy(os.environ)
    try:
        client = docker.from_env(timeout=timeout)
        client.ping()
    except (DockerException, OSError) as error:
        raise EngineError(f"the Docker daemon does not answer ({error}). Next: ./ready up starts it") from error
    return client


def read_tar_hash(owner_files: Iterable[tuple[str, int, str, bytes]]) -> str:
    """Return the fingerprint of files as (path, mode, "uid:gid", content), equal to render.files_hash of the same."""
    files = sorted(owner_files)
    digest = hashlib.sha256((files[0][2] if files else "").encode())
    for path, mode, owner, content in files:
        # A file of another owner than the first one's spoils the fingerprint, as it should.
        mark = "" if owner == files[0][2] else owner
        digest.update(f"\0{path}{mark}\0{mode:o}\0{hashlib.sha256(content).hexdigest()}".encode())
    return digest.hexdigest()


def read_fingerprints(
    service: Mapping[str, Any], files: Iterable[tuple[str, int, str, bytes]]
) -> dict[str, str | None]:
    """Return {files_hash, reload_hash, every_hash} of what `read_files` returned, to compare with render.fingerprints.

    The last one is that of all files, which an earlier Ready put on a container that takes some of them over today.
    """
    every = list(files)
    fixed = [file for file in every if not is_reloadable(service, file[0])]
    reloaded = [file for file in every if is_reloadable(service, file[0])]
    return {
        "files_hash": read_tar_hash(fixed) if every else None,
        "reload_hash": read_tar_hash(reloaded) if reloaded else None,
        "every_hash": read_tar_hash(every) if every else None,
    }


def read_files(container: Container, path: str = CONFIG_PATH) -> list[tuple[str, int, str, bytes]]:
    """Return the regular files below `path` in a container, running or not; none when the path is absent."""
    from docker.errors import NotFound  # connect() has checked for it, here and below

    try:
        stream, _ = container.get_archive(path)
    except NotFound:
        return []
    files = []
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        for member in archive.getmembers():
            if member.isfile() and (handle := archive.extractfile(member)):
                name = member.name.partition("/")[2]
                files.append((name, member.mode & 0o7777, f"{member.uid}:{member.gid}", handle.read()))
    return files


def find_container(client: DockerClient, name: str) -> Container | None:
    """Return the container of this name, if there is one."""
    from docker.errors import NotFound

    try:
        return client.containers.get(name)
    except NotFound:
        return None


def stop_and_remove(container: Container, timeout: int) -> None:
    """Stop a container within so many seconds and remove it; its volumes stay. Raises what the SDK raises."""
    if container.status == "paused":  # it can't end by itself
        container.unpause()
    container.stop(timeout=timeout)
    container.remove(v=False)


def _models(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    from .model_files import in_volume  # it needs what is above

    return in_volume(container, service)


def _service_state(client: DockerClient, stack: str, service: Mapping[str, Any]) -> dict[str, Any]:
    from docker.errors import ImageNotFound

    container = find_container(client, service["container"])
    if container is None:
        return {"exists": False, "ours": False, "running": False, "status": "absent", "ports": []}
    inspected = container.attrs
    state = inspected["State"]
    labels = inspected["Config"].get("Labels") or {}
    image_env: dict[str, str] = {}
    image: dict[str, Any] = {"id": inspected["Image"], "ref": inspected["Config"]["Image"], "present": True}
    try:
        attrs = client.images.get(inspected["Image"]).attrs
        image_env = dict(item.partition("=")[::2] for item in (attrs["Config"].get("Env") or []))
        image |= {"labels": attrs["Config"].get("Labels") or {}, "digests": attrs.get("RepoDigests") or []}
    except ImageNotFound:
        image["present"] = False
    ours = labels.get(LABEL_STACK) == stack
    return {
        "exists": True,
        "ours": ours,
        "id": inspected["Id"],
        "running": bool(state["Running"]) and not state.get("Restarting", False),
        "status": state["Status"],
        "health": (state.get("Health") or {}).get("Status"),
        "exit_code": state.get("ExitCode"),
        "oom_killed": state.get("OOMKilled", False),
        "restarts": inspected.get("RestartCount", 0),
        "started_at": state.get("StartedAt"),
        "image": image,
        "config": ContainerSpec.from_inspect(inspected, image_env).as_dict(),
        **read_fingerprints(service, read_files(container) if ours else []),
        "models": _models(container, service) if ours and copy_volumes(service) else {},
        # Asked only when it counts: whether a lower limit leaves what the store uses.
        "memory_held": held(memory_stats(client, container))
        if ours and state["Running"] and service["limits"]["memory"] < inspected["HostConfig"]["Memory"]
        else None,
        "ports": sorted(
            int(binding["HostPort"])
            for bindings in (inspected["HostConfig"].get("PortBindings") or {}).values()
            for binding in bindings or []
            if binding["HostPort"]
        ),
    }


def read_state(client: DockerClient, stack: str, network: str, services: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what exists of a stack: daemon, network, services, volumes, and what carries its label beside them.

    Args:
        client: a connected client.
        stack: the stack's name.
        network: its network's name.
        services: resolved services; `container`, `config_volume` and `volumes` are read.
    """
    services = list(services)
    version = client.version()
    volumes: dict[str, dict[str, Any]] = {}
    wanted = {v["name"]: s["name"] for s in services for v in [*s["volumes"], {"name": s["config_volume"]}]}
    for volume in client.volumes.list():
        labels = volume.attrs.get("Labels") or {}
        if volume.name in wanted or labels.get(LABEL_STACK) == stack:
            volumes[volume.name] = {
                "exists": True,
                "ours": labels.get(LABEL_STACK) == stack,
                "labels": labels,
                "service": wanted.get(volume.name) or labels.get(LABEL_SERVICE),
            }
    for name, service in wanted.items():
        volumes.setdefault(name, {"exists": False, "ours": False, "labels": {}, "service": service})
    networks = [item for item in client.networks.list(names=[network]) if item.name == network]
    labelled = client.networks.list(filters={"label": f"{LABEL_STACK}={stack}"})
    names = {service["container"] for service in services}
    beside = client.containers.list(all=True, filters={"label": f"{LABEL_STACK}={stack}"}, ignore_removed=True)
    others = [
        {
            "name": item.name,
            "service": item.labels.get(LABEL_SERVICE),
            "status": item.status,
            "leftover": bool(LEFTOVERS & set(item.labels)) or str(item.name).removesuffix(REPLACED) in names,
        }
        for item in beside
        if item.name not in names and LABEL_JOB not in item.labels
    ]
    return {
        "reachable": True,
        "docker": {
            "version": version["Version"],
            "api_version": version["ApiVersion"],
            "operating_system": version.get("Os"),
        },
        "network": {
            "exists": bool(networks),
            "ours": any((item.attrs.get("Labels") or {}).get(LABEL_STACK) == stack for item in networks),
        },
        "services": {service["name"]: _service_state(client, stack, service) for service in services},
        "volumes": volumes,
        "other_networks": sorted(str(item.name) for item in labelled if item.name != network),
        "others": others,
        "jobs": sorted(str(item.name) for item in beside if item.name not in names and LABEL_JOB in item.labels),
        "upgrade": upgrade_journal.read(stack),
    }


def absent_state(services: Iterable[Mapping[str, Any]], reason: str) -> dict[str, Any]:
    """Return the state of a host whose Docker does not answer: nothing exists, `reason` says why."""
    services = list(services)
    return {
        "reachable": False,
        "reason": reason,
        "docker": {},
        "network": {"exists": False, "ours": False},
        "services": {
            item["name"]: {"exists": False, "ours": False, "running": False, "status": "absent", "ports": []}
            for item in services
        },
        "volumes": {
            volume["name"]: {"exists": False, "ours": False, "labels": {}, "service": item["name"]}
            for item in services
            for volume in [*item["volumes"], {"name": item["config_volume"]}]
        },
        "other_networks": [],
        "others": [],
        "jobs": [],
        "upgrade": None,
    }


def _tar(files: Mapping[str, tuple[int, bytes]], owner: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    directories = sorted(
        {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    )
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in [".", *directories]:
            info = tarfile.TarInfo(name)
            info.type, info.mode, (info.uid, info.gid) = tarfile.DIRTYPE, 0o500, owner
            archive.addfile(info)
        for name, (mode, content) in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode, (info.uid, info.gid) = len(content), mode, owner
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def write_volume(
    client: DockerClient,
    image: str,
    volume: str,
    owner: str,
    files: Mapping[str, tuple[int, bytes]],
    labels: Mapping[str, str],
    *,
    dry_run: bool = False,
) -> dict[str, list[str]]:
    """Make a small volume hold exactly `files` (path -> mode, content), owned by `owner` ("uid:gid").

    A helper container that mounts the volume and is never started takes the files: content goes through the API's
    archive call, never through argv, env or a bind mount (Docker Desktop restarts containers before the distro's
    mounts are there: docker/for-win#14924). Returns the paths added, changed and removed.
    """
    helper = f"{volume}-writer"
    leftover = find_container(client, helper)  # an interrupted run's
    if leftover is not None and leftover.labels.get(LABEL_STACK) == labels[LABEL_STACK]:
        leftover.remove(v=True, force=True)
    if dry_run and not any(item.name == volume for item in client.volumes.list()):
        return {"added": sorted(files), "changed": [], "removed": []}
    uid, _, gid = owner.partition(":")

    from docker.errors import APIError

    spec = ContainerSpec(
        name=helper,
        image=image,
        user="0:0",
        entrypoint=[],
        command=["true"],
        labels=labels,
        volumes={"/volume": f"{volume}:rw"},
    )
    container = create(client, spec)
    try:
        present = {path: (mode, own, content) for path, mode, own, content in read_files(container, "/volume")}
        result = {
            "added": sorted(set(files) - set(present)),
            "changed": sorted(
                path
                for path, (mode, content) in files.items()
                if path in present and present[path] != (mode, owner, content)
            ),
            "removed": sorted(set(present) - set(files)),
        }
        if dry_run or not any(result.values()):
            return result
        if result["removed"]:  # the archive call can't remove
            container.remove(v=True, force=True)
            removing = ["rm", "-f", "--", *(f"/volume/{path}" for path in result["removed"])]
            container = create(client, replace(spec, command=removing))
            container.start()
            if container.wait(timeout=TIMEOUT)["StatusCode"] != 0:
                raise EngineError(f"stale files in volume {volume} could not be removed: {container.logs()!r}")
        container.put_archive("/volume", _tar(files, (int(uid), int(gid))))
        return result
    except APIError as error:
        raise EngineError(f"volume {volume} could not be written: {error.explanation or error}") from error
    finally:
        container.remove(v=True, force=True)


def run_once(client: DockerClient, image: str, command: Sequence[str], labels: Mapping[str, str]) -> str:
    """Return what a command prints in a throw-away container without network or rights.

    Removed with the anonymous volumes that an image's VOLUME lines make, which `containers.run(remove=True)` leaves.
    """
    spec = ContainerSpec(image=image, entrypoint=command, command=[], cap_drop=NO_CAPABILITIES, labels=labels)
    container = create(client, spec)
    try:
        container.start()
        container.wait(timeout=TIMEOUT)
        return str(container.logs().decode(errors="replace"))
    finally:
        container.remove(v=True, force=True)


def read_logs(client: DockerClient, services: Iterable[Mapping[str, Any]], lines: int) -> dict[str, list[str]]:
    """Return the last log lines by service; a service without a container has none."""
    logs = {}
    for service in services:
        container = find_container(client, service["container"])
        text = container.logs(tail=lines).decode(errors="replace") if container is not None else ""
        logs[service["name"]] = _ESCAPES.sub("", text).splitlines()
    return logs
