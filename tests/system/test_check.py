"""`./ready check` on a whole stack with user data in it: all well, then each fault with what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import docker
import pytest

from tests.system.conftest import Ready, Result, own_stack

NAME = "sys-check"
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that is up, with user data in every service."""
    with own_stack(tmp_path_factory.mktemp("check"), NAME, SERVICES) as ready:
        ready.run("up")
        ready.stack.write()
        yield ready


def check(ready: Ready, code: int, only: str = "health,drift") -> tuple[Result, dict[str, Any]]:
    """Run the verb; return what it printed and the services of its evidence of health."""
    result = ready.run("check", "--only", only, "--deadline", "8", code=code)
    evidence = json.loads((ready.directory / "evidence" / NAME / "localhost" / "health.json").read_text())
    return result, evidence["results"]["services"]


def verdicts(services: dict[str, Any], name: str) -> dict[str, str]:
    """Return check -> verdict of a service."""
    return {check: outcome["verdict"] for check, outcome in services[name]["checks"].items()}


def well(services: dict[str, Any], *names: str) -> bool:
    """Return whether these services are healthy and all their checks passed."""
    return all(
        services[name]["state"] == "healthy" and set(verdicts(services, name).values()) == {"pass"} for name in names
    )


def everything(ready: Ready) -> dict[str, Any]:
    """Return all that is in the services, whoever wrote it."""
    with ready.stack.postgresql("admin") as connection:
        tables = connection.execute("SELECT schemaname, relname FROM pg_stat_user_tables ORDER BY 1, 2").fetchall()
    with ready.stack.neo4j() as driver:
        nodes = driver.execute_query("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties").records
    keys = sorted(str(key) for key in ready.stack.redis("admin").scan_iter())
    collections = sorted(item.name for item in ready.stack.chromadb().list_collections())
    return {"tables": tables, "nodes": sorted(map(str, nodes)), "keys": keys, "collections": collections}


def test_all_is_well(checked: Ready) -> None:
    """Every check passes, no container is restarted, and the data are what they were, with nothing added."""
    before, identities = everything(checked), checked.stack.identities()
    _, services = check(checked, 0)
    assert well(services, *SERVICES)
    assert not any(services[name]["drift"] for name in SERVICES)
    assert set(verdicts(services, "neo4j")) == {"apoc", "graph", "http"}
    assert everything(checked) == before
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
    container = checked.stack.container("neo4j")
    container.pause()
    try:
        _, services = check(checked, 2)
    finally:
        container.unpause()
    checked.stack.await_docker_health()
    assert services["neo4j"]["state"] == "paused"
    assert set(verdicts(services, "neo4j").values()) == {"fail"}
    assert well(services, "postgresql", "chromadb", "redis")


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
    """Keys that had to go are a fault, until the counters are reset."""
    admin = checked.stack.redis("admin")
    before = {name: str(value) for name, value in admin.config_get("maxmemory*").items()}
    try:
        admin.config_set("maxmemory-policy", "allkeys-random")
        for number in range(200):
            admin.set(f"filler:{number}", b"x" * 10_000)
        admin.config_set("maxmemory", str(int(admin.info("memory")["used_memory"]) - 500_000))
        admin.set("one", "more")
        _, services = check(checked, 2)
    finally:
        for name, value in before.items():
            if name in {"maxmemory", "maxmemory-policy"}:
                admin.config_set(name, value)
        admin.flushdb()
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
