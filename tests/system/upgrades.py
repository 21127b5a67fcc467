"""What the tests of upgrades share: data for each store, how an upgrade is disturbed, and what it may not leave."""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import redis as redis_driver
from docker.errors import NotFound

from tests.built import image_of
from tests.stack import Stack
from tests.system.conftest import Ready

SEED = 20260101


# ---------------------------------------------------------------- data, and what they are
def seed_postgresql(stack: Stack) -> None:
    """A table with a sequence, an index and a view, a role with its own password, and databases of every kind."""
    with stack.postgresql() as connection:
        connection.execute("CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, price numeric(10, 2))")
        connection.execute("INSERT INTO item (name, price) SELECT 'ä ' || n, n / 7.0 FROM generate_series(1, 3000) n")
        connection.execute("CREATE VIEW dear AS SELECT * FROM item WHERE price > 100")
    with stack.postgresql("admin") as connection:
        connection.execute("CREATE ROLE reporting LOGIN PASSWORD 'of-no-worth-3917'")
        connection.execute("CREATE DATABASE reports OWNER reporting")
        connection.execute("ALTER DATABASE reports SET work_mem = '7MB'")
        connection.execute("CREATE DATABASE pattern IS_TEMPLATE true")
        connection.execute("CREATE DATABASE closed")
    with stack.postgresql("admin", dbname="closed") as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 5) AS n")
    with stack.postgresql("admin") as connection:
        connection.execute("ALTER DATABASE closed CONNECTION LIMIT 4 ALLOW_CONNECTIONS false")


def read_postgresql(stack: Stack) -> Any:
    """Return everything of it that an application sees."""
    with stack.postgresql("admin") as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "SELECT count(*), sum(price), md5(string_agg(item::text, ',' ORDER BY id)) FROM item",
                "SELECT count(*) FROM dear",
                "SELECT last_value FROM item_id_seq",
                "SELECT indexdef FROM pg_indexes WHERE tablename = 'item' ORDER BY 1",
                "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = 'reporting'",
                "SELECT datname, rolname, datistemplate, datallowconn, datconnlimit "
                "FROM pg_database d JOIN pg_roles r ON r.oid = datdba ORDER BY 1",
                "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase "
                "WHERE datname = 'reports'",
            )
        ]


def seed_neo4j(stack: Stack) -> None:
    """A chain of nodes, an index and a constraint."""
    with stack.neo4j() as driver:
        driver.execute_query("CREATE CONSTRAINT one FOR (n:Item) REQUIRE n.id IS UNIQUE")
        driver.execute_query("CREATE INDEX named FOR (n:Item) ON (n.name)")
        driver.execute_query("UNWIND range(1, 500) AS i CREATE (:Item {id: i, name: 'ä ' + i, at: [i, i * 2]})")
        driver.execute_query("MATCH (a:Item), (b:Item {id: a.id + 1}) CREATE (a)-[:NEXT {weight: a.id}]->(b)")


def read_neo4j(stack: Stack) -> Any:
    """Return its content, a long path, and its schema."""
    with stack.neo4j() as driver:
        return [
            [record.values() for record in driver.execute_query(query).records]
            for query in (
                "MATCH (n:Item) RETURN n.id, n.name, n.at ORDER BY n.id",
                "MATCH (:Item {id: 1})-[path:NEXT*100]->(b) RETURN b.id, reduce(s = 0, r IN path | s + r.weight)",
                "SHOW INDEXES YIELD name, state, type RETURN name, state, type ORDER BY name",
                "SHOW CONSTRAINTS YIELD name RETURN name",
            )
        ]


def vectors() -> list[list[float]]:
    """Return vectors, the same each time; enough that ChromaDB has written its index to disk."""
    source = random.Random(SEED)  # data, no secret
    return [[round(source.uniform(-1, 1), 4) for _ in range(24)] for _ in range(1500)]


def seed_chromadb(stack: Stack) -> None:
    """Vectors with documents."""
    collection = stack.chromadb().get_or_create_collection("items", embedding_function=None)
    some = vectors()
    for start in range(0, len(some), 500):
        part = some[start : start + 500]
        names = [str(start + index) for index in range(len(part))]
        collection.upsert(ids=names, embeddings=part, documents=[f"ä {name}" for name in names])


def read_chromadb(stack: Stack) -> Any:
    """Return the count, the documents, and each vector's nearest neighbour: itself, if none is lost."""
    collection = stack.chromadb().get_collection("items", embedding_function=None)
    some = vectors()
    nearest = [
        ids[0]
        for start in range(0, len(some), 500)
        for ids in collection.query(query_embeddings=some[start : start + 500], n_results=1, include=[])["ids"]
    ]
    found = collection.get(include=["documents"])
    return collection.count(), nearest, sorted(zip(found["ids"], found["documents"] or [], strict=True))


def seed_redis(stack: Stack) -> None:
    """Every kind of value, and a key that expires."""
    client = stack.redis()
    client.mset({f"key:{n}": f"ä {n}" for n in range(1000)})
    client.hset("hash", mapping={"a": "1", "b": "2"})
    client.rpush("list", *map(str, range(300)))
    client.zadd("ranked", {"x": 1.5, "y": 2.5})
    client.sadd("set", *map(str, range(200)))
    client.xadd("stream", {"event": "one"}, id="1-1")
    client.set("expires", "later", ex=86400)


def read_redis(stack: Stack) -> Any:
    """Return all of it."""
    client = stack.redis()
    return [
        client.mget([f"key:{n}" for n in range(1000)]),
        client.hgetall("hash"),
        client.lrange("list", 0, -1),
        client.zrange("ranked", 0, -1, withscores=True),
        client.smembers("set"),
        client.xrange("stream"),
        client.get("expires"),
        80000 < int(client.ttl("expires")) <= 86400,
    ]


SEED_IT: dict[str, Callable[[Stack], None]] = {
    "postgresql": seed_postgresql,
    "neo4j": seed_neo4j,
    "chromadb": seed_chromadb,
    "redis": seed_redis,
}
READ: dict[str, Callable[[Stack], Any]] = {
    "postgresql": read_postgresql,
    "neo4j": read_neo4j,
    "chromadb": read_chromadb,
    "redis": read_redis,
}


# ---------------------------------------------------------------- helpers
def journal(name: str) -> Path:
    """Return where the journal of a stack's upgrade is."""
    return Path(f"/var/lib/ready/upgrade-{name}.json")


def notes(name: str) -> list[Path]:
    """Return the files that upgrades of a stack have on the host: the journal, and its lock."""
    return sorted(journal(name).parent.glob(f"{journal(name).stem}.*"))


def forget(name: str) -> None:
    """Remove what an earlier run may have left of them."""
    for path in notes(name):
        path.unlink()


def engine(stack: Stack, service: str) -> str:
    """Return the engine version that the data volume's label names."""
    volume = docker.from_env().volumes.get(stack.resolved["services"][service]["volumes"][0]["name"])
    return str(volume.attrs["Labels"]["io.ready.engine_version"])


def leftovers(stack: Stack) -> list[str]:
    """Return what an upgrade should not have left: containers and volumes of its own, its journal and its lock."""
    client = docker.from_env()
    wanted: dict[str, Any] = {"label": [f"io.ready.stack={stack.name}", "io.ready.upgrade"]}
    found = [str(item.name) for item in client.containers.list(all=True, filters=wanted)]
    found += [str(item.name) for item in client.volumes.list(filters=wanted)]
    return found + [str(path) for path in notes(stack.name)]


def kept(stack: Stack) -> list[str]:
    """Return the volumes that upgrades kept."""
    wanted: dict[str, Any] = {"label": [f"io.ready.stack={stack.name}", "io.ready.kept"]}
    return sorted(str(item.name) for item in docker.from_env().volumes.list(filters=wanted))


def evidence(ready: Ready) -> dict[str, Any]:
    """Return the evidence of the last upgrade."""
    path = ready.directory / "evidence" / ready.stack.name / "localhost" / "upgrade.json"
    return dict(json.loads(path.read_text()))


@contextmanager
def broken_image(name: str, entrypoint: str) -> Iterator[str]:
    """Give the reference of an image as Redis 8's but for its entrypoint, which nobody but this stack uses."""
    client = docker.from_env()
    ref = f"ready-test/{name}:broken"
    recipe = f"FROM {image_of('redis', '8')}\nENTRYPOINT {json.dumps(['sh', '-c', entrypoint, '-'])}\n"
    client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=ref, rm=True)
    try:
        yield ref
    finally:
        client.images.remove(ref, force=True)


def await_phase(
    ready: Ready, process: subprocess.Popen[str], phase: str, also: Callable[[], bool] = lambda: True
) -> None:
    """Wait until the journal of an upgrade that runs says `phase` (and `also` holds)."""
    path = journal(ready.stack.name)
    deadline = time.monotonic() + 300
    while not (path.exists() and json.loads(path.read_text())["phase"] == phase and also()):
        assert process.poll() is None, "".join(process.communicate())
        assert time.monotonic() < deadline, f"the journal never said {phase}"
        time.sleep(0.01)


def kill_when(ready: Ready, phase: str, *words: str, also: Callable[[], bool] = lambda: True) -> None:
    """Start an upgrade and kill it, modules included, as soon as its journal says `phase` (and `also` holds)."""
    process = ready.popen(*words)
    await_phase(ready, process, phase, also)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def redis_version(stack: Stack) -> str:
    """Return the version that Redis says it is, whatever Debian's package is today; empty when it does not answer."""
    try:
        return str(stack.redis("monitor").info("server")["redis_version"])
    except redis_driver.RedisError:
        return ""


def fails(ready: Ready, *services: str, dying: bool = False, lose: str = "") -> str:
    """Run an upgrade that fails, and return its words; `dying` kills a new container that has got the moved data."""
    more = ["--lose-database", lose] if lose else []
    process = ready.popen("upgrade", "--without-backup", "--service", ",".join(services), *more)
    if dying:
        await_phase(ready, process, "ready", also=lambda: runs(ready.stack, services[0]))
        ready.stack.container(services[0]).kill()
    out, err = process.communicate(timeout=900)
    assert process.returncode == 2, out + err
    return " ".join((out + err).split())


def runs(stack: Stack, service: str) -> bool:
    """Return whether the service's container is there and runs; while the data are moved there is none."""
    try:
        return bool(stack.container(service).status == "running")
    except NotFound:
        return False


def was_rolled_back(ready: Ready, service: str, failed: str, before: Any, version: str) -> None:
    """Assert that a service, and no other, has its old engine and all its data again."""
    assert set(re.findall(r"(\w+): rolled back to", failed)) == {service}, failed
    assert f"{service}: rolled back to {version}, with all its data: " in failed, failed
    assert READ[service](ready.stack) == before
    assert engine(ready.stack, service) == version


def was_moved(ready: Ready, service: str, line: str, how: str, before: Any, sets: dict[str, Any]) -> None:
    """Assert that a service has all its data under the new engine, keeps the old ones, and that its set is there."""
    assert READ[service](ready.stack) == before
    version = engine(ready.stack, service)
    assert version == line or version.startswith(f"{line}."), version
    volume = ready.stack.resolved["services"][service]["volumes"][0]["name"]
    assert f"{volume}_before_{line}" in kept(ready.stack)
    its = evidence(ready)["results"]["services"][service]
    assert its["how"] == how
    assert its["latency"]["verdict"] in ("pass", "insufficient_data")
    assert service in sets[its["backup"]["set"]]["services"]
    assert sets[its["backup"]["set"]]["safety"]
