# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real containers of the built images, with the flags that services/<name>.yml asks for.

An image comes from READY_TEST_IMAGE_<NAME>, else from the build machinery (which builds what is missing), in the
release line that READY_TEST_LINE_<NAME> names.
"""

from __future__ import annotations

import io
import os
import tarfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from docker.models.volumes import Volume
from ready.docker import execute
from ready.docker.spec import SECURITY_OPTIONS, TMPFS_OPTIONS
from ready.images.build import Builder
from ready.images.job_images import TOOLS
from ready.images.recipe import image_reference, read_recipe, recipe_hash
from ready.stack.definitions import load_definitions

ROOT = Path(__file__).resolve().parents[2]
DEFINITIONS = load_definitions()
PREFIX = "ready-contract-"


def line_of(name: str) -> str:
    """Return the release line under test: that of READY_TEST_LINE_<NAME>, else the usual one."""
    if name in TOOLS:
        return TOOLS[name]
    return os.environ.get(f"READY_TEST_LINE_{name.upper()}") or str(DEFINITIONS[name]["image"]["version"])


def built(client: docker.DockerClient, name: str, line: str = "") -> str:
    """Return the reference of an image in a release line, built where it is missing, as `up` and `upgrade` do."""
    line = line or line_of(name)
    files = read_recipe(ROOT / "images", name, line)
    recipe = recipe_hash(files, name)
    builder = Builder(client, files, "localhost", print)
    command = None if name in TOOLS else DEFINITIONS[name]["image"].get("version_command")
    found = builder.find(image_reference(name, line, recipe), recipe) or builder.build(name, line, command)
    return str(found["ref"])


class Lab:
    """Makes containers and volumes by name, and removes exactly those."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self.containers: list[Container] = []
        self.volumes: list[Volume] = []
        self.refs: dict[str, str] = {}

    def image(self, name: str) -> str:
        """Return a reference of the image, built where it is missing."""
        if name not in self.refs:
            self.refs[name] = os.environ.get(f"READY_TEST_IMAGE_{name.upper()}") or built(
                self.client, name, line_of(name)
            )
        return self.refs[name]

    def volume(self, name: str, files: Mapping[str, tuple[str | bytes, int]] | None = None, owner: str = "0:0") -> str:
        """Return a new volume that holds files (path -> content, mode); `name` is the image that fills it."""
        volume = self.client.volumes.create(f"{PREFIX}{uuid.uuid4().hex[:12]}")
        self.volumes.append(volume)
        if files is not None:
            stream = io.BytesIO()
            uid, gid = (int(part) for part in owner.split(":"))
            with tarfile.open(fileobj=stream, mode="w") as archive:
                top = tarfile.TarInfo("fill")
                top.type, top.mode, top.uid, top.gid = tarfile.DIRTYPE, 0o755, uid, gid
                archive.addfile(top)
                for path, (content, mode) in files.items():
                    data = content.encode() if isinstance(content, str) else content
                    member = tarfile.TarInfo(f"fill/{path}")
                    member.size, member.mode, member.uid, member.gid = len(data), mode, uid, gid
                    archive.addfile(member, io.BytesIO(data))
            helper = self.client.containers.create(
                self.image(name), name=f"{PREFIX}{uuid.uuid4().hex[:12]}", volumes=[f"{volume.name}:/fill"]
            )
            try:
                helper.put_archive("/", stream.getvalue())
            finally:
                helper.remove(v=True)  # anonymous ones alone
        return str(volume.name)

    def start(self, name: str, command: list[str] | None = None, hardened: bool = True, **options: Any) -> Container:
        """Start a container, with the flags of the service's definition unless the test says otherwise."""
        definition = DEFINITIONS[name]
        if hardened:
            limits = definition["limits"]
            options = {
                "user": definition["image"]["user"],
                "cap_drop": ["ALL"],
                "security_opt": SECURITY_OPTIONS,
                "read_only": True,
                "tmpfs": {path: f"{TMPFS_OPTIONS},{flags}" for path, flags in definition["tmpfs"].items()},
                "mem_limit": limits["memory"],
                "memswap_limit": limits["memory"],
                "pids_limit": limits["pids"],
                "ports": {f"{port['container']}/tcp": ("127.0.0.1", None) for port in definition["ports"]},
                **({"shm_size": definition["shm_size"]} if "shm_size" in definition else {}),
                **options,
            }
        container = self.client.containers.run(
            options.pop("image", None) or self.image(name),
            command,
            name=f"{PREFIX}{uuid.uuid4().hex[:12]}",
            detach=True,
            **options,
        )
        self.containers.append(container)
        return container

    def once(self, name: str, command: list[str] | None = None, **options: Any) -> tuple[int, str]:
        """Run a container to its end and return (exit code, output)."""
        container = self.start(name, command, **{"hardened": False, **options})
        code = container.wait(timeout=300)["StatusCode"]  # two JVMs in a row took 66 s beside much other work
        return int(code), container.logs().decode(errors="replace")

    def close(self) -> None:
        """Remove everything that was made here."""
        for container in self.containers:
            container.remove(force=True, v=True)
        for volume in self.volumes:
            volume.remove(force=True)


def port(container: Container, inside: int) -> int:
    """Return the host port of a published port."""
    container.reload()
    return int((container.ports[f"{inside}/tcp"] or [])[0]["HostPort"])


def until(check: Callable[[], Any], container: Container, seconds: float = 180) -> Any:
    """Return the first true answer of a check; fail with the container's last lines when there is none."""
    deadline = time.monotonic() + seconds
    why: object = ""
    while time.monotonic() < deadline:
        try:
            if answer := check():
                return answer
        except Exception as error:  # whatever a driver raises while the server starts
            why = error
        container.reload()
        if container.status == "exited":
            break
        time.sleep(0.2)
    raise AssertionError(f"not ready ({why}); last lines:\n{container.logs(tail=25).decode(errors='replace')}")


def sh(container: Container, script: str, user: str | None = None) -> str:
    """Run a shell script inside and return its output; a failure is a failure."""
    done = execute.run(container, ["bash", "-c", script], user=user or "")
    text = done.output.decode(errors="replace").strip()
    assert done.exit_code == 0, f"{script}: exit {done.exit_code}: {text}"
    return text


def process(container: Container, pid: int = 1) -> dict[str, str]:
    """Return /proc/PID/status as a mapping."""
    return dict(line.split(":\t", 1) for line in sh(container, f"cat /proc/{pid}/status").splitlines() if ":\t" in line)
