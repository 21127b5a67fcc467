"""The toy as a user has it: brought up, checked, its settings printed, destroyed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from ready.connector import ServiceConnector

from tests.names import own
from tests.system.conftest import Ready, own_stack

NAME = own("sys-toy")


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Ready]:
    """Give a stack of the toy alone; its image goes as well."""
    with own_stack(tmp_path, NAME, ["toy"], {"image_source": "build"}) as ready:
        yield ready
    client = docker.from_env()
    for image in client.images.list("ready/toy"):
        client.images.remove(image.id, force=True)


def test_life(ready: Ready) -> None:
    """It lives as every service does."""
    ready.run("up", "--verify")
    files = {path.stem: json.loads(path.read_text()) for path in ready.directory.rglob("evidence/**/*.json")}
    health = files["health"]["results"]["services"]["toy"]
    assert (health["state"], health["checks"]["word"]["verdict"]) == ("healthy", "pass")
    tried = {check["id"]: check["verdict"] for check in files["security"]["results"]["checks"]}
    assert {tried[name] for name in ("no_password", "wrong_password", "unknown_login")} == {"pass"}
    assert files["latency"]["results"]["services"]["toy"]["page"]["p95_ms"] > 0
    ready.stack.write()
    ready.stack.check()

    printed = dict(line.split("=", 1) for line in ready.run("env", "--secrets").out.splitlines() if "=" in line)
    with ServiceConnector.from_settings(printed) as services:
        assert services.services == ("toy",)
        assert services.validate_all_services() == {"toy": True}
        assert services.toy().get("/cgi-bin/word").text == "ready"

    ready.run("destroy", "--volumes", "--yes")
    assert docker.from_env().containers.list(all=True, filters={"label": f"io.ready.stack={NAME}"}) == []
