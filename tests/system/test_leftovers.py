"""What a whole life leaves on the host: nothing. Runs alone, for other tests' containers have such volumes too."""

from __future__ import annotations

import re
from pathlib import Path

import docker

from tests.names import own
from tests.system.conftest import own_stack

NAME = own("sys-leftovers")


def anonymous_volumes() -> set[str]:
    """Return the volumes that nobody named: Docker makes them of an image's VOLUME lines."""
    return {str(item.name) for item in docker.from_env().volumes.list() if re.fullmatch("[0-9a-f]{64}", str(item.name))}


def test_no_anonymous_volume_is_left(tmp_path: Path) -> None:
    """Neither by `up`, a change, a check, nor by `destroy`."""
    before = anonymous_volumes()
    with own_stack(tmp_path, NAME, ["postgresql", "neo4j", "chromadb", "redis"]) as ready:
        ready.run("up")
        ready.set(redis_memory="200m")
        ready.run("up")
        ready.run("check", "--only", "health,security")
        ready.run("destroy", "--volumes", "--yes")
        assert anonymous_volumes() <= before
