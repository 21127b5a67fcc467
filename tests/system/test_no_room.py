"""A running stack stays as it is where its host has no room for what a newer Ready adds by default."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from ready.stack.argument_specs import role_specs

from tests.system.conftest import Ready

USUAL = role_specs()["stack"]["main"]["options"]["ready_services"]["default"]
ADDED = [name for name in USUAL if name != "redis"]
LIMIT = 300 * 2**20


@pytest.fixture
def older(redis: Ready) -> Iterator[Ready]:
    """Give a running stack that was made without what the default names now, and the port of `ai` to somebody else."""
    redis.run("up")
    redis.set(ready_services=None)
    with socket.create_server(("127.0.0.1", redis.stack.variables["ai_port"])):
        yield redis


def test_it_is_kept_and_changed(older: Ready) -> None:
    """What else differs is changed, a line says what is left out and why, and a second run finds nothing to do."""
    older.set(redis_memory="300m")
    done = older.run("up")
    assert "ai is left out, the running services are kept" in done.text
    assert f"Port {older.stack.variables['ai_port']}" in done.text
    assert older.stack.container("redis").attrs["HostConfig"]["Memory"] == LIMIT
    assert not older.stack.passwords("ai")
    assert older.run("up").changed == 0
    for words in (("check", "--only", "health,drift"), ("status",)):  # a latency depends on what else runs here
        said = older.run(*words).text
        assert all(f"{name} " in said for name in ADDED)
        assert "left out: it was never made" in said
    older.run("secrets", "rotate", "--yes")
    assert not older.stack.passwords("ai")


def test_what_the_inventory_names_itself_is_refused(older: Ready) -> None:
    """Also where it names what the default does."""
    older.set(ready_services=USUAL)
    done = older.run("up", code=None)
    assert done.code != 0
    assert "is left out" not in done.text
    assert f"Port {older.stack.variables['ai_port']}" in done.text
