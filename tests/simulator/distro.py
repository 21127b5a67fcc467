"""The distro behind the simulated wsl.exe: a real Linux container, with `docker exec` for wsl.exe.

Debian stands in for Ubuntu 22.04. It shares this machine's network, as ports that Docker Desktop publishes are on
127.0.0.1 of a distro too.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import docker
import docker.errors
from ready.docker import execute

from tests.simulator.host import ScriptCall

ROOT = Path(__file__).resolve().parents[2]
BASE, IMAGE = "ready-test/debian:bookworm", "ready-test/wsl:bookworm"
LABEL = "io.ready.simulator"
SOCKET = "/var/run/docker.sock"
#: Where Docker Desktop's integration puts its socket and command line in a distro.
_DESKTOP = "/mnt/wsl/docker-desktop"
_PROXY = "shared-sockets/guest-services/docker.proxy.sock"
_CLI = "cli-tools/usr/bin/docker"
#: What Ubuntu's WSL image has and a bare Debian lacks.
_RECIPE = f"""
FROM {BASE}
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \\
  ca-certificates iproute2 procps python3 python3-apt python3-venv sudo && rm -rf /var/lib/apt/lists/*
"""
#: A first process that reaps, for as long as the distro runs.
_FIRST = "while :; do sleep 3600 & wait $!; done"
#: What a distro needs for an engine of its own, short of `privileged`: as molecule/docker_engine has it.
_WITH_ENGINE: dict[str, Any] = {
    "command": ["/bin/sh", "-c", f"mount -o remount,bind,rw /proc/sys && {_FIRST}"],
    "cap_add": ["ALL"],
    "cap_drop": ["SYS_RESOURCE"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
}
_ENGINE_VOLUMES = {"/sys/fs/cgroup": {"bind": "/sys/fs/cgroup", "mode": "rw"}}
#: What wsl_exec.ps1 gives to --exec.
_SHELL = ("/bin/sh", "-c", "set -f;IFS=;read -r c;eval $(echo $c|base64 -d)")
#: How `docker exec` says that there is no such user.
_NO_USER = (126, b"unable to find user")
#: Bytes a reader of wsl_exec.ps1 holds before it writes a record.
_BUFFER = 196605


def make_image() -> None:
    """Make the distro's image unless it is there. Raises CalledProcessError, docker.errors.BuildError."""
    client = docker.from_env(timeout=600)
    if client.images.list(name=IMAGE):
        return
    subprocess.run(["python", str(ROOT / ".config/molecule/debian_image.py"), "bookworm"], check=True)
    client.images.build(fileobj=io.BytesIO(_RECIPE.encode()), tag=IMAGE, rm=True, network_mode="host")


class Distro:
    """One registered distro. With an engine of its own it has a network of its own as well, as WSL's distros have."""

    def __init__(self, name: str, container: str, label: str, *, engine: bool = False) -> None:
        self.name = name
        self.container = container
        self._engine = engine
        self._label = label
        self._client = docker.from_env()
        self._shared = Path(tempfile.mkdtemp(prefix="ready-simulator-"))
        self._relay: _Relay | None = None

    def create(self) -> Distro:
        """Register it: a new container, running."""
        make_image()
        volumes = {str(self._shared): {"bind": _DESKTOP, "mode": "rw"}}
        if self._engine:
            data = self._client.volumes.create(self.container, labels={LABEL: self._label})
            volumes |= _ENGINE_VOLUMES | {data.name: {"bind": "/var/lib/docker", "mode": "rw"}}
            options = _WITH_ENGINE
        else:
            options = {"command": ["/bin/sh", "-c", _FIRST], "network_mode": "host"}
        self._client.containers.run(
            IMAGE,
            name=self.container,
            hostname=self.container,
            labels={LABEL: self._label},
            environment={"WSL_DISTRO_NAME": self.name},
            volumes=volumes,
            detach=True,
            **options,
        )
        return self

    def remove(self) -> None:
        """Unregister it: its disk goes."""
        self.integrate(on=False)
        with contextlib.suppress(docker.errors.NotFound):
            self._client.containers.get(self.container).remove(force=True, v=True)
        with contextlib.suppress(docker.errors.NotFound):
            self._client.volumes.get(self.container).remove()
        shutil.rmtree(self._shared, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return bool(self._client.api.inspect_container(self.container)["State"]["Running"])

    def terminate(self) -> None:
        """Stop it at once, as `wsl --terminate` does."""
        if self.running:
            self._client.containers.get(self.container).kill()

    def start(self) -> None:
        """Start it, as any command by wsl.exe does."""
        if not self.running:
            self._client.containers.get(self.container).start()

    def sh(self, text: str) -> tuple[int, str]:
        """Run a shell text as root and return its exit code and what it printed."""
        self.start()
        done = execute.run(self._client.containers.get(self.container), ["/bin/sh", "-c", text])
        return done.exit_code, done.output.decode(errors="replace")

    def integrate(self, *, on: bool) -> None:
        """Switch Docker Desktop's integration: its socket and command line come, or dangle."""
        if self._relay:
            self._relay.close()
            self._relay = None
        command_line = self._shared / _CLI
        command_line.unlink(missing_ok=True)
        if not on:
            return
        proxy = self._shared / _PROXY
        proxy.parent.mkdir(parents=True, exist_ok=True)
        self._relay = _Relay(proxy, SOCKET)
        command_line.parent.mkdir(parents=True, exist_ok=True)
        if here := shutil.which("docker"):
            shutil.copy2(here, command_line)
        self.sh(
            f"ln -sfn {_DESKTOP}/{_PROXY} {SOCKET}; ln -sfn {_DESKTOP}/{_CLI} /usr/bin/docker;"
            "groupadd -f docker; chmod 0666 " + SOCKET
        )


class _Relay:
    """A Unix socket that leads to another one, for as long as the integration is on."""

    def __init__(self, path: Path, target: str) -> None:
        self._target, self._path = target, path
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._path.unlink(missing_ok=True)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:  # the daemon is down
                client.close()
                server.close()
                continue
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def _end(code: int, why: str, out: bytes = b"", err: bytes = b"", message: str = "") -> str:
    record = {"rc": code, "why": why, "msg": message}
    return "X" + json.dumps(record | {"out": base64.b64encode(out).decode(), "err": base64.b64encode(err).decode()})


def own_failure(sentence: str, code: str) -> str:
    """Return how wsl.exe reports a failure of its own: a localised sentence, the code, and -1."""
    return _end(-1, "exit", f"{sentence}\r\nError code: {code}\r\n".encode())


def wsl_exec(call: ScriptCall, distros: Mapping[str, Distro]) -> Iterator[str]:
    """Answer scripts/windows/wsl_exec.ps1 by its documented result: the command really runs, in the container."""
    asked = call.parameters
    distro, user = distros.get(str(asked["Distro"])), str(asked["User"])
    if distro is None:
        yield own_failure("There is no distribution with the supplied name.", "Wsl/Service/WSL_E_DISTRO_NOT_FOUND")
        return
    distro.start()
    process = subprocess.Popen(
        ["docker", "exec", "-i", "-u", user, "-w", "/", distro.container, *_SHELL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    yield from _relay(process, call, int(asked.get("Timeout") or 0))


def _relay(process: subprocess.Popen[bytes], call: ScriptCall, timeout: int) -> Iterator[str]:
    """Feed the process and yield its records, as the script does."""
    ready: queue.Queue[tuple[str, bytes]] = queue.Queue(maxsize=16)

    def read(tag: str, stream: IO[bytes]) -> None:
        while data := stream.read(65536):
            ready.put((tag, data))
        ready.put((tag, b""))

    def write(stream: IO[bytes]) -> None:
        try:
            stream.write(f"{call.parameters['Command']}\n".encode())
            if call.parameters.get("Stdin"):
                stream.write(base64.b64decode(call.parameters["Stdin"]))
            for line in call.input:
                _write_all(stream, base64.b64decode(line))
            stream.close()
        except BrokenPipeError:  # the command closed its input: its exit code says the rest
            for _ in call.input:
                pass

    assert process.stdin and process.stdout and process.stderr  # noqa: PT018
    work: list[tuple[Any, ...]] = [(read, "O", process.stdout), (read, "E", process.stderr), (write, process.stdin)]
    for target, *arguments in work:
        threading.Thread(target=target, args=arguments, daemon=True).start()
    late = threading.Event()

    def kill() -> None:
        late.set()
        process.kill()
        ready.put(("T", b""))

    timer = threading.Timer(timeout, kill)
    timer.daemon = True
    if timeout:
        timer.start()
    held = {"O": bytearray(), "E": bytearray()}
    open_streams = 2
    while open_streams and not late.is_set():
        tag, data = ready.get()
        if not data:
            open_streams -= 1
            continue
        held[tag] += data
        while len(held[tag]) >= _BUFFER:
            yield tag + base64.b64encode(held[tag][:_BUFFER]).decode()
            del held[tag][:_BUFFER]
    timer.cancel()
    if late.is_set():
        yield _end(-1, "timeout", bytes(held["O"]), bytes(held["E"]))
        return
    code = process.wait()
    if code == _NO_USER[0] and _NO_USER[1] in held["O"] + held["E"]:
        yield own_failure("User not found.", "Wsl/WSL_E_USER_NOT_FOUND")
        return
    yield _end(code, "exit", bytes(held["O"]), bytes(held["E"]))


def _write_all(stream: IO[bytes], data: bytes) -> None:
    """Write to an unbuffered pipe, which may take less than it is given."""
    view = memoryview(data)
    while view:
        view = view[stream.write(view) :]
