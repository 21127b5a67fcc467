"""`./ready check` on a whole stack with user data in it: all well, then each fault with what it says.

The verb runs for what it prints and leaves; a single fault is asked for in this process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import docker
import pytest
from psycopg.sql import SQL, Identifier
from ready.docker import execute
from ready.docker.usage import read_memory
from ready.evidence import document as evidence

from tests.names import own
from tests.system.checks import Check, check, kept
from tests.system.conftest import DEAD_PROXY, PATIENT, QUICK, Ready, own_stack, pause
from tests.waiting import answering

NAME = own("sys-check")
PARTS = ("security", "network", "latency")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that is up, with user data in every service; test_latency.py judges how long an answer takes."""
    with own_stack(tmp_path_factory.mktemp("check"), NAME, SERVICES, QUICK | PATIENT) as ready:
        ready.run("up")
        ready.stack.redis().set("ready_ttl", "1", ex=86400)
        ready.stack.write()
        yield ready


def everything(ready: Ready) -> dict[str, Any]:
    """Return all that is in the services, whoever wrote it: rows, nodes, edges, values and expiries, vectors."""
    rows = {}
    with ready.stack.postgresql("admin") as connection:
        tables = connection.execute("SELECT schemaname, relname FROM pg_stat_user_tables ORDER BY 1, 2").fetchall()
        for schema, table in tables:
            query = SQL("SELECT t::text FROM {} t ORDER BY 1").format(Identifier(schema, table))
            rows[f"{schema}.{table}"] = connection.execute(query).fetchall()
        schemas = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1").fetchall()
    with ready.stack.neo4j() as driver:
        nodes = driver.execute_query("MATCH (n) RETURN labels(n), properties(n)").records
        edges = driver.execute_query("MATCH (a)-[r]->(b) RETURN properties(a), type(r), properties(r), properties(b)")
        indexes = driver.execute_query("SHOW INDEXES YIELD name").records
    redis = ready.stack.redis("admin")
    keys = {str(key): (redis.dump(key), int(redis.ttl(key)) > 0) for key in redis.scan_iter()}
    vectors = {}
    for item in ready.stack.chromadb().list_collections():
        found = item.get(include=["embeddings", "documents", "metadatas"])
        its = zip(found["ids"], found["embeddings"].tolist(), found["documents"], found["metadatas"], strict=True)
        vectors[item.name] = (item.metadata, sorted(map(str, its)))
    return {
        "rows": rows,
        "schemas": schemas,
        "indexes": sorted(map(str, indexes)),
        "nodes": sorted(map(str, nodes)),
        "edges": sorted(map(str, edges.records)),
        "keys": keys,
        "vectors": vectors,
    }


def size_of_indexes(ready: Ready) -> int:
    """Return the bytes of ChromaDB's indexes on disk; it never removes those of a deleted collection."""
    script = "find /data -name '*.bin' -printf '%s\\n'"
    found = execute.run(ready.stack.container("chromadb"), ["sh", "-c", script])
    assert found.exit_code == 0
    return sum(map(int, found.output.split()))


def test_all_is_well(checked: Ready) -> None:
    """All parts of it: every check passes, no container is restarted, and all data are what they were, none added."""
    before, identities, indexes = everything(checked), checked.stack.identities(), size_of_indexes(checked)
    assert [("(42)",)] in before["rows"].values()
    assert (len(before["nodes"]), len(before["edges"]), len(before["vectors"]["ready_test"][1])) == (2, 1, 3)
    assert {key: expires for key, (_, expires) in before["keys"].items()} == {"ready_test": False, "ready_ttl": True}
    checked.environment |= DEAD_PROXY
    result = checked.run("check", "--deadline", "240", code=None)  # a starved machine is no fault of the stack
    for name in DEAD_PROXY:
        del checked.environment[name]
    found = Check([], {name: kept(checked, name) for name in ("health", *PARTS)}, result.text)
    said = {name: its["verdict"] for name, its in found.evidence.items()}
    assert said["health"] == "pass"
    assert "fail" not in {said["security"], said["network"]}, said
    # On a busy machine latency may be anything but unmeasured; test_latency.py is about its verdicts.
    assert result.code == (2 if said["latency"] == "fail" else 0)
    assert set(found.evidence["latency"]["results"]["services"]) == set(SERVICES)
    assert found.well(*SERVICES)
    assert not any(found.services[name]["drift"] for name in SERVICES)
    assert set(found.verdicts("neo4j")) == {"apoc", "graph", "http"}
    assert result.changed == 0
    assert everything(checked) == before
    assert size_of_indexes(checked) < indexes + 2**20
    assert checked.stack.identities() == identities
    checked.stack.check()


def test_what_is_wrong_is_told_and_put_right(checked: Ready) -> None:
    """One stopped, one paused, one edited by hand, a password in evidence: each is named, and `up` heals the stack.

    The others are reported as they are, within the deadline.
    """
    client, password = docker.from_env(), checked.stack.passwords("redis")["backup"]
    checked.stack.container("redis").stop()
    pause(checked.stack.container("neo4j"))
    memory = checked.stack.resolved["services"]["chromadb"]["limits"]["memory"]
    edited = memory + 300 * 2**20
    client.api.update_container(f"{NAME}-chromadb", mem_limit=edited, memswap_limit=edited)
    planted = checked.directory / "evidence" / NAME / "localhost" / "planted.json"
    planted.write_text(json.dumps({"x": f"postgresql://u:{password}@h"}))
    try:
        result = checked.run("check", "--only", "health,drift,security", "--deadline", "30", code=2)
    finally:
        planted.unlink()
    found = Check([], {name: kept(checked, name) for name in ("health", "security")}, result.text)
    assert {name: found.services[name]["state"] for name in ("redis", "neo4j")} == {
        "redis": "exited", "neo4j": "paused",
    }  # fmt: skip
    for name in ("redis", "neo4j"):
        assert set(found.verdicts(name).values()) == {"fail"}
    assert found.well("postgresql", "chromadb")
    drift = [f"{key}: found {edited}, expected {memory}" for key in ("memory", "memory_swap")]
    assert found.services["chromadb"]["drift"] == drift
    assert not found.services["postgresql"]["drift"]
    assert "./ready logs --service redis" in result.text
    assert "./ready start --service neo4j" in result.text
    assert f"puts {NAME}-chromadb back as the inventory has it" in result.text
    # The controller's own files are searched too.
    leaks = [item for item in found.evidence["security"]["results"]["checks"] if item["id"] == "controller"]
    assert [item["verdict"] for item in leaks] == ["fail"]
    assert f"redis's backup (plain) in {planted}" in leaks[0]["found"]
    assert password not in json.dumps(found.evidence) + result.out + result.err

    assert f"start container {NAME}-neo4j (it is paused)" in checked.run("up").text
    checked.stack.await_docker_health()  # Docker calls what was paused unhealthy until it asks again
    assert not check(checked).failed
    checked.stack.check()


def test_vectors_that_were_deleted_take_the_memory(checked: Ready) -> None:
    """ChromaDB keeps the memory of deleted collections; the restart that the check names gives it back."""
    container = checked.stack.container("chromadb")
    before = container.attrs["HostConfig"]["Memory"]
    client = checked.stack.chromadb()
    many = client.create_collection("deleted", embedding_function=None)
    for start in range(0, 5000, 1000):
        ids = [str(number) for number in range(start, start + 1000)]
        many.add(ids=ids, embeddings=[[float(number % (at + 2)) for at in range(384)] for number in map(int, ids)])
    client.delete_collection("deleted")
    used = read_memory(docker.from_env(), f"{NAME}-chromadb")
    assert used
    limit = int(used[0] / 0.95)
    container.update(mem_limit=limit, memswap_limit=limit)
    found = check(checked)
    assert found.verdicts("chromadb") == {"memory": "fail", "embedding": "pass", "similarity": "pass"}
    assert "./ready restart --service chromadb" in found.text
    container.restart()
    answering(checked.stack, "chromadb")
    found = check(checked)
    assert found.unwell("chromadb") == set()
    assert found.failed == ["chromadb drift"]  # the limit's
    container.update(mem_limit=before, memswap_limit=before)


def test_password_changed_behind_our_back(checked: Ready) -> None:
    """The database's own word is shown, without the password, and the step that it names heals it."""
    password = checked.stack.passwords("postgresql")["app"]
    with checked.stack.postgresql("admin") as connection:
        connection.execute("ALTER ROLE kailash_app PASSWORD 'another'")
    found = check(checked)
    assert found.verdicts("postgresql") == {"query": "fail", "pool": "pass"}
    assert "password authentication failed" in found.services["postgresql"]["checks"]["query"]["detail"]
    assert password not in found.text + json.dumps(found.evidence)
    assert "./ready secrets rotate --service postgresql" in found.text
    checked.run("secrets", "rotate", "--service", "postgresql")
    assert check(checked).well(*SERVICES)
    checked.stack.check()


def test_health_test_sees_a_wrong_password(checked: Ready) -> None:
    """Docker's own health test ends with an error when its password is another: `redis-cli` alone would not."""

    def healthy(name: str) -> bool:
        container = checked.stack.container(name)
        return bool(
            container.exec_run(["sh", "-c", container.attrs["Config"]["Healthcheck"]["Test"][1]]).exit_code == 0
        )

    right = {name: checked.stack.passwords(name)["monitor"] for name in ("postgresql", "redis")}
    with checked.stack.postgresql("admin") as connection, checked.stack.redis("admin") as client:
        set_password = SQL("ALTER ROLE ready_monitor PASSWORD {}")
        try:
            connection.execute(set_password.format("another"))
            client.acl_setuser("ready_monitor", enabled=True, passwords=["+another"], reset_passwords=True)
            assert not healthy("postgresql")
            assert not healthy("redis")
        finally:
            connection.execute(set_password.format(right["postgresql"]))
            client.acl_setuser("ready_monitor", enabled=True, passwords=[f"+{right['redis']}"], reset_passwords=True)
    assert healthy("postgresql")
    assert healthy("redis")


def test_connections_used_up(checked: Ready) -> None:
    """When no connection is left the pool check fails."""
    with ExitStack() as stack:
        first = stack.enter_context(checked.stack.postgresql())
        row = first.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        ).fetchone()
        assert row
        for _ in range(row[0] - 6):
            stack.enter_context(checked.stack.postgresql())
        found = check(checked)
    assert found.verdicts("postgresql")["pool"] == "fail"
    assert "connection" in found.services["postgresql"]["checks"]["pool"]["detail"]
    assert found.well("neo4j", "chromadb", "redis")


def test_redis_evicts(checked: Ready) -> None:
    """Keys that had to go are a fault, until the counters are reset; `up --verify` says that it can't heal it."""
    admin = checked.stack.redis("admin")
    before = {name: str(value) for name, value in admin.config_get("maxmemory*").items()}
    try:
        admin.config_set("maxmemory-policy", "allkeys-random")
        for number in range(200):
            admin.set(f"filler:{number}", b"x" * 10_000)
        admin.config_set("maxmemory", str(int(admin.info("memory")["used_memory"]) - 500_000))
        admin.set("one", "more")
        # Without it there is no baseline, and nothing is slower than it.
        evidence.path_of(checked.directory / "evidence", NAME, "localhost", "latency").unlink()
        result = checked.run("up", "--verify", code=2)
    finally:
        for name, value in before.items():
            if name in {"maxmemory", "maxmemory-policy"}:
                admin.config_set(name, value)
        admin.flushdb()
    assert result.changed == 0
    assert f"the stack {NAME} is up, and its check failed: redis memory" in result.text
    assert kept(checked)["results"]["services"]["redis"]["checks"]["memory"]["verdict"] == "fail"
    admin.config_resetstat()
    assert check(checked).verdicts("redis")["memory"] == "pass"
