"""Real upgrades with data: each store forth, those that fail back, those that are killed, and what is refused."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest
import redis as redis_driver
from ready.backups.run import list_sets
from ready.backups.settings import place_of, runner_of
from ready.backups.work import WORK

from tests.stack import Stack
from tests.system.backups import with_backups
from tests.system.conftest import Ready, own_stack

SEED = 20260101


def journal(name: str) -> Path:
    """Return where the journal of a stack's upgrade is."""
    return Path(f"/var/lib/ready/upgrade-{name}.json")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Redis 7 with data, for all tests that do not need another store; they build on each other."""
    name = "sys-upgrade-redis"
    journal(name).unlink(missing_ok=True)
    with own_stack(tmp_path_factory.mktemp("upgrade"), name, ["redis"]) as ready:
        ready.run("up")
        seed_redis(ready.stack)
        ready.set(redis_version="8")
        yield ready
    journal(name).unlink(missing_ok=True)


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
    return found + ([str(journal(stack.name))] if journal(stack.name).exists() else [])


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
    recipe = f"FROM {ref}\nENTRYPOINT {json.dumps(['sh', '-c', entrypoint, '-'])}\n"
    broken, _ = client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=ref, rm=True)
    try:
        yield
    finally:
        good.tag(*ref.split(":"))
        client.images.remove(str(broken.id), force=True)


def kill_when(ready: Ready, phase: str, *words: str, also: Callable[[], bool] = lambda: True) -> None:
    """Start an upgrade and kill it, modules included, as soon as its journal says `phase` (and `also` holds)."""
    process, path = ready.popen(*words), journal(ready.stack.name)
    deadline = time.monotonic() + 300
    while not (path.exists() and json.loads(path.read_text())["phase"] == phase and also()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"the journal never said {phase}"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def serves(ready: Ready, version: str) -> bool:
    """Return whether clients of Redis are answered by that version."""
    try:
        return str(ready.stack.redis("monitor").info("server")["redis_version"]) == version
    except redis_driver.RedisError:
        return False


def is_as_before(ready: Ready, before: Any) -> None:
    """Assert that Redis 7 is back with all its data, and that nothing of the upgrade is left."""
    assert read_redis(ready.stack) == before
    assert serves(ready, "7.0.15")
    assert engine(ready.stack, "redis") == "7.0.15"
    assert kept(ready.stack) == []
    assert leftovers(ready.stack) == []


# ---------------------------------------------------------------- the tests
def test_up_keeps_versions_and_says_so(redis: Ready) -> None:
    """With another version wanted `up` changes nothing, and names the verb that does."""
    before = redis.stack.identities()
    result = redis.run("up")
    assert "redis keeps 7.0.15, 8 is wanted" in result.text
    assert "./ready upgrade" in result.text
    assert redis.stack.identities() == before
    table = redis.run("versions").text
    assert "8 (swap or migrate_forward)" in table
    assert "2028-06" in table


def test_check_mode_shows_the_plan(redis: Ready) -> None:
    """--check says what would be moved, and moves nothing."""
    before = redis.stack.identities()
    result = redis.run("upgrade", "--check")
    assert "redis: 7.0.15 -> 8 (row redis-7-8" in result.text
    assert "WARNING: no backup set of redis is made first: no backup repository is configured." in result.text
    assert redis.stack.identities() == before
    assert leftovers(redis.stack) == []


def test_no_upgrade_without_a_backup_set(redis: Ready) -> None:
    """Where a repository is configured and no set can be made, nothing is begun."""
    before = redis.stack.identities()
    redis.set(backup_repository="/proc/no-repository")
    try:
        result = redis.run("upgrade", code=2)
    finally:
        redis.set(backup_repository=None)
        for path in (place_of(redis.stack.name), WORK / redis.stack.name):
            shutil.rmtree(path, ignore_errors=True)
        runner_of(redis.stack.name).unlink(missing_ok=True)
    assert "First: a backup set of redis" in result.text
    assert "no backup set could be made and proven, so no upgrade was begun: restic" in result.text
    assert redis.stack.identities() == before
    assert leftovers(redis.stack) == []


#: Passes in the trial, where the host is called localhost, and does something else once it serves.
LATER = '[ "$(hostname)" = localhost ] && exec docker-entrypoint.sh "$@"; '
#: Does nothing, and ends when it is told to: as the first process it would not by itself.
IDLE = "trap exit TERM; sleep 600 & wait"
#: Redis behind a proxy that holds every request up for 15 ms; it listens on the usual port.
SLOW = """docker-entrypoint.sh "$@" --port 6380 & exec perl -MIO::Socket::INET -e '
$l = IO::Socket::INET->new(Listen => 99, LocalPort => 6379, ReuseAddr => 1) or die;
$SIG{TERM} = sub { kill TERM => -1; exit }; $SIG{CHLD} = "IGNORE";
while (1) { $c = $l->accept or next; next if fork; $SIG{TERM} = "DEFAULT";
  $s = IO::Socket::INET->new("127.0.0.1:6380") or exit;
  if (fork) { while (sysread $c, $b, 65536) { select undef, undef, undef, 0.015; syswrite $s, $b } }
  else { while (sysread $s, $b, 65536) { syswrite $c, $b } }
  shutdown $s, 2; shutdown $c, 2; exit }'"""


@pytest.mark.parametrize(
    ("entrypoint", "variables", "reason"),
    [
        (IDLE, {"upgrade_deadline": 5.0}, "after 5 s with the moved data, expected healthy"),
        (LATER + IDLE, {"redis_health": {"deadline": 12}}, "expected healthy"),  # the old one has as long
        (
            LATER + SLOW,
            {"redis_objectives": {"latency_p95_ms": 5}, "upgrade_latency_samples": 100},
            "the gate latency failed: latency of cache_hit: p95",
        ),
    ],
    ids=["in the trial", "once it serves", "too slow"],
)
def test_a_failed_upgrade_is_rolled_back(redis: Ready, entrypoint: str, variables: dict[str, Any], reason: str) -> None:
    """The old version is back, with all data, and nothing is left."""
    before = read_redis(redis.stack)
    redis.set(**variables)
    with broken_image(entrypoint):
        result = redis.run("upgrade", "--service", "redis", code=2)
    redis.set(**dict.fromkeys(variables))
    assert "rolled back to 7.0.15, with all its data" in result.text
    assert reason in result.text
    is_as_before(redis, before)
    written = evidence(redis)
    assert written["verdict"] == "fail"
    assert written["results"]["services"]["redis"]["outcome"] == "rolled_back"


def test_an_interrupted_upgrade_is_given_up(redis: Ready) -> None:
    """Killed when clients have written to the new version: --back returns to the data from before, and stays there."""
    before = read_redis(redis.stack)
    kill_when(redis, "ready", "upgrade", "--service", "redis", also=lambda: serves(redis, "8.0.2"))
    redis.stack.redis().set("since", "lost")
    assert "an upgrade of redis to 8 that was interrupted" in redis.run("up", code=2).text
    result = redis.run("upgrade", "--back")
    assert "given up: 7.0.15 again" in result.text
    assert redis.stack.redis().get("since") is None
    is_as_before(redis, before)
    written = evidence(redis)
    assert (written["verdict"], written["results"]["services"]["redis"]["outcome"]) == ("not_applicable", "given_up")
    assert "found no upgrade of the stack" in redis.run("upgrade", "--back", code=2).text
    assert serves(redis, "7.0.15")


def test_killed_before_the_data_were_moved(redis: Ready) -> None:
    """After SIGKILL a plain re-run puts the old version back and goes on."""
    before = read_redis(redis.stack)
    kill_when(redis, "kept", "upgrade", "--service", "redis")
    result = redis.run("upgrade", "--service", "redis")
    assert "no backup set from before: no backup repository is configured" in result.text
    assert read_redis(redis.stack) == before
    assert engine(redis.stack, "redis") == "8.0.2"
    assert leftovers(redis.stack) == []
    its = evidence(redis)["results"]["services"]["redis"]
    assert its["backup"]["set"] is None
    assert its["latency"]["operations"]["cache_hit"]["n"] == 200


def test_downgrade_is_refused_by_its_row(redis: Ready) -> None:
    """Back to an older line: preflight says which row of the matrix forbids it; nothing is touched."""
    before = redis.stack.identities()
    redis.set(redis_version=None)
    for verb in ("up", "upgrade"):
        result = redis.run(verb, code=2)
        assert "row redis-8-7: an older Redis does not load the RDB version of a newer one" in result.text
    assert redis.stack.identities() == before
    redis.set(redis_version="8")


def test_afterwards(redis: Ready) -> None:
    """The upgraded stack is whole, `up` finds nothing to do, and what was kept is named."""
    redis.run("check")
    assert redis.run("up").changed == 0
    assert f"kept: volume {redis.stack.name}_redis_data_before_8" in redis.run("status").text
    # Only listed: prune removes images that no container uses, also those that other stacks of this host may need.
    listed = redis.run("prune", "--kept", "--check").text
    assert all(f"volume {name}: the data from before an upgrade" in listed for name in kept(redis.stack))


#: Service -> its line from before, the wanted one, the version that this is, and how its data get there.
MOVES = {
    "postgresql": (None, "17", "17.", "dump_restore"),
    "neo4j": (None, "5.26", "5.26.", "migrate_forward"),
    "chromadb": ("1.0.21", "1.5.9", "1.5.9", "migrate_forward"),
}


def test_upgrades_with_data(tmp_path: Path) -> None:
    """Every datum is the same afterwards, the old data are kept, and backup sets from before are in the repository.

    First two are rolled back, with their data moved already: their engines are not well within a moment. ChromaDB's is
    killed when all is moved, maybe before its container starts: the next run carries it through first.
    """
    name = "sys-upgrade"
    journal(name).unlink(missing_ok=True)
    with with_backups(tmp_path, name, list(MOVES), chromadb_version=MOVES["chromadb"][0]) as ready:
        for service in MOVES:
            SEED_IT[service](ready.stack)
        before = {service: READ[service](ready.stack) for service in MOVES}
        ready.set(**{f"{service}_version": line for service, (_, line, _, _) in MOVES.items()})
        engines = {service: engine(ready.stack, service) for service in MOVES}
        ready.set(upgrade_deadline=0.01)
        slow = ("postgresql", "neo4j")  # ChromaDB is well when it is first asked
        refused = ready.run("upgrade", "--without-backup", "--service", ",".join(slow), code=2).text
        for service in slow:
            assert f"{service}: rolled back to {engines[service]}, with all its data" in refused
            assert READ[service](ready.stack) == before[service]
            assert engine(ready.stack, service) == engines[service]
        assert kept(ready.stack) == leftovers(ready.stack) == []
        ready.set(upgrade_deadline=None)
        kill_when(ready, "ready", "upgrade", "--service", "chromadb")
        ready.run("upgrade")
        assert leftovers(ready.stack) == []
        written = evidence(ready)
        assert written["verdict"] == "pass"
        sets = {item["id"]: item for item in list_sets(name)["sets"]}
        for service, (_, line, version, how) in MOVES.items():
            assert READ[service](ready.stack) == before[service]
            assert engine(ready.stack, service).startswith(version)
            volume = ready.stack.resolved["services"][service]["volumes"][0]["name"]
            assert f"{volume}_before_{line}" in kept(ready.stack)
            its = written["results"]["services"][service]
            assert its["how"] == how
            assert its["latency"]["verdict"] in ("pass", "insufficient_data")
            assert service in sets[its["backup"]["set"]]["services"]
            assert sets[its["backup"]["set"]]["safety"]
        assert len(sets) == 2
    journal(name).unlink(missing_ok=True)
