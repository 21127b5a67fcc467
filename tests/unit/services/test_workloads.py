"""What the fixtures hold, and how wrong answers are distinguished from right ones."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ready.checks.probe import CheckError
from ready.checks.probes import PROBES
from ready.latency.workload import SIZE, questions
from ready.latency.workloads import WORKLOADS
from ready.services.chromadb.workload import check_neighbours, neighbours, vectors
from ready.services.neo4j.workload import after, pattern, two_steps, uses_index
from ready.services.postgresql.workload import amount, best_customers
from ready.stack.definitions import load_definitions


def test_every_store_has_its_workload() -> None:
    """A service that is not measured would never be slow; the gateway is a way to ChromaDB and stores nothing."""
    assert set(WORKLOADS) == set(PROBES) - {"gateway"}


def test_questions_are_the_same_in_every_run() -> None:
    """So figures compare."""
    assert questions(1) == questions(1)
    assert questions(1) != questions(2)
    assert len(set(questions(1))) == 500


def test_the_best_customers_of_a_category() -> None:
    """By plain counting over all orders."""
    totals: dict[int, int] = {}
    for order in range(SIZE):
        totals[order % 1000] = totals.get(order % 1000, 0) + amount(order)
    mine = sorted((-total, customer) for customer, total in totals.items() if customer % 50 == 7)[:5]
    assert best_customers(7) == [(f"customer {customer}", 10, -total) for total, customer in mine]


def test_two_steps() -> None:
    """From 0 over 1 and 3."""
    assert after(0) == (1, 3)
    assert two_steps(0) == sorted({2, 10, 4, 24})


def test_the_pattern_of_a_node() -> None:
    """Groups come in order, without the node's own; tests/system/test_latency.py holds the figures against Neo4j."""
    found = pattern(0)
    assert [group for group, _, _ in found] == sorted({group for group, _, _ in found} - {0})
    assert all(ends >= 1 and others >= 1 for _, ends, others in found)


SEEK = {"operatorType": "NodeIndexSeek@neo4j", "args": {"Details": "RANGE INDEX a:ReadyProbe(run, n) WHERE run = $run"}}


@pytest.mark.parametrize(
    ("leaf", "used"),
    [
        (SEEK, True),
        (SEEK | {"operatorType": "NodeIndexScan@neo4j"}, False),  # all of the index is read: as seen on Neo4j 5.12
        (SEEK | {"args": {"Details": "RANGE INDEX a:Other(run, n)"}}, False),
        ({"operatorType": "NodeByLabelScan@neo4j", "args": {"Details": "a:ReadyProbe"}}, False),
    ],
)
def test_an_index_is_used_by_a_seek(leaf: dict[str, object], used: bool) -> None:
    """A scan is no use."""
    plan = {"operatorType": "ProduceResults@neo4j", "children": [{"operatorType": "Filter", "children": [leaf]}]}
    assert uses_index(plan) is used


def test_neighbours_are_the_nearest() -> None:
    """Of all, or of the numbers given."""
    stored = vectors(200, 1)
    (found,) = neighbours(stored, stored[17:18], np.arange(200))
    assert found[0] == "v17"
    (odd,) = neighbours(stored, stored[17:18], np.arange(1, 200, 2))
    assert odd[0] == "v17"
    assert all(int(name[1:]) % 2 for name in odd)
    assert np.allclose(np.linalg.norm(stored, axis=1), 1, atol=1e-5)


TRUE = [f"v{number}" for number in range(10)]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (TRUE[1:] + TRUE[:1], "the nearest neighbour: found v1, expected v0"),
        ([*TRUE[:8], "v77", "v78"], "true neighbours: found 8 of 10, expected 90%"),
        ([], "the nearest neighbour: found none, expected v0"),
    ],
)
def test_wrong_neighbours(found: list[str], message: str) -> None:
    """An approximate index may miss one in ten, and never the nearest."""
    with pytest.raises(CheckError, match=re.escape(message)):
        check_neighbours(found, TRUE)
    check_neighbours([*TRUE[:9], "v77"], TRUE)


def test_objectives_are_in_the_definitions() -> None:
    """The ADR's and the second tier's, each once."""
    objectives = {name: definition["objectives"] for name, definition in load_definitions().items()}
    assert objectives["redis"] == {"latency_p95_ms": 1, "cache_miss_p95_ms": 5}
    assert objectives["ai"] == {"completion_p95_ms": 2000, "embedding_p95_ms": 500, "classification_p95_ms": 500}
    found = {name: objectives[name]["latency_p95_ms"] for name in WORKLOADS if name != "ai"}
    assert found | {"postgresql": 10, "neo4j": 100, "chromadb": 50, "redis": 1} == found
