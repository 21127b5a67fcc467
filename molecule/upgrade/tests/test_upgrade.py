"""After an upgrade: the new engine, the old data, the copy that was kept, and evidence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import docker

from tests.stack import molecule_stack

STACK = molecule_stack(["redis"])


def test_new_engine_old_data() -> None:
    """Redis 8 answers with the key that Redis 7 was given, and takes new ones."""
    client = STACK.redis()
    assert client.get("before") == "upgrade"
    assert STACK.redis("monitor").info("server")["redis_version"].startswith("8.")
    STACK.write("redis")
    STACK.check("redis")


def test_volumes_say_what_made_them() -> None:
    """The moved data are of 8, the kept ones of 7 and of no service."""
    volumes = docker.from_env().volumes
    moved = volumes.get(f"{STACK.name}_redis_data").attrs["Labels"]
    kept = volumes.get(f"{STACK.name}_redis_data_before_8").attrs["Labels"]
    assert (moved["io.ready.engine_version"][:2], moved["io.ready.data_format"]) == ("8.", "rdb-12")
    assert (kept["io.ready.engine_version"][:2], kept["io.ready.data_format"]) == ("7.", "rdb-10")
    assert "io.ready.service" not in kept


def test_evidence() -> None:
    """It says what was moved, and what the store held afterwards."""
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "evidence", STACK.name, "localhost", "upgrade.json")
    written = json.loads(path.read_text())
    redis = written["results"]["services"]["redis"]
    assert written["verdict"] == "pass"
    assert redis["contents"] == {"db0 keys": 1}
    assert redis["kept"] == [f"{STACK.name}_redis_data_before_8"]


def test_nothing_is_left() -> None:
    """No container or volume of the upgrade itself, no journal and no lock."""
    wanted: dict[str, Any] = {"label": [f"io.ready.stack={STACK.name}", "io.ready.upgrade"]}
    assert docker.from_env().containers.list(all=True, filters=wanted) == []
    assert list(Path("/var/lib/ready").glob(f"upgrade-{STACK.name}.*")) == []
