"""What `up` has to do, from what is."""

from __future__ import annotations

from typing import Any

import pytest
from ready.checks.status import drift
from ready.common.config_file import File
from ready.common.labels import LABEL_DATA_FORMAT, LABEL_IMAGE_ID, LABEL_SOURCE, LABEL_STACK
from ready.docker.drift import summary
from ready.docker.images_in_use import images_in_use
from ready.docker.plan import bound_sources, make_plan, needs_image, settled
from ready.docker.spec import ContainerSpec
from ready.docker.state import absent_state, read_fingerprints
from ready.stack.render import files_hash, fingerprints
from ready.stack.resolved import PENDING, containers

IMAGES = {
    name: {
        "ref": f"ready/{name}:1",
        "id": f"sha256:{name}",
        "source": "build",
        "data_format": "1",
        "engine_version": "1",
    }
    for name in ("postgresql", "neo4j", "chromadb", "redis", "gateway")
}


def running(stack: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a stack in which everything is as it should be."""
    state = absent_state(containers(stack).values(), "")
    state.update(reachable=True, network={"exists": True, "ours": True})
    for name, service in containers(stack).items():
        image = service.get("image_of", name)
        state["services"][name] = {
            "exists": True, "ours": True, "running": True, "status": "running", "health": "healthy",
            "image": {"id": f"sha256:{image}", "ref": f"ready/{image}:1", "present": True},
            "config": ContainerSpec.from_service(service, "ready", "ready", f"sha256:{image}").as_dict(),
            "files_hash": service.get("config_hash"),
        }  # fmt: skip
    for name, volume in state["volumes"].items():
        origin = {} if name.endswith("_config") else {LABEL_SOURCE: "build", LABEL_DATA_FORMAT: "1"}
        volume.update(exists=True, ours=True, labels={LABEL_STACK: "ready", **origin})
    return state


def reloading(whole_stack: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a stack whose gateway has new keys, and its state."""
    state = running(whole_stack)
    whole_stack["services"]["gateway"]["reload_hash"] = "new keys"
    state["services"]["gateway"]["reload_hash"] = "old keys"
    return whole_stack, state


def test_files_that_a_running_container_takes_over(whole_stack: dict[str, Any]) -> None:
    """They are written, and it is neither tried nor recreated; `status` says that they differ."""
    stack, state = reloading(whole_stack)
    plan = make_plan(stack, state, images_in_use(stack, state, {}))
    assert (plan["files"], plan["reload"], plan["actions"]["gateway"]) == (["gateway"], ["gateway"], "reload")
    assert (plan["containers"], plan["tried"], plan["kept"], plan["specs"]) == ([], [], [], {})
    assert plan["changes"]
    assert not settled(stack, state)
    assert list(drift(stack, "gateway", state["services"]["gateway"])) == ["/run/ready"]


@pytest.mark.parametrize(
    ("found", "action"),
    [
        ({"running": False, "status": "exited"}, "start"),
        ({"status": "paused"}, "recreate"),
        ({"files_hash": "edited"}, "recreate"),
    ],
)
def test_who_takes_nothing_over(whole_stack: dict[str, Any], found: dict[str, Any], action: str) -> None:
    """What does not run, or is another container anyway, starts with them; one that is paused has the old ones read."""
    stack, state = reloading(whole_stack)
    state["services"]["gateway"].update(found)
    plan = make_plan(stack, state, images_in_use(stack, state, {}))
    assert (plan["files"], plan["reload"], plan["actions"]["gateway"]) == (["gateway"], [], action)


def test_a_paused_one_with_its_own_files(whole_stack: dict[str, Any]) -> None:
    """It needs no other container."""
    state = running(whole_stack)
    state["services"]["gateway"]["status"] = "paused"
    plan = make_plan(whole_stack, state, images_in_use(whole_stack, state, {}))
    assert (plan["files"], plan["actions"]["gateway"]) == ([], "start")


def test_fingerprints(whole_stack: dict[str, Any]) -> None:
    """What makes another container is apart from what one takes over; a reload under way is no reload done."""
    gateway = whole_stack["services"]["gateway"]
    files = [File("haproxy.cfg", b"a"), File("keys.map", b"b"), File("tls/server.key", b"c"), File("secrets/app", b"d")]
    found = fingerprints(gateway, files)
    assert fingerprints(gateway, [files[0], File("keys.map", b"x"), *files[2:]])["config_hash"] == found["config_hash"]
    assert fingerprints(gateway, [File("haproxy.cfg", b"x"), *files[1:]])["reload_hash"] == found["reload_hash"]
    volume = [(file.path, file.mode, gateway["image"]["user"], file.content) for file in files]
    every = files_hash(files, gateway["image"]["user"])
    read = {"files_hash": found["config_hash"], "reload_hash": found["reload_hash"], "every_hash": every}
    assert read_fingerprints(gateway, volume) == read
    pending = read_fingerprints(gateway, [*volume, (PENDING, 0o400, gateway["image"]["user"], b"")])
    assert pending["files_hash"] == read["files_hash"]
    assert pending["reload_hash"] != read["reload_hash"]
    assert fingerprints(gateway, []) == {"config_hash": None, "reload_hash": None}


def test_from_nothing(stack: dict[str, Any]) -> None:
    """Everything is made, and the slowest starter is started first."""
    plan = make_plan(stack, absent_state(stack["services"].values(), "no Docker"), IMAGES)
    assert plan["network"]
    assert len(plan["volumes"]) == 9
    assert [item["service"] for item in plan["containers"]] == ["neo4j", "postgresql", "chromadb", "redis"]
    assert set(plan["actions"].values()) == {"create"}
    assert plan["reconcile"] == ["neo4j", "postgresql", "chromadb", "redis"]


def test_data_volumes_record_their_origin(stack: dict[str, Any]) -> None:
    """Source and data format are on the data volumes alone."""
    plan = make_plan(stack, absent_state(stack["services"].values(), ""), IMAGES)
    volumes = {item["name"]: item["labels"] for item in plan["volumes"]}
    assert volumes["ready_redis_data"][LABEL_SOURCE] == "build"
    assert LABEL_SOURCE not in volumes["ready_redis_config"]


def test_nothing_to_do(stack: dict[str, Any]) -> None:
    """A stack that is as it should be is left alone."""
    state = running(stack)
    plan = make_plan(stack, state, images_in_use(stack, state, {}))
    assert not plan["changes"]
    assert plan["lines"] == []
    assert settled(stack, state)
    assert needs_image(stack, state) == []


def test_one_changed_setting_touches_one_container(stack: dict[str, Any]) -> None:
    """A new memory limit recreates exactly its container and says why."""
    state = running(stack)
    stack["services"]["redis"]["limits"]["memory"] *= 2
    plan = make_plan(stack, state, images_in_use(stack, state, {}))
    assert plan["actions"] == {"postgresql": "none", "neo4j": "none", "chromadb": "none", "redis": "recreate"}
    assert "memory: found 268435456, expected 536870912" in plan["lines"][0]
    assert plan["volumes"] == []


@pytest.mark.parametrize(
    ("drift", "action"),
    [
        ({"running": False, "status": "exited"}, "start"),
        ({"status": "paused"}, "start"),
        ({"files_hash": "edited"}, "recreate"),
        ({"exists": False, "ours": False, "running": False, "status": "absent"}, "create"),
    ],
)
def test_drift_is_healed(stack: dict[str, Any], drift: dict[str, Any], action: str) -> None:
    """A stopped, edited or missing service is brought back, the others are left alone."""
    state = running(stack)
    state["services"]["postgresql"].update(drift)
    assert not settled(stack, state)
    plan = make_plan(stack, state, images_in_use(stack, state, {}))
    assert plan["actions"]["postgresql"] == action
    assert [item["service"] for item in plan["containers"]] == ["postgresql"]


@pytest.mark.parametrize(
    "key", ["privileged", "cap_drop", "read_only", "user", "ports", "volumes", "security_opt", "pids"]
)
def test_each_hardening_drift_is_seen(stack: dict[str, Any], key: str) -> None:
    """What somebody changed by hand on a container is found, whatever it is."""
    want = ContainerSpec.from_service(stack["services"]["redis"], "ready", "ready", "sha256:redis")
    have = want.as_dict() | {key: "something else"}
    assert list(want.diff(ContainerSpec.from_dict(have))) == [key]


def test_a_container_keeps_its_image(stack: dict[str, Any]) -> None:
    """`up` never upgrades: only a missing image or container needs one; rebuild asks for all."""
    state = running(stack)
    state["services"]["neo4j"]["image"]["present"] = False
    assert needs_image(stack, state) == ["neo4j"]
    assert needs_image(stack, state, rebuild=True) == list(stack["services"])
    stack["services"]["redis"]["image"]["override"] = "example/redis:7"
    assert needs_image(stack, state) == ["neo4j", "redis"]


def test_volumes_bind_the_source(stack: dict[str, Any]) -> None:
    """Data that were made by one source's image are bound to that source."""
    state = running(stack)
    assert bound_sources(state) == dict.fromkeys(stack["services"], "build")
    state["volumes"]["ready_redis_data"]["ours"] = False
    assert "redis" not in bound_sources(state)


def test_unhealthy_is_not_settled(stack: dict[str, Any]) -> None:
    """A container that runs but is not healthy is waited for."""
    state = running(stack)
    state["services"]["redis"]["health"] = "starting"
    assert not settled(stack, state)


INSPECTED = {
    "Image": "sha256:redis",
    "Config": {
        "User": "999:1000",
        "Env": ["PATH=/bin", "A=1"],
        "Cmd": ["redis-server", "/run/ready/redis.conf"],
        "Entrypoint": ["tini"],
        "StopTimeout": 60,
        "Labels": {"io.ready.stack": "ready", "io.ready.service": "redis", "io.ready.config": "", "x": "y"},
        "Healthcheck": {
            "Test": ["CMD", "true"],
            "Interval": 10**10,
            "Timeout": 5 * 10**9,
            "Retries": 5,
            "StartPeriod": 3 * 10**10,
        },
    },
    "HostConfig": {
        "Memory": 268435456,
        "MemorySwap": 268435456,
        "NanoCpus": 10**9,
        "PidsLimit": 100,
        "ShmSize": 67108864,
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "Privileged": False,
        "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": True,
        "PortBindings": {"6379/tcp": [{"HostIp": "127.0.0.1", "HostPort": "6379"}]},
        "Tmpfs": {"/tmp": "rw,size=16m"},
        "RestartPolicy": {"Name": "unless-stopped"},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
    },
    "Mounts": [{"Type": "volume", "Name": "ready_redis_data", "Destination": "/data", "RW": True}],
    "NetworkSettings": {"Networks": {"ready": {}}},
}


def test_actual_reads_inspect() -> None:
    """Docker's own form of a container becomes ours."""
    have = ContainerSpec.from_inspect(INSPECTED, {"PATH": "/bin"}).as_dict()
    assert have["env"] == {"A": "1"}
    assert have["cpus"] == 1.0
    assert have["ports"] == {"6379/tcp": "127.0.0.1:6379"}
    assert have["volumes"] == {"/data": "ready_redis_data:rw"}
    assert have["health"]["interval"] == 10
    assert "x" not in have["labels"]


def test_a_container_is_made_hardened(stack: dict[str, Any]) -> None:
    """What Docker is asked for has no rights, no port beyond loopback and no writable root."""
    for name, service in stack["services"].items():
        _, host = ContainerSpec.from_service(service, "ready", "ready", "sha256:x").arguments()
        assert host["cap_drop"] == ["ALL"], name
        assert host["read_only"] is True
        assert all(bind == "127.0.0.1" for bind, _ in host["port_bindings"].values())
        assert all("noexec" in item for item in host["tmpfs"].values())
        assert f"{service['config_volume']}:/run/ready:ro" in host["binds"]


def test_a_container_made_of_another_image_by_hand(stack: dict[str, Any]) -> None:
    """Its labels were copied: it is drift, an image is looked for, and the container made again of that."""
    state = running(stack)
    made = state["services"]["redis"]
    spec = ContainerSpec.from_service(stack["services"]["redis"], "ready", "ready", "sha256:redis")
    made["config"]["labels"] = dict(spec.made_from("ready/redis:1").labels or {})
    assert settled(stack, state)
    assert drift(stack, "redis", made) == {}
    made["config"]["image"] = made["image"]["id"] = "sha256:other"
    assert summary(drift(stack, "redis", made)) == ["image: found sha256:other, expected sha256:redis"]
    assert needs_image(stack, state) == ["redis"]
    assert not settled(stack, state)
    for image in ("sha256:redis", "sha256:other"):  # also when that is the very one which it was made of
        plan = make_plan(stack, state, images_in_use(stack, state, {"redis": IMAGES["redis"] | {"id": image}}))
        assert plan["actions"]["redis"] == "recreate"
        assert plan["specs"]["redis"]["labels"][LABEL_IMAGE_ID] == image
        assert {name for name, action in plan["actions"].items() if action != "none"} == {"redis"}


def test_drift_from_a_description(stack: dict[str, Any]) -> None:
    """A host's description has no fingerprint of the files: they are compared with what the container was made with."""
    stack["services"]["redis"]["config_hash"] = "hash"
    found = running(stack)["services"]["redis"]
    del stack["services"]["redis"]["config_hash"]
    assert drift(stack, "redis", found) == {}
    assert list(drift(stack, "redis", {**found, "files_hash": "edited"})) == ["/run/ready"]
