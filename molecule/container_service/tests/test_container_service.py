"""What the role promises for any service: labels, volumes, network, config volume."""

from __future__ import annotations

from typing import Any

import docker

from tests.hardening import assert_hardened
from tests.stack import molecule_stack

STACK = molecule_stack(["redis", "chromadb"])


def test_everything_carries_the_label() -> None:
    """Containers, volumes and the network do; the stack may have more services than these two."""
    client = docker.from_env()
    wanted: dict[str, Any] = {"label": f"io.ready.stack={STACK.name}"}
    containers = {item.name for item in client.containers.list(filters=wanted)}
    assert containers >= {f"{STACK.name}-redis", f"{STACK.name}-chromadb"}
    volumes = {item.name for item in client.volumes.list(filters=wanted)}
    names = ("redis_data", "redis_config", "chromadb_data", "chromadb_config")
    assert volumes >= {f"{STACK.name}_{name}" for name in names}
    assert [item.name for item in client.networks.list(filters=wanted)] == [STACK.name]


def test_healthy_and_hardened() -> None:
    """Both run as they must, and answer."""
    for service in ("redis", "chromadb"):
        assert_hardened(STACK, service)
    STACK.write()
    STACK.check()


def test_origin_is_on_the_data_volume() -> None:
    """Source, data format and engine version of what made the data."""
    labels = docker.from_env().volumes.get(f"{STACK.name}_redis_data").attrs["Labels"]
    assert labels["io.ready.source"] == "build"
    assert labels["io.ready.data_format"] == "rdb-10"
    assert labels["io.ready.engine_version"].startswith("7.")
