"""The evidence says what was shown, with Redis stopped exactly what needs it fails, and nothing else is touched.

How fast it was is no matter here: a channel may be beyond its limit on a busy machine, which is no proof, and no fault.
"""

from __future__ import annotations

import json
from typing import Any

import docker
import pytest
from ready.applications.frameworks import PREFIX
from ready.applications.scratch_database import ForeignDatabaseError, ScratchDatabase
from ready.evidence.document import check

from tests.stack import molecule_stack

STORES = ["postgresql", "neo4j", "chromadb", "redis"]
STACK = molecule_stack([*STORES, "ai"])
EVIDENCE = STACK.key_file.parent / "evidence" / STACK.name / "localhost" / "frameworks.json"


@pytest.fixture(scope="module")
def evidence() -> Any:
    """Return what the last run left."""
    return json.loads(EVIDENCE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stopped() -> bool:
    """Return whether Redis is stopped, as it is in the second verify."""
    return bool(STACK.container("redis").status != "running")


def unproven(results: dict[str, Any], *verdicts: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the part and each of its findings that has one of these verdicts."""
    return [
        (part, found)
        for part, its in results.items()
        for found in its.get("findings", [])
        if found["verdict"] in verdicts
    ]


def test_it_keeps_its_schema(evidence: dict[str, Any], stopped: bool) -> None:
    """Every part that was asked for was looked at, and says so in the form that reports are made of."""
    assert check(evidence) == []
    parts = {"core", "dataflow", "nexus", "workflow", "cleanup", "run"}
    assert set(evidence["results"]) == (parts if stopped else parts | {"mcp"})
    assert not evidence["results"]["run"]["timed_out"]


def test_verdicts(evidence: dict[str, Any], stopped: bool) -> None:
    """Nothing fails while all services run; with Redis stopped every finding that fails names it."""
    results = evidence["results"]
    if not stopped:
        assert evidence["verdict"] in {"pass", "insufficient_data"}, unproven(results, "fail")
        assert unproven(results, "fail") == []
        return
    failed = unproven(results, "fail")
    assert evidence["verdict"] == "fail"
    assert {part for part, _ in failed} >= {"nexus", "workflow"}
    assert [each for each in failed if "redis" not in json.dumps(each).lower()] == []
    assert results["core"]["verdict"] == "pass"


def test_dataflow(evidence: dict[str, Any]) -> None:
    """All nodes, and what the ADR asks for; the cache alone needs Redis, if at all."""
    its = evidence["results"]["dataflow"]
    assert (its["models"], its["expected"], its["nodes"], its["executed"], its["failed"]) == (13, 143, 143, 143, 0)
    assert its["capabilities"]["expected"] == 117


def test_channels_are_measured(evidence: dict[str, Any], stopped: bool) -> None:
    """Each of them, with more than one request; on a busy host the figures are there and prove nothing."""
    if not stopped:
        for channel in ("api", "cli", "mcp"):
            its = evidence["results"]["nexus"][channel]
            assert its["requests"] > 1
            figures = its if its["verdict"] == "pass" else its["measured"]
            assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["max_ms"]


def test_a_database_of_somebody_is_left_alone() -> None:
    """It has the run's name and not its mark: nothing is changed, and the message says what to do."""
    database = ScratchDatabase(docker.from_env(), STACK.resolved, PREFIX)
    with STACK.postgresql("admin") as connection:
        connection.execute(f'CREATE DATABASE "{PREFIX}"')
        try:
            for act in (database.make, database.drop):
                with pytest.raises(ForeignDatabaseError, match="Next: rename it"):
                    act()
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [PREFIX]).fetchall()
            assert found == [(1,)]
        finally:
            connection.execute(f'DROP DATABASE "{PREFIX}"')


def test_nothing_is_left(evidence: dict[str, Any], stopped: bool) -> None:
    """Also not what an interrupted run had left before; other data are as they were."""
    with STACK.postgresql("admin") as connection:
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [PREFIX]).fetchall() == []
    with STACK.neo4j() as driver:
        assert driver.execute_query("MATCH (n:ReadyFrameworks) RETURN n").records == []
    assert [item.name for item in STACK.chromadb().list_collections() if item.name.startswith(PREFIX)] == []
    assert (
        docker.from_env().containers.list(all=True, filters={"label": ["io.ready.job", f"io.ready.stack={STACK.name}"]})
        == []
    )
    STACK.check("postgresql", "neo4j", "chromadb")
    if stopped:
        assert evidence["results"]["cleanup"]["verdict"] == "insufficient_data"
    else:
        assert list(STACK.redis().scan_iter(f"{PREFIX}*")) == []
        STACK.check("redis")
        assert evidence["results"]["cleanup"]["before"] == {"neo4j": 2, "chromadb": 1, "redis": 1}
