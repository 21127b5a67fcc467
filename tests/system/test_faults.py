"""What goes wrong for a user, each with its message, nothing half-done, and a way on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import docker
from ready.secrets.vault import SecretStore

from tests.built import image_of
from tests.cleanup import remove
from tests.names import ROOT
from tests.system.checks import check
from tests.system.conftest import QUICK, Ready, ended, make
from tests.system.dockerevents import Events
from tests.waiting import until


def test_everything_that_preflight_finds(redis: Ready) -> None:
    """All in one run, each with its variable: a port and who holds it, memory, disk, an open address. No change."""
    port = redis.stack.variables["redis_port"]
    redis.set(redis_memory="900g", preflight_disk_free="900t", redis_bind_address="0.0.0.0")  # noqa: S104
    with socket.create_server(("127.0.0.1", port)):
        result = redis.run("up", code=2)
    for words in (
        f"Port {port} (redis)",
        f"pid {os.getpid()}",
        "set redis_port",
        "Memory: found",
        "Disk: found",
        "authentication and TLS",
    ):
        assert words in result.text
    assert redis.stack.identities() == {}
    assert not redis.stack.secrets_file.exists()


def test_bad_input(redis: Ready) -> None:
    """Misspelt variables, one of a service and one of the stack, are named before anything is changed."""
    redis.set(redis_prot=1, ready_srevices=[])
    result = redis.run("up", code=2)
    assert "Did you mean redis_port?" in result.text
    assert "Did you mean ready_services?" in result.text
    assert redis.stack.identities() == {}
    assert not redis.stack.secrets_file.exists()


def test_documented_password(redis: Ready) -> None:
    """A password that stands in documentation is refused by its account's name, and not printed."""
    store = SecretStore.open(redis.stack.secrets_file, redis.stack.key_file)
    store.make_missing(redis.stack.name, redis.stack.resolved["services"])
    store.data["stacks"][redis.stack.name]["redis"]["app"]["password"] = "production_password"
    store.save()
    result = redis.run("up", code=2)
    assert "redis's account app" in result.text
    assert "public documentation" in result.text
    assert "production_password" not in result.text
    assert redis.stack.identities() == {}


def test_foreign_container_of_that_name(redis: Ready) -> None:
    """A container that is not ours is refused by name and left as it was."""
    client = docker.from_env()
    foreign = client.containers.create(image_of("redis"), name=f"{redis.stack.name}-redis")
    try:
        result = redis.run("up", code=2)
        assert f"container {redis.stack.name}-redis" in result.text
        foreign.reload()
        assert foreign.status == "created"
    finally:
        foreign.remove(force=True, v=True)


def test_never_healthy(redis: Ready) -> None:
    """The one that does not become healthy is named with its log; the other stays up; `up` heals it."""
    redis.set(ready_services=["redis", "chromadb"], redis_health={"test": ["CMD", "false"], "deadline": 6})
    redis.set(chromadb_health={"deadline": 6})
    result = redis.run("up", code=2)
    assert "redis is unhealthy" in result.text, result.text[-3000:]
    assert "Ready to accept connections" in result.text
    assert redis.stack.container("chromadb").status == "running"
    evidence = (redis.directory / "evidence" / redis.stack.name / "localhost" / "health.json").read_text()
    assert '"verdict": "fail"' in evidence
    redis.set(redis_health=QUICK.get("redis_health"))
    redis.run("up")
    redis.stack.write("redis")
    redis.stack.check("redis")


def test_crash_loop_is_not_waited_for(redis: Ready) -> None:
    """A setting that the store refuses shows in the message, long before a deadline longer than this test may take."""
    redis.set(redis_settings={"appendonly": "perhaps"}, redis_health={"deadline": 3600})
    result = redis.run("up", code=2)
    assert "argument must be 'yes' or 'no'" in result.text


def test_a_change_that_fails_leaves_things_as_they_were(redis: Ready) -> None:
    """Whatever is changed for the worse: the healthy containers stay, and the message says what to correct."""
    redis.set(ready_services=["redis", "postgresql"])
    redis.stack.variables["ready_services"] = ["redis", "postgresql"]
    redis.run("up")
    redis.stack.write("redis")
    before = redis.stack.identities()

    unknown = json.dumps({"postgresql_databases": [{"name": "shop", "extensions": ["pg_trgm", "nope"]}]})
    result = redis.run("up", "--", "-e", unknown, code=2)
    assert "found the extensions nope, expected some that the image has: " in result.text
    assert "No running container was touched. Next: correct postgresql_databases" in result.text
    assert redis.stack.identities() == before

    redis.set(postgresql_settings={"max_connectons": 200}, redis_settings={"maxmemry": "4k"})
    result = redis.run("up", code=2)
    assert "did you mean max_connections?" in result.text
    assert "did you mean maxmemory?" in result.text
    assert 'unrecognized configuration parameter "max_connectons"' in result.text
    assert "Bad directive or wrong number of arguments" in result.text
    assert redis.stack.identities() == before

    # What only the real data show: a trial, on empty data, is well.
    with redis.stack.redis() as client:
        client.select(1)
        client.set("ready_test", "43")
    with redis.stack.redis("admin") as client:
        client.bgrewriteaof()
        until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], "Redis' data as one dump")
    redis.set(postgresql_settings=None, redis_settings={"databases": 1, "maxmemory": "100mb"})
    with Events(f"{redis.stack.name}-redis", "start", "die") as events:
        result = redis.run("up", code=2)
        most = at_once(events, f"{redis.stack.name}-redis")
    assert "configured to handle more than 1 databases" in result.text
    assert "redis_settings: databases" in result.text
    assert "container and configuration of before are back, and it is healthy" in result.text
    assert most == 1
    after = redis.stack.identities()
    assert {name: its[0] for name, its in after.items()} == {name: its[0] for name, its in before.items()}
    redis.set(redis_settings=None)

    # What only the real server refuses: the databases of a trial are new.
    monitor = redis.stack.resolved["services"]["postgresql"]["accounts"]["monitor"]["login"]
    with redis.stack.postgresql("admin") as connection:
        connection.execute(f"CREATE DATABASE shop OWNER {monitor}")
    with redis.stack.postgresql("admin", dbname="shop") as connection:
        connection.execute(f"CREATE TABLE kept (x int); ALTER TABLE kept OWNER TO {monitor}")
    redis.set(postgresql_databases=[{"name": "shop"}])
    result = redis.run("up", code=2)
    assert f"found shop with objects of {monitor}, expected none of them" in result.text
    assert "container and configuration of before are back, and it is healthy" in result.text
    assert {name: its[0] for name, its in redis.stack.identities().items()} == {
        name: its[0] for name, its in before.items()
    }
    redis.set(postgresql_databases=None)
    assert not check(redis, ["drift"]).failed, "the files of before are not all back"
    redis.stack.check("redis")
    assert left_behind(redis) == []

    # What a killed run leaves: the next one gives the container its name back, and clears the rest.
    client = docker.from_env()
    name = f"{redis.stack.name}-redis"
    image = redis.stack.container("redis").image.id
    client.containers.get(name).rename(f"{name}-replaced")
    labels = {"io.ready.stack": redis.stack.name}
    client.containers.create(image, name=f"{name}-tried", labels=labels | {"io.ready.trial": "redis"})
    for word, label in (("tried", "io.ready.trial"), ("replaced", "io.ready.replaced")):
        client.volumes.create(f"{redis.stack.name}_redis_config_{word}", labels=labels | {label: "redis"})
    redis.run("up")
    assert left_behind(redis) == []
    redis.stack.check("redis")


def left_behind(ready: Ready) -> list[str]:
    """Return what is there of a trial, or of a container that is being replaced."""
    client = docker.from_env()
    wanted: dict[str, Any] = {"label": f"io.ready.stack={ready.stack.name}"}
    names = [str(item.name) for item in client.containers.list(all=True, filters=wanted)]
    names += [str(item.name) for item in client.volumes.list(filters=wanted)]
    return [name for name in names if name.endswith(("replaced", "tried"))]


def at_once(events: Events, name: str) -> int:
    """Return how many containers that were once called so ran at the same time, by the starts and ends heard."""
    running: set[str] = set()
    most = 0
    for event in events.until_now():
        if event["Actor"]["Attributes"]["name"] not in {name, f"{name}-replaced"}:
            continue
        (running.add if event["Action"] == "start" else running.discard)(event["Actor"]["ID"])
        most = max(most, len(running))
    return most


def waiting_for(word: str) -> dict[str, object]:
    """Return a health test that fails until somebody writes that file into Redis' data."""
    return {"test": ["CMD", "test", "-e", f"/data/{word}"], "interval": 1, "deadline": 600}


def runs(ready: Ready) -> bool:
    """Return whether Redis' container does."""
    name = f"{ready.stack.name}-redis"
    return bool(docker.from_env().containers.list(filters={"name": f"^/{name}$", "status": "running"}))


def test_two_runs_at_once(redis: Ready) -> None:
    """The second one names the first and changes nothing; when the first has ended the lock is gone."""
    redis.set(redis_health=waiting_for("go"))
    first = redis.popen("up")
    lock = Path(f"/run/lock/ready-{redis.stack.name}.json")
    until(lock.exists, "the lock of the first run")
    second = redis.run("up", code=2)
    assert "another run is changing the stack" in second.text
    until(lambda: runs(redis), "Redis, started by the first run", 300)
    assert first.poll() is None, "the first run did not wait for Redis"
    redis.stack.container("redis").exec_run(["touch", "/data/go"])
    assert ended(first).code == 0
    assert not lock.exists()


#: Takes the lock of a stack in separate namespaces, as a controller in a container on this kernel does.
HOLDER = """
import os, pathlib, sys, time
from ready.host.run_lock import take_lock, this_run
take_lock(pathlib.Path(f"/run/lock/ready-{sys.argv[1]}.json"), this_run(os.getpid()))
time.sleep(600)
"""


def test_a_run_in_another_pid_namespace(redis: Ready) -> None:
    """Its process can't be seen from here: it is not taken for dead, and `--take-over` breaks its lock."""
    lock = Path(f"/run/lock/ready-{redis.stack.name}.json")
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "module_utils")}
    with subprocess.Popen([*alone, sys.executable, "-c", HOLDER, redis.stack.name], env=environment) as holder:
        try:
            until(lock.exists, "the lock of the other run")
            refused = redis.run("destroy", "--yes", code=2)
            assert "found its lock held by process 1 on" in refused.text, (
                "it was taken for dead, or its id was not its own"
            )
            unanswered = redis.run("destroy", "--take-over", code=2)
            assert "Nothing was changed. Found no terminal to ask" in unanswered.text
            assert lock.exists()
            redis.run("destroy", "--take-over", "--yes")
            assert not lock.exists()
        finally:
            holder.kill()  # which unshare hands on; it does not listen to SIGTERM


def test_interrupted_and_run_again(redis: Ready) -> None:
    """Ctrl-C in the middle leaves nothing that a second run can't finish."""
    redis.set(redis_health=waiting_for("never"))
    process = redis.popen("up")
    until(lambda: runs(redis), "Redis, started by the run", 300)
    os.killpg(process.pid, signal.SIGINT)
    assert ended(process, 120).code != 0
    redis.set(redis_health=QUICK.get("redis_health"))
    redis.run("up")
    redis.stack.write("redis")
    redis.stack.check("redis")


def test_two_stacks_side_by_side(redis: Ready, tmp_path: Path) -> None:
    """Each has its own containers, network, volumes, secrets and data; destroying one leaves the other."""
    name = f"{redis.stack.name}-b"
    remove(name)
    other = make(tmp_path / "other", name, ["redis"])
    try:
        redis.run("up")
        other.run("up")
        redis.stack.write("redis")
        assert other.stack.redis().get("ready_test") is None
        assert redis.stack.passwords("redis") != other.stack.passwords("redis")
        before = redis.stack.identities()
        other.run("destroy", "--volumes", "--yes")
        assert redis.stack.identities() == before
        redis.stack.check("redis")
    finally:
        remove(name)


def test_removed_service_is_kept_and_reported(redis: Ready) -> None:
    """A service taken out of the inventory is not removed by `up`."""
    redis.set(ready_services=["redis", "chromadb"])
    redis.run("up")
    redis.set(ready_services=["redis"])
    before = redis.stack.container("redis").attrs["State"]["StartedAt"]
    result = redis.run("up")
    assert result.changed == 1  # what the host's description of the stack names
    assert redis.stack.container("redis").attrs["State"]["StartedAt"] == before
    assert f"{redis.stack.name}-chromadb (running) is not in the inventory: kept" in result.text
    assert redis.stack.container("chromadb").status == "running"
    assert "not in the inventory" in redis.run("status").text


class Daemon:
    """A second Docker daemon, so that what happens to it hurts no other test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.host = f"unix://{directory}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> docker.DockerClient:
        """Start it in a separate network namespace, and wait until it answers.

        In the host's it would fight with the other daemon: with `--bridge none` it even removes the other's docker0.
        """
        command = [
            "unshare",
            "--net",
            "--",
            "sh",
            "-c",
            'ip link set lo up; exec "$@"',
            "sh",
            "dockerd",
            "--host",
            self.host,
        ]
        for option, name in (("data-root", "data"), ("exec-root", "exec"), ("pidfile", "pid")):
            command += [f"--{option}", str(self.directory / name)]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

        def answers() -> docker.DockerClient | None:
            try:
                client = docker.DockerClient(self.host)
                client.ping()
            except (docker.errors.DockerException, OSError):
                return None
            return client

        try:
            return until(answers, "an answer of the daemon", 120)
        except AssertionError:
            print((self.directory / "log").read_text()[-3000:])
            raise

    def stop(self) -> None:
        """End it, and its containers with it."""
        if self.process:
            self.process.terminate()
            self.process.wait(120)  # twice what a container may take
            self.process = None


def test_daemon_stops_in_the_middle(redis: Ready) -> None:
    """A daemon that goes away during `up` is named; when it is back, a second run finishes the work."""
    directory = Path(tempfile.mkdtemp(prefix="rd-"))  # a socket's path must be short
    daemon = Daemon(directory)
    try:
        client = daemon.start()
        image = docker.from_env().images.get(image_of("redis"))
        client.images.load(b"".join(image.save(named=image_of("redis"))))
        redis.environment["DOCKER_HOST"] = daemon.host
        redis.set(image_source="build", redis_health=waiting_for("never"))
        process = redis.popen("up")

        def accepts() -> bool:  # a signal before Redis itself runs is lost: an entrypoint has no handler
            return any(b"Ready to accept connections" in item.logs() for item in client.containers.list())

        until(accepts, "Redis, accepting connections", 300, pause=0.2)
        daemon.stop()
        result = ended(process, 300)
        assert result.code == 2
        assert "redis" in result.out
        assert "Traceback" not in result.out + result.err
        client = daemon.start()
        redis.set(redis_health=QUICK.get("redis_health"))
        redis.run("up")
        assert [item.name for item in client.containers.list()] == [f"{redis.stack.name}-redis"]
    finally:
        if daemon.process:
            for container in docker.DockerClient(daemon.host).containers.list(all=True):
                container.remove(force=True, v=True)
        daemon.stop()
        subprocess.run(["umount", "-R", directory], capture_output=True, check=False)
        shutil.rmtree(directory, ignore_errors=True)
