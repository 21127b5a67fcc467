"""`./ready check` when containers, disks and ports are at fault; faults of the data are in test_check.py."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import redis
from ready.evidence import document as evidence

from tests.names import own
from tests.system.checks import check, kept
from tests.system.conftest import Ready, own_stack
from tests.waiting import until

NAME = own("sys-check-faults")


def made_by_hand(
    ready: Ready,
    service: str,
    edit: Callable[[dict[str, Any]], None] = lambda _: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Remake a service's container as somebody would by hand, with its configuration edited."""
    client = docker.from_env()
    container = ready.stack.container(service)
    attrs = container.attrs
    config = {**attrs["Config"], "HostConfig": attrs["HostConfig"]}
    config["NetworkingConfig"] = {"EndpointsConfig": {NAME: {"Aliases": [service]}}}
    edit(config)
    container.remove(force=True, v=True)
    meanwhile()
    made = client.api.create_container_from_config(config, name=container.name)  # type: ignore[no-untyped-call]
    client.api.start(made["Id"])


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack of two that is up; Redis' data are on a disk of 16 MiB."""
    with own_stack(tmp_path_factory.mktemp("faults"), NAME, ["redis", "neo4j"]) as ready:
        ready.run("up")
        client = docker.from_env()

        def small() -> None:
            volume = client.volumes.get(f"{NAME}_redis_data")
            volume.remove()
            disk = {"type": "tmpfs", "device": "tmpfs", "o": "size=16m,uid=999,gid=1000"}
            client.volumes.create(volume.name, driver="local", driver_opts=disk, labels=volume.attrs["Labels"])

        made_by_hand(ready, "redis", meanwhile=small)
        answering(ready)
        yield ready


def answering(ready: Ready) -> None:
    """Wait until Redis answers; its disk is empty after each start."""

    def answers() -> bool:
        try:
            return bool(ready.stack.redis().ping())
        except redis.RedisError:
            return False

    until(answers, "an answer from Redis")


def test_killed(checked: Ready) -> None:
    """The container's row says how it ended."""
    checked.stack.container("redis").kill()
    until(lambda: checked.stack.container("redis").status == "exited", "the end of Redis")
    found = check(checked)
    assert found.services["redis"]["state"] == "exited"
    assert "exited with code 137" in found.text
    assert not found.unwell("neo4j")
    checked.stack.container("redis").start()
    answering(checked)


def test_out_of_memory(checked: Ready) -> None:
    """The kernel's kill is reported as what it is, with the variable to change."""
    container = checked.stack.container("redis")
    before = container.attrs["HostConfig"]
    container.update(mem_limit="24m", memswap_limit="24m", restart_policy={"Name": "no"})
    admin = checked.stack.redis("admin")
    admin.config_set("maxmemory", "0")
    admin.config_set("appendonly", "no")
    admin.config_set("save", "")
    with pytest.raises(redis.ConnectionError):
        deque(admin.set(f"filler:{number}", os.urandom(2**20)) for number in range(64))
    until(lambda: checked.stack.container("redis").status == "exited", "the end of Redis")
    found = check(checked)
    assert "killed for lack of memory" in found.text
    assert "redis_memory higher than" in found.text
    assert "memory: found" in " ".join(found.services["redis"]["drift"])
    policy = before["RestartPolicy"]
    container.update(mem_limit=before["Memory"], memswap_limit=before["MemorySwap"], restart_policy=policy)
    container.start()
    answering(checked)


def test_full_disk(checked: Ready) -> None:
    """Redis refuses to write: the check says so in Redis' own words, and recovers with the disk."""
    container = checked.stack.container("redis")
    container.exec_run(["sh", "-c", "dd if=/dev/zero of=/data/filler bs=1M; dd if=/dev/zero of=/data/more bs=512"])
    client = checked.stack.redis()

    def refused() -> str:
        try:
            client.set("user:1", "x" * 10_000)
        except redis.ResponseError as error:
            return str(error)
        return ""

    until(lambda: "MISCONF" in refused(), "a refusal")  # it comes at the write after the one that failed
    found = check(checked)
    assert "key_value" in found.unwell("redis")
    detail = found.services["redis"]["checks"]["key_value"]["detail"]
    assert "No space left" in detail or "MISCONF" in detail
    assert not found.unwell("neo4j")
    container.exec_run(["rm", "-f", "/data/filler", "/data/more"])
    until(lambda: not refused(), "Redis writing again")  # it tries every second
    client.delete("user:1")
    assert check(checked).well("redis")


def test_port_hijacked(checked: Ready) -> None:
    """Another process answers on Redis' port: the check fails, and `up` names the process and changes nothing."""
    port = checked.stack.variables["redis_port"]
    container = checked.stack.container("redis")
    container.stop()
    with socket.create_server(("127.0.0.1", port)):
        assert check(checked, timeout=3).unwell("redis") == {"memory", "key_value", "persistence"}
        refused = checked.run("up", code=2)
        assert f"pid {os.getpid()}" in refused.text
        assert f"Port {port} (redis)" in refused.text
    container.start()
    answering(checked)


def test_made_by_hand(checked: Ready) -> None:
    """Somebody replaced an image and copied the rest, labels too, made a volume read-only, and left a plugin out.

    Redis can't start so. Neo4j is healthy without its plugin: only who asks for it sees that. Drift names each of them,
    and `up` makes the containers as the inventory has them, Redis of its own image again.
    """
    client = docker.from_env()
    container = checked.stack.container("redis")
    own_image, other = container.attrs["Image"], container.commit().id

    def read_only(config: dict[str, Any]) -> None:
        config.update(Image=other)
        host = config["HostConfig"]
        host["Binds"] = [item.replace("/data:rw", "/data:ro") for item in host["Binds"] or []]
        for mount in host.get("Mounts") or []:
            mount["ReadOnly"] = mount["ReadOnly"] or mount["Target"] == "/data"

    def without_apoc(config: dict[str, Any]) -> None:
        config["Env"] = [item for item in config["Env"] if not item.startswith("NEO4J_PLUGINS=")]

    try:
        made_by_hand(checked, "neo4j", without_apoc)
        made_by_hand(checked, "redis", read_only)
        until(lambda: checked.stack.container("neo4j").health == "healthy", "a healthy Neo4j", 300)
        found = check(checked)
        assert set(found.services["redis"]["drift"]) == {
            f"image: found {other[:19]}, expected {own_image[:19]}",
            f"volumes /data: found {NAME}_redis_data:ro, expected {NAME}_redis_data:rw",
        }
        assert found.unwell("redis")
        assert found.unwell("neo4j") == {"apoc"}
        assert "apoc" in found.services["neo4j"]["checks"]["apoc"]["detail"]
        assert "env NEO4J_PLUGINS: missing" in found.services["neo4j"]["drift"]
        checked.run("up")
    finally:
        client.images.remove(other, force=True)
    assert checked.stack.container("redis").attrs["Image"] == own_image
    assert not check(checked).failed


def test_evidence_of_up_keeps_what_check_found(checked: Ready) -> None:
    """An `up` with nothing to do leaves the deeper evidence; a restarted container's is written again."""
    checked.stack.await_docker_health()
    found = check(checked).evidence["health"]
    path = evidence.write(Path(checked.directory) / "evidence", found)
    before = path.read_bytes()
    assert checked.run("up").changed == 0
    assert path.read_bytes() == before
    checked.stack.container("redis").restart()
    checked.run("up")
    assert not any("checks" in its for its in kept(checked)["results"]["services"].values())
