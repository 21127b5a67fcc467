# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The README's stack beside a whole test run: `python -m tests.default_stack up` before it, `untouched` after it.

Afterwards its containers are the same, not one of them restarted. Where this run has made it, its data must be there as
well, and it is removed. Another checkout's is used as it is: its passwords are there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from ready.secrets.vault import default_key_file

from tests.cleanup import identities
from tests.stack import Stack
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]
NOTE = ROOT / ".cache" / "test" / "default-stack.json"
SECRETS = ROOT / "inventories" / "local" / "host_vars" / "localhost" / "ready_secrets.vault"
#: Where Docker keeps volumes by default.
DATA = Path("/var/lib/docker/volumes")
NAME = "ready"
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


def exists() -> bool:
    """Return whether this host has anything of it, also where its Docker does not run at the moment."""
    try:
        client = docker.from_env()
    except DockerException:
        return any(DATA.glob(f"{NAME}_*_data"))
    wanted: dict[str, Any] = {"label": f"io.ready.stack={NAME}"}
    return bool(client.containers.list(all=True, filters=wanted) or client.volumes.list(filters=wanted))


def starting() -> list[str]:
    """Return its containers that are about to run; one whose `up` was killed stays so for its whole start period."""
    wanted: dict[str, Any] = {"label": f"io.ready.stack={NAME}"}
    found = docker.from_env().containers.list(all=True, filters=wanted)
    return [str(item.name) for item in found if item.status == "restarting" or item.health == "starting"]


def ready(*words: str) -> None:
    """Run the launcher as a user does."""
    subprocess.run([ROOT / "ready", *words], cwd=ROOT, check=True)


def stack() -> Stack:
    """Return it, on the default ports."""
    return Stack(NAME, SECRETS, default_key_file(), {"ready_services": SERVICES})


def up() -> None:
    """Bring it up, put data into it where it is new, and note its containers."""
    made = not exists()
    if made or SECRETS.exists():
        ready("up")
    else:
        print(f"the stack {NAME} is another checkout's: used as it is")
        subprocess.run(["ansible-playbook", "tests/prepare.yml"], cwd=ROOT, check=True)  # Docker may have been stopped
        until(lambda: not starting(), "an end of the containers' start", seconds=300)
    if made:
        stack().write()
    NOTE.write_text(json.dumps({"made": made, "containers": identities(NAME)}))


def untouched() -> None:
    """Compare it with the note, and remove it where this run has made it. Raises AssertionError."""
    noted = json.loads(NOTE.read_text())
    found = {name: list(its) for name, its in identities(NAME).items()}
    try:
        assert found == noted["containers"], f"found {found}, expected {noted['containers']}"
        if noted["made"]:
            stack().check()
    finally:
        if noted["made"]:
            ready("destroy", "--volumes", "--yes")
            SECRETS.unlink()


if __name__ == "__main__":
    {"up": up, "untouched": untouched}[sys.argv[1]]()
