"""`./ready check` when containers, disks and ports are at fault; faults of the data are in test_check.py."""

from __future__ import annotations

import json
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import redis

from tests.names import own
from tests.system.conftest import Ready, Result, own_stack

NAME = own("sys-check-faults")


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack of two that is up; Redis' data are on a disk of 16 MiB."""
    with own_stack(tmp_path_factory.mktemp("faults"), NAME, ["redis", "neo4j"]) as ready:
        ready.run("up")
        ready.stack.container("redis").remove(force=True)
        client = docker.from_env()
        volume = client.volumes.get(f"{NAME}_redis_data")
        volume.remove()
        disk = {"type": "tmpfs", "device": "tmpfs", "o": "size=16m,uid=999,gid=1000"}
        client.volumes.create(volume.name, driver="local", driver_opts=disk, labels=volume.attrs["Labels"])
        ready.run("up")
        yield ready


def check(ready: Ready, code: int) -> tuple[Result, dict[str, Any]]:
    """Run the verb; return what it printed and the services of its evidence."""
    result = ready.run("check", "--only", "health,drift", "--deadline", "8", code=code)
    evidence = json.loads((ready.directory / "evidence" / NAME / "localhost" / "health.json").read_text())
    return result, evidence["results"]["services"]


def failed(services: dict[str, Any], name: str) -> set[str]:
    """Return the checks of a service that failed."""
    return {check for check, outcome in services[name]["checks"].items() if outcome["verdict"] == "fail"}


def made_by_hand(ready: Ready, service: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Make a service's container anew as somebody would by hand, with its configuration edited."""
    client = docker.from_env()
    container = ready.stack.container(service)
    attrs = container.attrs
    config = {**attrs["Config"], "HostConfig": attrs["HostConfig"]}
    config["NetworkingConfig"] = {"EndpointsConfig": {NAME: {"Aliases": [service]}}}
    edit(config)
    container.remove(force=True)
    made = client.api.create_container_from_config(config, name=container.name)  # type: ignore[no-untyped-call]
    client.api.start(made["Id"])


def test_killed(checked: Ready) -> None:
    """The container's row says how it ended."""
    checked.stack.container("redis").kill()
    result, services = check(checked, 2)
    assert services["redis"]["state"] == "exited"
    assert "exited with code 137" in result.text
    assert not failed(services, "neo4j")
    checked.run("up")


def test_out_of_memory(checked: Ready) -> None:
    """The kernel's kill is told as what it is, with the variable to change."""
    container = checked.stack.container("redis")
    container.update(mem_limit="24m", memswap_limit="24m", restart_policy={"Name": "no"})
    admin = checked.stack.redis("admin")
    admin.config_set("maxmemory", "0")
    admin.config_set("appendonly", "no")
    admin.config_set("save", "")
    with pytest.raises(redis.ConnectionError):
        deque(admin.set(f"filler:{number}", os.urandom(2**20)) for number in range(64))
    for _ in range(40):
        if checked.stack.container("redis").status == "exited":
            break
        time.sleep(0.25)
    result, services = check(checked, 2)
    assert "killed for lack of memory" in result.text
    assert "redis_memory higher than" in result.text
    assert "memory: found" in " ".join(services["redis"]["drift"])
    checked.run("up")


def test_full_disk(checked: Ready) -> None:
    """Redis refuses to write: the check says so in Redis' own words, and recovers with the disk."""
    container = checked.stack.container("redis")
    container.exec_run(["sh", "-c", "dd if=/dev/zero of=/data/filler bs=1M; dd if=/dev/zero of=/data/more bs=512"])
    client = checked.stack.redis()
    with pytest.raises(redis.ResponseError, match="MISCONF"):  # it tells at the write after the one that failed
        deque((client.set("user:1", "x" * 10_000), time.sleep(0.2)) for _ in range(20))  # type: ignore[func-returns-value]
    _, services = check(checked, 2)
    assert "key_value" in failed(services, "redis")
    assert "No space left" in services["redis"]["checks"]["key_value"]["detail"] or (
        "MISCONF" in services["redis"]["checks"]["key_value"]["detail"]
    )
    assert not failed(services, "neo4j")
    container.exec_run(["rm", "-f", "/data/filler", "/data/more"])
    time.sleep(2)  # Redis tries to write again every second
    client.delete("user:1")


def test_read_only_volume(checked: Ready) -> None:
    """Redis can't start on it; drift names the mount, and `up` puts it back."""

    def edit(config: dict[str, Any]) -> None:
        host = config["HostConfig"]
        host["Binds"] = [item.replace("/data:rw", "/data:ro") for item in host["Binds"] or []]
        for mount in host.get("Mounts") or []:
            mount["ReadOnly"] = mount["ReadOnly"] or mount["Target"] == "/data"

    made_by_hand(checked, "redis", edit)
    time.sleep(2)
    _, services = check(checked, 2)
    assert f"volumes /data: found {NAME}_redis_data:ro, expected {NAME}_redis_data:rw" in services["redis"]["drift"]
    assert failed(services, "redis")
    checked.run("up")


def test_port_hijacked(checked: Ready) -> None:
    """Another process answers on Redis' port: the check fails, and `up` names the process and changes nothing."""
    port = checked.stack.variables["redis_port"]
    checked.stack.container("redis").stop()
    with socket.create_server(("127.0.0.1", port)):
        _, services = check(checked, 2)
        assert failed(services, "redis") == {"memory", "key_value", "persistence"}
        refused = checked.run("up", code=2)
        assert f"pid {os.getpid()}" in refused.text
        assert f"Port {port} (redis)" in refused.text
    checked.run("up")


def test_apoc_missing(checked: Ready) -> None:
    """Neo4j is healthy without its plugin: only who asks for it sees that, and drift names the setting."""

    def edit(config: dict[str, Any]) -> None:
        config["Env"] = [item for item in config["Env"] if not item.startswith("NEO4J_PLUGINS=")]

    made_by_hand(checked, "neo4j", edit)
    checked.stack.await_docker_health()
    _, services = check(checked, 2)
    assert failed(services, "neo4j") == {"apoc"}
    assert "apoc" in services["neo4j"]["checks"]["apoc"]["detail"]
    assert "env NEO4J_PLUGINS: missing" in services["neo4j"]["drift"]
    checked.run("up")


def test_evidence_of_up_keeps_what_check_found(checked: Ready) -> None:
    """An `up` with nothing to do leaves the deeper evidence; a restarted container's is written anew."""
    path = Path(checked.directory) / "evidence" / NAME / "localhost" / "health.json"
    _, services = check(checked, 0)
    assert not failed(services, "redis") | failed(services, "neo4j")
    before = path.read_bytes()
    assert checked.run("up").changed == 0
    assert path.read_bytes() == before
    checked.run("restart", "--service", "redis")
    checked.run("up")
    assert not any("checks" in its for its in json.loads(path.read_text())["results"]["services"].values())


def test_made_of_another_image(checked: Ready) -> None:
    """Somebody replaced the image and copied the rest, labels too: it is named, and `up` makes it of its own again."""
    client = docker.from_env()
    container = checked.stack.container("redis")
    own, other = container.attrs["Image"], container.commit().id
    try:
        made_by_hand(checked, "redis", lambda config: config.update(Image=other))
        checked.stack.await_docker_health()
        _, services = check(checked, 2)
        assert services["redis"]["drift"] == [f"image: found {other[:19]}, expected {own[:19]}"]
        checked.run("up")
    finally:
        client.images.remove(other, force=True)
    assert checked.stack.container("redis").attrs["Image"] == own
    assert check(checked, 0)[1]["redis"]["drift"] == []
    assert checked.run("up").changed == 0
