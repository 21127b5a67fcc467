# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the programs of tests/clients/apps in a container that is in a stack's network, as the app account."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from ready.connections.settings import CERTIFICATES, settings
from ready.docker import execute
from ready.images.build import BUILD_TIMEOUT

from tests.clients.image import built
from tests.names import ROOT
from tests.stack import Stack

APPS = ROOT / "tests" / "clients" / "apps"
#: What is no program, but read by them.
HELPERS = {"settings.py", "settings.mjs"}
_ALL = sorted(path.name for path in APPS.iterdir() if path.is_file() and path.name not in HELPERS)
#: What needs the service `ai`, and what does without.
AI_PROGRAMS = [name for name in _ALL if name.startswith("ai_")]
PROGRAMS = [name for name in _ALL if name not in AI_PROGRAMS]
_USER = 10001
_RUN = {".py": "python3", ".mjs": "node"}


def _settings(stack: Stack) -> bytes:
    """Return a tar of what a program reads: never in argv or the environment, where others see it."""
    passwords = {name: stack.passwords(name) for name in stack.resolved["services"]}
    files = {"settings/env.json": json.dumps(settings(stack.resolved, passwords, "container")).encode()}
    for path in map(Path, set(stack.resolved["authorities"].values())):
        files[f"{CERTIFICATES}/{path.name}".lstrip("/")] = path.read_bytes()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid, member.gid = len(content), 0o400, _USER, _USER
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@contextmanager
def clients(stack: Stack) -> Iterator[Container]:
    """Give a container with the clients in the stack's network, gone afterwards."""
    client = docker.from_env(timeout=BUILD_TIMEOUT)
    authorities = [str(CERTIFICATES / Path(path).name) for path in stack.resolved["authorities"].values()]
    options: dict[str, Any] = {
        "name": f"clients-{stack.name}",
        "network": stack.name,
        "environment": {"HOME": "/tmp"} | dict(zip(["NODE_EXTRA_CA_CERTS"], authorities, strict=False)),
        "volumes": {str(APPS): {"bind": "/clients/apps", "mode": "ro"}},
        "working_dir": "/clients/apps",
        "cap_drop": ["ALL"],
        "mem_limit": "1g",
    }
    container = client.containers.create(built(client), **options)
    try:
        container.put_archive("/", _settings(stack))
        container.start()
        yield container
    finally:
        container.remove(force=True, v=True)


def run(container: Container, program: str) -> None:
    """Run a program to its end; fail with its name and with what the store answered."""
    done = execute.run(container, ["timeout", "180", _RUN[Path(program).suffix], program])
    said = done.output.decode(errors="replace").strip()
    assert done.exit_code == 0, f"{program} ended with {done.exit_code}: {said[-3000:]}"
