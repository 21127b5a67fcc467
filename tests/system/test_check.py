"""`./ready check` on a whole stack with user data in it: all well, then each fault with what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import docker
import pytest
from psycopg.sql import SQL, Identifier
from ready import dockerexec
from ready.usage import read_memory

from tests.names import own
from tests.system.conftest import Ready, Result, own_stack

NAME = own("sys-check")
PARTS = ("security", "network", "latency")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that is up, with user data in every service."""
    with own_stack(tmp_path_factory.mktemp("check"), NAME, SERVICES) as ready:
        ready.run("up")
        ready.stack.redis().set("ready_ttl", "1", ex=86400)
        ready.stack.write()
        yield ready


def health(ready: Ready) -> dict[str, Any]:
    """Return the services of the evidence of health."""
    evidence = json.loads((ready.directory / "evidence" / NAME / "localhost" / "health.json").read_text())
    return dict(evidence["results"]["services"])


def check(ready: Ready, code: int, only: str = "health,drift") -> tuple[Result, dict[str, Any]]:
    """Run the verb; return what it printed and the services of its evidence of health."""
    return ready.run("check", "--only", only, "--deadline", "8", code=code), health(ready)


def verdicts(services: dict[str, Any], name: str) -> dict[str, str]:
    """Return check -> verdict of a service."""
    return {check: outcome["verdict"] for check, outcome in services[name]["checks"].items()}


def well(services: dict[str, Any], *names: str) -> bool:
    """Return whether these services are healthy and all their checks passed."""
    return all(
        services[name]["state"] == "healthy" and set(verdicts(services, name).values()) == {"pass"} for name in names
    )


def everything(ready: Ready) -> dict[str, Any]:
    """Return all that is in the services, whoever wrote it: rows, nodes, edges, values and expiries, vectors."""
    rows = {}
    with ready.stack.postgresql("admin") as connection:
        tables = connection.execute("SELECT schemaname, relname FROM pg_stat_user_tables ORDER BY 1, 2").fetchall()
        for schema, table in tables:
            query = SQL("SELECT t::text FROM {} t ORDER BY 1").format(Identifier(schema, table))
            rows[f"{schema}.{table}"] = connection.execute(query).fetchall()
    with ready.stack.neo4j() as driver:
        nodes = driver.execute_query("MATCH (n) RETURN labels(n), properties(n)").records
        edges = driver.execute_query("MATCH (a)-[r]->(b) RETURN properties(a), type(r), properties(r), properties(b)")
    redis = ready.stack.redis("admin")
    keys = {str(key): (redis.dump(key), int(redis.ttl(key)) > 0) for key in redis.scan_iter()}
    vectors = {}
    for item in ready.stack.chromadb().list_collections():
        found = item.get(include=["embeddings", "documents", "metadatas"])
        its = zip(found["ids"], found["embeddings"].tolist(), found["documents"], found["metadatas"], strict=True)
        vectors[item.name] = (item.metadata, sorted(map(str, its)))
    return {
        "rows": rows,
        "nodes": sorted(map(str, nodes)),
        "edges": sorted(map(str, edges.records)),
        "keys": keys,
        "vectors": vectors,
    }


def size_of_indexes(ready: Ready) -> int:
    """Return the bytes of ChromaDB's indexes on disk; it never removes those of a deleted collection."""
    script = "find /data -name '*.bin' -printf '%s\\n'"
    found = dockerexec.run(ready.stack.container("chromadb"), ["sh", "-c", script])
    assert found.exit_code == 0
    return sum(map(int, found.output.split()))


def test_all_is_well(checked: Ready) -> None:
    """All parts of it: every check passes, no container is restarted, and all data are what they were, none added."""
    before, identities, indexes = everything(checked), checked.stack.identities(), size_of_indexes(checked)
    assert [("(42)",)] in before["rows"].values()
    assert (len(before["nodes"]), len(before["edges"]), len(before["vectors"]["ready_test"][1])) == (2, 1, 3)
    assert {key: expires for key, (_, expires) in before["keys"].items()} == {"ready_test": False, "ready_ttl": True}
    result = checked.run("check", code=None)
    left = checked.directory / "evidence" / NAME / "localhost"
    found = {name: json.loads((left / f"{name}.json").read_text()) for name in ("health", *PARTS)}
    said = {name: its["verdict"] for name, its in found.items()}
    assert said["health"] == "pass"
    assert "fail" not in {said["security"], said["network"]}, said
    # On a busy machine latency may be anything but unmeasured; test_latency.py is about its verdicts.
    assert result.code == (2 if said["latency"] == "fail" else 0), result.text[-3000:]
    assert set(found["latency"]["results"]["services"]) == set(SERVICES)
    services = found["health"]["results"]["services"]
    assert well(services, *SERVICES)
    assert not any(services[name]["drift"] for name in SERVICES)
    assert set(verdicts(services, "neo4j")) == {"apoc", "graph", "http"}
    assert everything(checked) == before
    assert size_of_indexes(checked) < indexes + 2**20
    assert checked.stack.identities() == identities
    checked.stack.check()
    assert check(checked, 0)[0].changed == 0


def test_service_stopped(checked: Ready) -> None:
    """It fails by name, the others are asked all the same, and `up` heals it."""
    container = checked.stack.container("redis")
    container.stop()
    result, services = check(checked, 2)
    assert services["redis"]["state"] == "exited"
    assert set(verdicts(services, "redis").values()) == {"fail"}
    assert well(services, "postgresql", "neo4j", "chromadb")
    assert "./ready logs --service redis" in result.text
    checked.run("up")
    assert well(check(checked, 0)[1], *SERVICES)


def test_service_hangs(checked: Ready) -> None:
    """A paused service ends at the deadline or the driver's timeout; the others are told as they are."""
    checked.stack.container("neo4j").pause()
    result, services = check(checked, 2)
    assert "./ready start --service neo4j" in result.text
    assert f"start container {NAME}-neo4j (it is paused)" in checked.run("up").text
    assert checked.stack.container("neo4j").status == "running"
    assert services["neo4j"]["state"] == "paused"
    assert set(verdicts(services, "neo4j").values()) == {"fail"}
    assert well(services, "postgresql", "chromadb", "redis")


def test_vectors_that_were_deleted_take_the_memory(checked: Ready) -> None:
    """ChromaDB keeps the memory of deleted collections; the restart that the check names gives it back."""
    container = checked.stack.container("chromadb")
    found = read_memory(docker.from_env(), f"{NAME}-chromadb")
    assert found
    limit = int(found[0] / 0.95)
    container.update(mem_limit=limit, memswap_limit=limit)
    result, services = check(checked, 2)
    assert verdicts(services, "chromadb") == {"memory": "fail", "embedding": "pass", "similarity": "pass"}
    assert "./ready restart --service chromadb" in result.text
    checked.run("restart", "--service", "chromadb")
    assert set(verdicts(check(checked, 2)[1], "chromadb").values()) == {"pass"}  # what is left is the limit's drift
    checked.run("up")
    assert well(check(checked, 0)[1], *SERVICES)


def test_password_changed_behind_our_back(checked: Ready) -> None:
    """The database's own word is shown, without the password, and the step that it names heals it."""
    password = checked.stack.passwords("postgresql")["app"]
    with checked.stack.postgresql("admin") as connection:
        connection.execute("ALTER ROLE kailash_app PASSWORD 'another'")
    result, services = check(checked, 2)
    assert verdicts(services, "postgresql") == {"query": "fail", "pool": "pass"}
    assert "password authentication failed" in services["postgresql"]["checks"]["query"]["detail"]
    assert password not in result.out + result.err + json.dumps(services)
    assert "./ready secrets rotate --service postgresql" in result.text
    checked.run("secrets", "rotate", "--service", "postgresql")
    assert well(check(checked, 0)[1], *SERVICES)
    checked.stack.check()


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
        _, services = check(checked, 2)
    assert verdicts(services, "postgresql")["pool"] == "fail"
    assert "connection" in services["postgresql"]["checks"]["pool"]["detail"]
    assert well(services, "neo4j", "chromadb", "redis")


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
        result, services = checked.run("up", "--verify", code=2), health(checked)
    finally:
        for name, value in before.items():
            if name in {"maxmemory", "maxmemory-policy"}:
                admin.config_set(name, value)
        admin.flushdb()
    assert result.changed == 0
    assert f"the stack {NAME} is up, and its check failed: redis memory" in result.text
    assert verdicts(services, "redis")["memory"] == "fail"
    admin.config_resetstat()
    assert verdicts(check(checked, 0)[1], "redis")["memory"] == "pass"


def test_container_edited_by_hand(checked: Ready) -> None:
    """Drift names the field, found and expected; `up` puts it back."""
    container = checked.stack.container("redis")
    docker.from_env().api.update_container(container.id, mem_limit=300 * 2**20, memswap_limit=300 * 2**20)
    result, services = check(checked, 2)
    assert f"memory: found {300 * 2**20}, expected {256 * 2**20}" in services["redis"]["drift"]
    assert well(services, *SERVICES)
    assert "as the inventory has it" in result.text
    checked.run("up")
    assert check(checked, 0)[1]["redis"]["drift"] == []
