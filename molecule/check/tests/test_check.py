"""`check` left evidence of every part, none of it says that anything is wrong, and nothing of its own."""

from __future__ import annotations

import json

import pytest

from tests.stack import molecule_stack

STACK = molecule_stack(["postgresql", "neo4j", "chromadb", "redis"])
EVIDENCE = STACK.key_file.parent / "evidence" / STACK.name


@pytest.mark.parametrize("name", ["health", "security", "network", "latency"])
def test_evidence(name: str) -> None:
    """On a busy machine latency may be insufficient; nothing may be wrong."""
    evidence = json.loads((EVIDENCE / "localhost" / f"{name}.json").read_text())
    assert evidence["provenance"] == "real"
    assert (
        evidence["verdict"]
        in {
            "health": {"pass"},
            "security": {"pass", "waived"},
            "network": {"not_applicable"},
            "latency": {"pass", "insufficient_data"},
        }[name]
    ), evidence


def test_nothing_is_left() -> None:
    """No table, node, collection or key of a probe's; what other scenarios have written to a shared stack is there."""
    with STACK.postgresql("admin") as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ready%'").fetchall()
        assert found == []
    with STACK.neo4j() as driver:
        assert driver.execute_query("MATCH (n) WHERE NOT n:ReadyTest RETURN count(n) AS n").records[0]["n"] == 0
    assert {item.name for item in STACK.chromadb().list_collections()} <= {"ready_test"}
    assert set(STACK.redis("admin").scan_iter()) <= {"ready_test"}
