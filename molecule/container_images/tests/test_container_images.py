"""The built images: ours, as their recipe says, and nothing of the build in them."""

from __future__ import annotations

import docker
import pytest

from tests.built import image_of

SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


@pytest.mark.parametrize("service", SERVICES)
def test_image(service: str) -> None:
    """It carries its origin, runs as its own user, and keeps its list of packages but no package cache."""
    client = docker.from_env()
    image = client.images.get(image_of(service))
    assert image.labels["io.ready.source"] == "build"
    assert image.labels["io.ready.engine_version"]
    assert image.attrs["Config"]["User"].split(":")[0] not in {"", "0", "root"}
    leftovers = "/var/lib/apt/lists/*Packages* /root/.m2 /root/.cache/pip"
    script = f"test -s /usr/share/ready/packages.txt && ! ls {leftovers} 2>/dev/null"
    container = client.containers.create(str(image.id), ["-c", script], entrypoint=["sh"], user="0")
    try:
        container.start()
        assert container.wait(timeout=60)["StatusCode"] == 0
        assert container.logs() == b""
    finally:
        container.remove(v=True, force=True)  # with its volumes, which `run(remove=True)` leaves
