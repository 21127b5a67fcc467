"""What the tests of upgrades share: data for each store, how an upgrade is disturbed, and what it may not leave."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import redis as redis_driver

from tests.stack import Stack
from tests.system.conftest import Ready

SEED = 20260101
#: Label of a broken image: the id of the good one.
GOOD = "io.ready.test.good"


# ---------------------------------------------------------------- data, and what they are
def seed_postgresql(stack: Stack) -> None:
    """A table with a sequence, an index and a view; a second database, and a role with a password of its own."""
    with stack.postgresql() as connection:
        connection.execute("CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, price numeric(10, 2))")
        connection.execute("INSERT INTO item (name, price) SELECT 'ä ' || n, n / 7.0 FROM generate_series(1, 3000) n")
        connection.execute("CREATE VIEW dear AS SELECT * FROM item WHERE price > 100")
    with stack.postgresql("admin") as connection:
        connection.execute("CREATE ROLE reporting LOGIN PASSWORD 'of-no-worth-3917'")
        connection.execute("CREATE DATABASE reports OWNER reporting")
        connection.execute("ALTER DATABASE reports SET work_mem = '7MB'")


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
                "SELECT datname, rolname FROM pg_database d JOIN pg_roles r ON r.oid = datdba WHERE NOT datistemplate "
                "ORDER BY 1",
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
    source = random.Random(SEED)  # noqa: S311  # data, no secret
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
def broken_image(entrypoint: str) -> Iterator[None]:
    """Give Redis 8's image an entrypoint that is broken, under the good one's name and labels."""
    client = docker.from_env()
    good = next(image for image in client.images.list(name="ready/redis") if image.tags[0].startswith("ready/redis:8-"))
    ref = good.tags[0]
    recipe = f"FROM {ref}\nLABEL {GOOD}={good.id}\nENTRYPOINT {json.dumps(['sh', '-c', entrypoint, '-'])}\n"
    client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=ref, rm=True)
    try:
        yield
    finally:
        mend_images()


def mend_images() -> None:
    """Give good images their names back: also where a run was killed within `broken_image`."""
    client = docker.from_env()
    for broken in client.images.list(filters={"label": GOOD}):
        for ref in broken.tags:
            client.images.get(broken.labels[GOOD]).tag(*ref.split(":"))
        client.images.remove(str(broken.id), force=True)


def await_phase(
    ready: Ready, process: subprocess.Popen[str], phase: str, also: Callable[[], bool] = lambda: True
) -> None:
    """Wait until the journal of an upgrade that runs says `phase` (and `also` holds)."""
    path = journal(ready.stack.name)
    deadline = time.monotonic() + 300
    while not (path.exists() and json.loads(path.read_text())["phase"] == phase and also()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"the journal never said {phase}"
        time.sleep(0.01)


def kill_when(ready: Ready, phase: str, *words: str, also: Callable[[], bool] = lambda: True) -> None:
    """Start an upgrade and kill it, modules included, as soon as its journal says `phase` (and `also` holds)."""
    process = ready.popen(*words)
    await_phase(ready, process, phase, also)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def serves(ready: Ready, version: str) -> bool:
    """Return whether clients of Redis are answered by that version."""
    try:
        return str(ready.stack.redis("monitor").info("server")["redis_version"]) == version
    except redis_driver.RedisError:
        return False
