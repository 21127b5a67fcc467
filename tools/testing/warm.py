# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-playbook without its start: a process that has imported Ansible, of which each call is a fork.

Importing takes more than half of a short run, and linters and unit tests have hundreds of these. The fork does what the
program does, with the arguments, environment, working directory and standard streams of whoever calls. What Ansible
reads while it is imported is its configuration: calls with another one go to another such process.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).parent / "ansible-playbook"
#: Imported before the first call. The program itself imports what of these its arguments need, when they do.
USUAL = (
    "ansible.cli.playbook",
    "ansible.executor.playbook_executor",
    "ansible.executor.task_queue_manager",
    "ansible.inventory.manager",
    "ansible.plugins.callback",
    "ansible.plugins.filter.core",
    "ansible.plugins.inventory.yaml",
    "ansible.plugins.strategy",
    "ansible.plugins.test.core",
    "ansible.vars.manager",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.x509",
    "jinja2.nativetypes",
)
#: A call, as text: what a process of this one needs no import of Ansible's for.
CALL = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(asked)
    sys.exit(int(server.makefile().read() or 70))
"""


def configuration(environment: dict[str, str], directory: str) -> tuple[tuple[str, str], ...]:
    """Return what Ansible and Python read once, at their start, of an environment and of a working directory."""
    found = {name: its for name, its in environment.items() if name.startswith(("ANSIBLE_", "PYTHON", "LC_", "LANG"))}
    return tuple(sorted((found if "ANSIBLE_CONFIG" in found else found | {"": directory}).items()))


def _become(words: list[str], directory: str, environment: dict[str, str], streams: list[int]) -> None:
    """Be the program, in a separate process, and tell the caller how it ended; never returns."""
    *standard, caller = streams
    code = 70
    try:
        for number, stream in enumerate(standard):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(directory)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        sys.argv = [str(PROGRAM), *words]
        from ansible.cli.playbook import main

        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        with contextlib.suppress(OSError):  # whoever asked has gone
            os.write(caller, str(code).encode())
        os._exit(code)


def _asked(caller: socket.socket, streams: int) -> tuple[bytes, list[int]]:
    """Return a call and the streams that came with it."""
    head, descriptors, _, _ = socket.recv_fds(caller, 8, streams)
    asked, size = b"", int.from_bytes(head, "big")
    while len(asked) < size:
        asked += caller.recv(size - len(asked))
    return asked, descriptors


def _send(server: socket.socket, asked: bytes, streams: list[int]) -> None:
    """Send a call on with its streams, which are closed here."""
    socket.send_fds(server, [len(asked).to_bytes(8, "big")], streams)
    server.sendall(asked)
    for stream in streams:
        os.close(stream)


def _calls(address: str, lives: int) -> Iterator[socket.socket]:
    """Listen, and yield each caller, until the other end of a pipe is closed."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.new")
        listener.listen(64)
        Path(f"{address}.new").rename(address)
        while lives not in select.select([listener.fileno(), lives], [], [])[0]:
            caller, _ = listener.accept()
            with caller:
                yield caller


def serve(address: str, lives: int) -> None:
    """Import Ansible, with this process's configuration, and fork for each call."""
    for name in USUAL:
        __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel takes its children away
    for caller in _calls(address, lives):
        asked, streams = _asked(caller, 4)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            words, directory, environment = json.loads(asked)
            _become(words, directory, environment, streams)
        for stream in streams:
            os.close(stream)


def distribute(address: str, lives: int) -> None:
    """Give each call to the process that has its configuration, started when the first such call comes."""
    servers: dict[object, str] = {}
    for caller in _calls(address, lives):
        asked, streams = _asked(caller, 3)
        _, directory, environment = json.loads(asked)
        key = configuration(environment, directory)
        if key not in servers:
            servers[key] = f"{address}{len(servers)}"
            _start("serve", servers[key], lives, directory, environment)
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(servers[key])
            _send(server, asked, [*streams, os.dup(caller.fileno())])


def _start(role: str, address: str, lives: int, directory: str | Path, environment: dict[str, str]) -> None:
    """Start a process of this module, and wait until it answers. It ends with the pipe. Raises RuntimeError."""
    none = subprocess.DEVNULL
    command = [sys.executable, str(Path(__file__)), role, address, str(lives)]
    started = subprocess.Popen(command, cwd=directory, env=environment, pass_fds=[lives], stdin=none, stdout=none)  # noqa: S603
    while not Path(address).exists():
        if started.poll() is not None:
            raise RuntimeError(f"the process that calls of Ansible go to ended with {started.returncode}")
        time.sleep(0.02)


@contextlib.contextmanager
def ansible() -> Iterator[Path]:
    """Give a directory that has ansible-playbook, for PATH; the processes behind it end with the block."""
    with tempfile.TemporaryDirectory(prefix="ready-warm-") as place:
        address, program = str(Path(place) / "socket"), Path(place) / PROGRAM.name
        program.write_text(CALL.format(python=sys.executable, address=address), encoding="utf-8")
        program.chmod(stat.S_IRWXU)
        reader, writer = os.pipe()
        try:
            _start("distribute", address, reader, ROOT, dict(os.environ))
            yield Path(place)
        finally:
            os.close(reader)
            os.close(writer)


if __name__ == "__main__":
    {"serve": serve, "distribute": distribute}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
