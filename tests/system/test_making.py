"""Containers as `up` makes them: equal to what the plan compares them with, and what stands in their way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import pytest
from ready.docker.apply import make
from ready.docker.spec import ContainerSpec
from ready.stack.definitions import load_definitions, resolve_stack

from tests.built import image_of
from tests.cleanup import remove
from tests.names import own
from tests.system.conftest import pause
from tools.ports import free_ports

NAME = own("sys-making")


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    """Return a client; what the tests made is removed when one ends."""
    remove(NAME)
    yield docker.from_env()
    remove(NAME)


@pytest.fixture
def stack(client: docker.DockerClient) -> dict[str, Any]:
    """Return a stack whose services only sleep, on volumes that are there."""
    names = ["redis", "chromadb"]
    ports = dict(zip(("redis_port", "chromadb_port"), free_ports(2), strict=True))
    variables = {"stack_name": NAME, "ready_services": names, "ready_bind_address": "127.0.0.1"} | ports
    resolved: dict[str, Any] = resolve_stack(load_definitions(), variables)
    for service in resolved["services"].values():
        service |= {"entrypoint": ["sleep"], "command": ["600"], "stop_timeout": 1, "config_hash": "hash"}
        service["env"] = {"WORD": "two words"}
        for volume in [*service["volumes"], {"name": service["config_volume"]}]:
            client.volumes.create(volume["name"], labels={"io.ready.stack": NAME})
    return resolved


def do(client: docker.DockerClient, stack: dict[str, Any], *actions: tuple[str, str]) -> tuple[list[str], list[str]]:
    """Do this with the services, and return what was done and what could not be."""
    image = client.images.get(image_of("redis"))
    specs = {
        name: ContainerSpec.from_service(service, NAME, stack["network"], str(image.id)).made_from(image_of("redis"))
        for name, service in stack["services"].items()
    }
    plan = [{"service": service, "action": action} for service, action in actions]
    made = make(client, "pc1", NAME, stack["network"], plan, specs)
    return made.lines, made.faults


def test_they_are_what_the_plan_wants(client: docker.DockerClient, stack: dict[str, Any]) -> None:
    """No drift, by name in the network; made again the volumes stay; what runs is not started a second time."""
    lines, faults = do(client, stack, ("redis", "create"), ("chromadb", "create"))
    assert faults == []
    assert lines == [
        f"create {what}" for what in (f"network {NAME}", *(f"container {NAME}-{n}" for n in stack["services"]))
    ]
    network = client.networks.list(names=[NAME])[0]
    assert network.attrs["Labels"] == {"io.ready.stack": NAME}
    first = {}
    for name, service in stack["services"].items():
        container = client.containers.get(f"{NAME}-{name}")
        first[name] = container.id
        image = client.images.get(container.attrs["Image"])
        image_env = dict(item.partition("=")[::2] for item in image.attrs["Config"]["Env"])
        want = ContainerSpec.from_service(service, NAME, stack["network"], image.id)
        assert want.diff(ContainerSpec.from_inspect(container.attrs, image_env)) == {}, name
        assert container.status == "running"
        assert name in container.attrs["NetworkSettings"]["Networks"][NAME]["Aliases"]
    assert do(client, stack, ("redis", "start"), ("chromadb", "start")) == ([], [])
    pause(client.containers.get(f"{NAME}-redis"))
    client.containers.get(f"{NAME}-chromadb").stop(timeout=0)
    lines, faults = do(client, stack, ("redis", "start"), ("chromadb", "start"))
    assert (len(lines), faults) == (2, [])
    assert {name: client.containers.get(f"{NAME}-{name}").id for name in first} == first
    assert do(client, stack, ("redis", "recreate")) == ([f"recreate container {NAME}-redis"], [])
    again = client.containers.get(f"{NAME}-redis")
    assert again.id != first["redis"]
    assert again.status == "running"
    assert client.volumes.get(stack["services"]["redis"]["volumes"][0]["name"])


def test_what_is_not_ours_is_not_touched(client: docker.DockerClient, stack: dict[str, Any]) -> None:
    """A container that has the name is a fault with the host and the next step, and the other service is made."""
    theirs = client.containers.create(image_of("redis"), ["600"], entrypoint=["sleep"], name=f"{NAME}-redis")
    try:
        lines, faults = do(client, stack, ("redis", "recreate"), ("chromadb", "create"))
        assert lines[-1] == f"create container {NAME}-chromadb"
        assert [fault.partition(";")[0] for fault in faults] == [
            f"pc1: container {NAME}-redis: found one that is not of the stack {NAME}"
        ]
        assert "Next:" in faults[0]
        theirs.reload()
        assert theirs.status == "created"
    finally:
        theirs.remove(force=True, v=True)


def test_a_port_that_is_taken(client: docker.DockerClient, stack: dict[str, Any]) -> None:
    """The daemon's words are shown; the other service is made, and the next run starts what is there."""
    stack["services"]["redis"]["ports"][0]["host"] = stack["services"]["chromadb"]["ports"][0]["host"]
    lines, faults = do(client, stack, ("chromadb", "create"), ("redis", "create"))
    assert lines[-1] == f"create container {NAME}-chromadb"
    assert len(faults) == 1
    assert "port is already allocated" in faults[0]
    assert faults[0].endswith("expected it to start. Next: remove the cause, then ./ready up")
    assert client.containers.get(f"{NAME}-redis").status == "created"
    client.containers.get(f"{NAME}-chromadb").remove(force=True, v=True)
    assert do(client, stack, ("redis", "start")) == ([f"start container {NAME}-redis"], [])
