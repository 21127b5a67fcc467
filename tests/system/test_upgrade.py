"""Real upgrades with data: each store forth, one that fails back, one that is killed, and what is refused."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.stack import Stack
from tests.system.conftest import Ready, own_stack

NAME = "sys-upgrade"
JOURNAL = Path(f"/var/lib/ready/upgrade-{NAME}.json")
SEED = 20260101


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """One stack of the older lines, with data, for all tests of this file; they build on each other."""
    JOURNAL.unlink(missing_ok=True)
    with own_stack(tmp_path_factory.mktemp("upgrade"), NAME, ["postgresql", "neo4j", "chromadb", "redis"]) as ready:
        ready.set(chromadb_version="1.0.21")
        ready.run("up")
        for seed in (seed_postgresql, seed_neo4j, seed_chromadb, seed_redis):
            seed(ready.stack)
        yield ready
    JOURNAL.unlink(missing_ok=True)


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
    import random

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


READ: dict[str, Callable[[Stack], Any]] = {
    "postgresql": read_postgresql,
    "neo4j": read_neo4j,
    "chromadb": read_chromadb,
    "redis": read_redis,
}


# ---------------------------------------------------------------- helpers
def engine(stack: Stack, service: str) -> str:
    """Return the engine version that the data volume's label names."""
    volume = docker.from_env().volumes.get(stack.resolved["services"][service]["volumes"][0]["name"])
    return str(volume.attrs["Labels"]["io.ready.engine_version"])


def leftovers(stack: Stack) -> list[str]:
    """Return what an upgrade should not have left: containers and volumes of its own, and its journal."""
    client = docker.from_env()
    wanted: dict[str, Any] = {"label": [f"io.ready.stack={stack.name}", "io.ready.upgrade"]}
    found = [str(item.name) for item in client.containers.list(all=True, filters=wanted)]
    found += [str(item.name) for item in client.volumes.list(filters=wanted)]
    return found + ([str(JOURNAL)] if JOURNAL.exists() else [])


def kept(stack: Stack) -> list[str]:
    """Return the volumes that upgrades kept."""
    wanted: dict[str, Any] = {"label": [f"io.ready.stack={stack.name}", "io.ready.kept"]}
    return sorted(str(item.name) for item in docker.from_env().volumes.list(filters=wanted))


def evidence(ready: Ready) -> dict[str, Any]:
    """Return the evidence of the last upgrade."""
    path = ready.directory / "evidence" / NAME / "localhost" / "upgrade.json"
    return dict(json.loads(path.read_text()))


@contextmanager
def broken_image(entrypoint: str) -> Iterator[None]:
    """Give Redis 8's image an entrypoint that is broken, under the good one's name and labels."""
    client = docker.from_env()
    good = next(image for image in client.images.list(name="ready/redis") if image.tags[0].startswith("ready/redis:8-"))
    ref = good.tags[0]
    recipe = f"FROM {ref}\nENTRYPOINT {json.dumps(['sh', '-c', entrypoint, '-'])}\n"
    broken, _ = client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=ref, rm=True)
    try:
        yield
    finally:
        good.tag(*ref.split(":"))
        client.images.remove(str(broken.id), force=True)


def kill_when(ready: Ready, phase: str, *words: str) -> None:
    """Start an upgrade and kill it, modules included, as soon as its journal says `phase`."""
    process = ready.popen(*words)
    deadline = time.monotonic() + 240
    while not (JOURNAL.exists() and json.loads(JOURNAL.read_text())["phase"] == phase):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"the journal never said {phase}"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


# ---------------------------------------------------------------- the tests
def test_up_keeps_versions_and_says_so(stack: Ready) -> None:
    """With another version wanted `up` changes nothing, and names the verb that does."""
    before = stack.stack.identities()
    stack.set(redis_version="8")
    result = stack.run("up")
    assert "redis keeps 7.0.15, 8 is wanted" in result.text
    assert "./ready upgrade" in result.text
    assert stack.stack.identities() == before
    table = stack.run("versions").text
    assert "8 (swap or migrate_forward)" in table
    assert "2028-06" in table


def test_check_mode_shows_the_plan(stack: Ready) -> None:
    """--check says what would be moved, and moves nothing."""
    before = stack.stack.identities()
    result = stack.run("upgrade", "--check")
    assert "redis: 7.0.15 -> 8 (row redis-7-8" in result.text
    assert stack.stack.identities() == before
    assert leftovers(stack.stack) == []


@pytest.mark.parametrize(
    "entrypoint",
    ["sleep 600", '[ "$(hostname)" = localhost ] && exec docker-entrypoint.sh "$@"; sleep 600'],
    ids=["in the trial", "once it serves"],
)
def test_a_failed_upgrade_is_rolled_back(stack: Ready, entrypoint: str) -> None:
    """A new container that never becomes healthy: the old version is back, with all data, and nothing is left."""
    before = read_redis(stack.stack)
    stack.set(upgrade_deadline=6.0, redis_health={"deadline": 6})
    with broken_image(entrypoint):
        result = stack.run("upgrade", "--service", "redis", code=2)
    stack.set(upgrade_deadline=None, redis_health=None)
    assert "rolled back to 7.0.15, with all its data" in result.text
    assert read_redis(stack.stack) == before
    assert stack.stack.redis().info("server")["redis_version"] == "7.0.15"
    assert engine(stack.stack, "redis") == "7.0.15"
    assert kept(stack.stack) == []
    assert leftovers(stack.stack) == []
    written = evidence(stack)
    assert written["verdict"] == "fail"
    assert written["results"]["services"]["redis"]["outcome"] == "rolled_back"


def test_killed_before_the_data_were_moved(stack: Ready) -> None:
    """After SIGKILL `up` refuses and names the way; a plain re-run puts the old version back and goes on."""
    before = read_redis(stack.stack)
    kill_when(stack, "kept", "upgrade", "--service", "redis")
    refused = stack.run("up", code=2)
    assert "an upgrade of redis to 8 that was interrupted" in refused.text
    stack.run("upgrade", "--service", "redis")
    assert read_redis(stack.stack) == before
    assert engine(stack.stack, "redis") == "8.0.2"
    assert leftovers(stack.stack) == []


def test_downgrade_is_refused_by_its_row(stack: Ready) -> None:
    """Back to an older line: preflight says which row of the matrix forbids it; nothing is touched."""
    before = stack.stack.identities()
    stack.set(redis_version=None)
    for verb in ("up", "upgrade"):
        result = stack.run(verb, code=2)
        assert "row redis-8-7: an older Redis does not load the RDB version of a newer one" in result.text
    assert stack.stack.identities() == before
    stack.set(redis_version="8")


@pytest.mark.parametrize(
    ("service", "line", "version", "how"),
    [
        ("postgresql", "17", "17.", "dump_restore"),
        ("neo4j", "5.26", "5.26.", "migrate_forward"),
        ("chromadb", "1.5.9", "1.5.9", "migrate_forward"),
    ],
)
def test_upgrade_with_data(stack: Ready, service: str, line: str, version: str, how: str) -> None:
    """Every datum is the same afterwards, `check` finds nothing, and the old data are kept."""
    before = READ[service](stack.stack)
    stack.set(**{f"{service}_version": line})
    if service == "chromadb":  # this one is killed when all is moved, before its container starts: carried through
        kill_when(stack, "ready", "upgrade", "--service", service)
    stack.run("upgrade", "--service", service)
    assert READ[service](stack.stack) == before
    assert engine(stack.stack, service).startswith(version)
    assert f"{stack.stack.resolved['services'][service]['volumes'][0]['name']}_before_{line}" in kept(stack.stack)
    assert leftovers(stack.stack) == []
    written = evidence(stack)
    assert written["verdict"] == "pass"
    assert written["results"]["services"][service]["how"] == how


def test_afterwards(stack: Ready) -> None:
    """The upgraded stack is whole, `up` finds nothing to do, and what was kept is named."""
    stack.run("check")
    assert stack.run("up").changed == 0
    assert f"kept: volume {NAME}_redis_data_before_8" in stack.run("status").text
    # Only listed: prune removes images that no container uses, also those that other stacks of this host may need.
    listed = stack.run("prune", "--kept", "--check").text
    assert all(f"volume {name}: the data from before an upgrade" in listed for name in kept(stack.stack))
