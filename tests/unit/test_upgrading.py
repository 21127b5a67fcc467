"""What an upgrade decides and tells without Docker: labels, figures, lines, evidence, and its journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready import contents, evidence, journal, pgtransfer, upgradeplan
from ready.container import LABEL_DATA_FORMAT, LABEL_ENGINE, LABEL_KEPT, LABEL_KEPT_OF, LABEL_SERVICE, LABEL_STACK
from ready.engine import EngineError, absent_state
from ready.plan import bound_sources
from ready.removal import prunable
from ready.status import kept_volumes
from ready.upgrading import kept_labels, kept_name, new_labels

OLD = {LABEL_STACK: "ready", LABEL_SERVICE: "redis", LABEL_DATA_FORMAT: "rdb-10", LABEL_ENGINE: "7.0.15"}
MOVE: dict[str, Any] = {
    "service": "redis", "action": "upgrade", "found": "7.0.15", "wanted": "8", "row": "redis-7-8",
    "how": "migrate_forward", "rollback": "copy", "reason": "",
    "before": {"ref": "ready/redis:7", "id": "old"},
    "after": {
        "ref": "ready/redis:8", "id": "new", "source": "build", "data_format": "rdb-12", "engine_version": "8.0.2",
    },
}  # fmt: skip
#: What redis-cli 7.0.15 printed for AUTH and INFO keyspace.
KEYSPACE = "OK\n# Keyspace\r\ndb0:keys=1006,expires=1,avg_ttl=86399000\r\ndb3:keys=2,expires=2,avg_ttl=5\r\n\n"
#: What Neo4j 5.12.0 answered.
GRAPH = {
    "results": [
        {"columns": ["count(n)"], "data": [{"row": [500], "meta": [None]}]},
        {"columns": ["count(r)"], "data": [{"row": [499], "meta": [None]}]},
        {"columns": ["x"], "data": [{"row": [{"labels": {"Item": 500, "ReadyProbe": 0}, "types": {"NEXT": 499}}]}]},
        {"columns": ["count(*)"], "data": [{"row": [4], "meta": [None]}]},
        {"columns": ["count(*)"], "data": [{"row": [1], "meta": [None]}]},
    ],
    "errors": [],
}


def test_labels_follow_the_data() -> None:
    """The moved data say what made them; the copy says of what it is, and is nobody's data."""
    assert new_labels(OLD, MOVE["after"])[LABEL_ENGINE] == "8.0.2"
    assert new_labels(OLD, MOVE["after"])[LABEL_SERVICE] == "redis"
    copy = kept_labels(OLD, "redis", "ready_redis_data")
    assert LABEL_SERVICE not in copy
    assert (copy[LABEL_KEPT], copy[LABEL_KEPT_OF], copy[LABEL_ENGINE]) == ("redis", "ready_redis_data", "7.0.15")


def state(stack: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a stack with a kept volume."""
    found = absent_state(stack["services"].values(), "")
    labels = kept_labels(OLD | {"io.ready.source": "build"}, "redis", "ready_redis_data")
    found["volumes"][kept_name("ready_redis_data", "8")] = {
        "exists": True, "ours": True, "labels": labels, "service": None,
    }  # fmt: skip
    return found


def test_a_kept_volume_binds_nobody_and_is_named(stack: dict[str, Any]) -> None:
    """It is no service's data; `status` names it."""
    assert bound_sources(state(stack)) == {}
    (line,) = kept_volumes(state(stack), {"volumes": {"ready_redis_data_before_8": 2048}})
    assert "volume ready_redis_data_before_8 (2 KiB), redis of 7.0.15" in line


def test_prune_removes_kept_volumes_when_told(stack: dict[str, Any]) -> None:
    """Only with --kept, and never those of an upgrade under way."""
    info: dict[str, Any] = {"containers": [], "images": []}
    found = state(stack)
    assert prunable(info, stack, found)["volumes"] == []
    assert prunable(info, stack, found, kept=True)["volumes"] == ["ready_redis_data_before_8"]
    found["upgrade"] = {"volumes": {"ready_redis_data": {}}}
    assert prunable(info, stack, found, kept=True)["volumes"] == []


def test_redis_keys() -> None:
    """Keys that expire are not counted: they may be gone at any moment."""
    assert contents.redis_keys(KEYSPACE) == {"db0 keys": 1005, "db3 keys": 0}
    with pytest.raises(EngineError, match="WRONGPASS"):
        contents.redis_keys("(error) WRONGPASS invalid username-password pair\n")


def test_graph_figures() -> None:
    """Names that nothing carries do not count; an error is one."""
    assert contents.graph_figures(GRAPH) == {
        "nodes": 500, "relationships": 499, "indexes": 4, "constraints": 1, "labels Item": 500, "types NEXT": 499,
    }  # fmt: skip
    with pytest.raises(EngineError, match="no such procedure"):
        contents.graph_figures({"results": [], "errors": [{"message": "no such procedure"}]})


def test_http_body() -> None:
    """The body of a good answer; anything else says what it was."""
    assert contents.http_body("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n[1]") == [1]
    with pytest.raises(EngineError, match="410 Gone"):
        contents.http_body("HTTP/1.1 410 Gone\r\n\r\n{}")
    with pytest.raises(EngineError):
        contents.http_body("")


def test_rows_of_postgresql() -> None:
    """A figure's name may hold anything but the tab that ends it."""
    text = 'kailash rows of public."a b"\t3\nroles\t5\n'
    assert pgtransfer.figures(text) == {'kailash rows of public."a b"': "3", "roles": "5"}


def test_differing() -> None:
    """Lost, changed and additional figures are all named."""
    lines = contents.differing({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 1, "d": 4})
    assert lines == ["b: found 1, expected 2", "c: found none, expected 3", "d: found 4, expected none"]
    assert contents.differing({"a": [0.0]}, {"a": [0.0]}) == []


def test_steps(stack: dict[str, Any]) -> None:
    """A step needs an image that is there; what is not to be moved is none."""
    found = absent_state(stack["services"].values(), "")
    found["services"]["redis"]["image"] = {"ref": "ready/redis:7", "id": "old"}
    none = MOVE | {"service": "neo4j", "action": "none"}
    (step,) = upgradeplan.steps(stack, found, [MOVE, none], {"redis": MOVE["after"], "neo4j": {"id": "x"}})
    assert step["before"]["id"] == "old"
    assert step["after"]["id"] == "new"
    assert upgradeplan.steps(stack, found, [MOVE], {"redis": {"ref": "ready/redis:8"}}) == []


def test_room(stack: dict[str, Any]) -> None:
    """All copies may stay, and the largest service's data are there once more while they are moved."""
    sizes = {"volumes": {"ready_redis_data": 10, "ready_neo4j_data": 100, "ready_neo4j_logs": 5}}
    todo = [{"service": "redis"}, {"service": "neo4j"}]
    assert upgradeplan.room(stack, todo, sizes) == 115 + 105
    assert upgradeplan.room(stack, [], sizes) == 0


def test_evidence_fits_its_schema() -> None:
    """A good and a rolled back upgrade."""
    good = {"move": MOVE, "outcome": "upgraded", "seconds": 3.21, "kept": ["ready_redis_data_before_8"],
            "figures": {"contents": {"db0 keys": 3}, "copy_seconds": 0.5, "move_seconds": 0.7}}  # fmt: skip
    back = {"move": MOVE, "outcome": "rolled_back", "seconds": 9, "figures": {}, "reason": "it is unhealthy"}
    for item, version in ((good, "8.0.2"), (back, "7.0.15")):
        results = upgradeplan.results([item])
        assert results["services"]["redis"]["engine_version"] == version
        document = evidence.make("upgrade", "ready", "h", "pass", results, "2026-01-01T00:00:00Z")
        assert evidence.check(document) == []
    text = "\n".join(upgradeplan.done_lines([good, back]))
    assert "7.0.15 -> 8.0.2, away for 3 s" in text
    assert 'redis_version: "8"' in text
    assert "rolled back to 7.0.15, with all its data: it is unhealthy" in text


def test_evidence_that_says_too_little_is_refused() -> None:
    """A service without its outcome is not evidence."""
    document = evidence.make("upgrade", "ready", "h", "pass", {"services": {"redis": {}}}, "2026-01-01T00:00:00Z")
    assert evidence.check(document)


def test_gate_message() -> None:
    """The failed checks, by name."""
    checks = {"memory": {"verdict": "pass", "detail": ""}, "key_value": {"verdict": "fail", "detail": "refused"}}
    assert upgradeplan.gate_message({"checks": checks}) == "the gate health failed: key_value: refused"


def test_lines() -> None:
    """People are told how, and why not."""
    none = MOVE | {"action": "none", "reason": "it runs what is asked for"}
    moved, kept = upgradeplan.lines([MOVE, none])
    assert "7.0.15 -> 8 (row redis-7-8: migrated" in moved
    assert kept == "redis: 7.0.15: it runs what is asked for"


def test_journal(tmp_path: Path) -> None:
    """Written whole, read back, forgotten; a damaged one is not taken for none."""
    directory = tmp_path / "ready"
    assert journal.read("ready", directory) is None
    journal.write("ready", {"phase": "kept"}, directory)
    journal.write("ready", {"phase": "ready"}, directory)
    assert journal.read("ready", directory) == {"phase": "ready"}
    assert journal.read("other", directory) is None
    assert [path.name for path in directory.iterdir()] == ["upgrade-ready.json"]
    journal.path_of("ready", directory).write_text("{")
    with pytest.raises(journal.JournalError, match="can't be read"):
        journal.read("ready", directory)
    journal.forget("ready", directory)
    journal.forget("ready", directory)
    assert journal.read("ready", directory) is None
