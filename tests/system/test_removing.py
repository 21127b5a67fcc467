"""What `destroy` removes from Docker, thing by thing: what it must leave, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import NotFound
from ready.docker import apply_removal as removing
from ready.docker.state import connect

from tests.built import image_of
from tests.cleanup import remove
from tests.names import own
from tests.system.conftest import pause
from tests.system.dockerevents import Events

NAME = own("sys-removing")
OTHER = own("sys-removing-other")


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    """Return a client; what the tests made is removed when one ends."""
    for stack in (NAME, OTHER):
        remove(stack)
    yield docker.from_env()
    for stack in (NAME, OTHER):
        remove(stack)


@pytest.fixture
def image(client: docker.DockerClient) -> str:
    """Return an image that has a shell."""
    return str(client.images.get(image_of("redis")).id)


def container(client: docker.DockerClient, image: str, name: str, stack: str = NAME, **options: Any) -> Any:
    """Start a container that ends by itself when it is told to."""
    options = {"labels": {"io.ready.stack": stack}, "network_mode": "none"} | options
    script = "trap 'exit 0' TERM; sleep 600 & wait"
    made = client.containers.create(image, ["-c", script], entrypoint=["sh"], name=f"{NAME}-{name}", **options)
    made.start()
    return made


def run(tmp_path: Path, wanted: dict[str, list[str]], *, dry_run: bool = False) -> removing.Removed:
    """Remove things of the stack by name."""
    sidecars = {"wal": {"of": "redis"}, "front": {"of": "neo4j", "publishes": True}}
    stack = {"name": NAME, "probes": {"directory": str(tmp_path / "probes")}, "sidecars": sidecars}
    everything: dict[str, list[str]] = {"containers": [], "networks": [], "volumes": []}
    return removing.remove_stack(connect, stack, everything | wanted, "pc1", data=False, dry_run=dry_run)


def there(kind: Any, name: str) -> bool:
    """Return whether Docker has it."""
    try:
        kind.get(name)
    except NotFound:
        return False
    return True


def test_everything_of_ours_and_nothing_else(client: docker.DockerClient, image: str, tmp_path: Path) -> None:
    """Running, paused and stopped ones go, then network and volumes; what has another label stays."""
    labels = {"io.ready.stack": NAME}
    client.networks.create(NAME, labels=labels)
    client.volumes.create(f"{NAME}_data", labels=labels)
    client.volumes.create(f"{NAME}_theirs", labels={"io.ready.stack": OTHER})
    container(client, image, "runs", network=NAME, network_mode=None, volumes=[f"{NAME}_data:/data"])
    pause(container(client, image, "paused"))
    container(client, image, "stopped").stop(timeout=1)
    theirs = container(client, image, "theirs", OTHER, network=NAME, network_mode=None)
    names = {
        "containers": [f"{NAME}-{name}" for name in ("runs", "paused", "stopped", "theirs", "never-there")],
        "networks": [NAME],
        "volumes": [f"{NAME}_data", f"{NAME}_theirs", f"{NAME}_never_there"],
    }
    said = [f"remove container {NAME}-{name}" for name in ("runs", "paused", "stopped")]
    said += [f"remove network {NAME}", f"remove volume {NAME}_data"]
    assert run(tmp_path, names, dry_run=True) == removing.Removed(said, [])
    assert client.containers.get(f"{NAME}-paused").status == "paused"
    assert there(client.networks, NAME)
    assert run(tmp_path, names) == removing.Removed(said, [])
    assert not any(there(client.containers, f"{NAME}-{name}") for name in ("runs", "paused", "stopped"))
    assert not there(client.networks, NAME)
    assert not there(client.volumes, f"{NAME}_data")
    assert there(client.volumes, f"{NAME}_theirs")
    theirs.reload()
    assert theirs.status == "running"
    assert run(tmp_path, names) == removing.Removed([], [])


def test_they_stop_at_the_same_time(client: docker.DockerClient, image: str, tmp_path: Path) -> None:
    """Three that take a while to end are all told to before the first of them has ended.

    A sidecar is stopped after its service, one that publishes its ports before it.
    """
    slow = ["-c", "trap 'sleep 5; exit 0' TERM; sleep 600 & wait"]
    for name, service in (
        ("one", "redis"),
        ("two", "neo4j"),
        ("three", "chromadb"),
        ("wal", "wal"),
        ("front", "front"),
    ):
        labels = {"io.ready.stack": NAME, "io.ready.service": service}
        made = client.containers.create(
            image, slow, entrypoint=["sh"], name=f"{NAME}-{name}", labels=labels, network_mode="none"
        )
        made.start()
    names = [f"{NAME}-{name}" for name in ("wal", "one", "two", "three", "front")]
    moments: dict[tuple[str, str], int] = {}
    with Events(NAME, "kill", "die") as events:
        assert run(tmp_path, {"containers": names}).faults == []
        for event in events.until_now():
            its = event["Actor"]["Attributes"]["name"].removeprefix(f"{NAME}-")
            moments.setdefault((its, event["Action"]), event["timeNano"])
    together = ("one", "two", "three")
    assert max(moments[name, "kill"] for name in together) < min(moments[name, "die"] for name in together), moments
    assert moments["wal", "kill"] > max(moments[name, "die"] for name in together), moments
    assert moments["front", "die"] < min(moments[name, "kill"] for name in together), moments


def test_a_volume_in_use_does_not_hide_the_rest(client: docker.DockerClient, image: str, tmp_path: Path) -> None:
    """It is named with the host, what was found and the next step; all others go, and the next run finishes."""
    labels = {"io.ready.stack": NAME}
    for name in ("busy", "free"):
        client.volumes.create(f"{NAME}_{name}", labels=labels)
    container(client, image, "ours")
    theirs = container(client, image, "theirs", OTHER, volumes=[f"{NAME}_busy:/data"])
    names = {"containers": [f"{NAME}-ours"], "volumes": [f"{NAME}_busy", f"{NAME}_free"]}
    found = run(tmp_path, names)
    assert found.lines == [f"remove container {NAME}-ours", f"remove volume {NAME}_free"]
    assert len(found.faults) == 1
    assert found.faults[0].startswith(f"pc1: volume {NAME}_busy was not removed: found ")
    assert "volume is in use" in found.faults[0]
    assert found.faults[0].endswith("Next: remove the cause, then ./ready destroy again")
    theirs.remove(force=True, v=True)
    assert run(tmp_path, names) == removing.Removed([f"remove volume {NAME}_busy"], [])


def test_what_a_container_uses_stays_with_it(
    client: docker.DockerClient, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not end in time is named and keeps its volume and the network; the other one's volume goes."""
    labels = {"io.ready.stack": NAME}
    client.networks.create(NAME, labels=labels)
    for name in ("slow", "quick"):
        client.volumes.create(f"{NAME}_{name}", labels=labels)
        container(client, image, name, network=NAME, network_mode=None, volumes=[f"{NAME}_{name}:/data"])
    slow = client.containers.get(f"{NAME}-slow")
    stop_and_remove = removing._stop_and_remove
    monkeypatch.setattr(
        removing, "_stop_and_remove", lambda each: "no end" if each.id == slow.id else stop_and_remove(each)
    )
    names = {
        "containers": [f"{NAME}-slow", f"{NAME}-quick"],
        "networks": [NAME],
        "volumes": [f"{NAME}_slow", f"{NAME}_quick"],
    }
    found = run(tmp_path, names)
    assert found.lines == [f"remove container {NAME}-quick", f"remove volume {NAME}_quick"]
    assert [fault.partition(" was not removed: found ")[::2][1].partition(";")[0] for fault in found.faults] == [
        "no end",
        f"{NAME}-slow still there",
        f"{NAME}-slow still there",
    ]
    assert there(client.networks, NAME)
    assert there(client.volumes, f"{NAME}_slow")
