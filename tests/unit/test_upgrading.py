"""What an upgrade decides and tells without Docker: labels, figures, lines, evidence, and its journal."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ready import contents, evidence, journal, pgtransfer, upgradegates, upgradeplan
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
    "backup": {"set": "20260101-000000-abcd", "drill_seconds": 2.5, "reason": ""},
    "after": {
        "ref": "ready/redis:8", "id": "new", "source": "build", "data_format": "rdb-12", "engine_version": "8.0.2",
    },
}  # fmt: skip
#: Recorded: what redis-cli 7.0.15 printed for `contents._REDIS`, with 1005 keys and one that expires, and two in db3.
KEYSPACE = "OK\n# Keyspace\r\ndb0:keys=1006,expires=1,avg_ttl=0\r\ndb3:keys=2,expires=2,avg_ttl=0\r\n"
WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.\n\nNOAUTH Authentication required.\n"
#: Recorded: what Neo4j 5.12.0 answered to `contents._CYPHER`, over a chain of 500 nodes with an index and a constraint
#: beside the two of its own; and to a procedure that it does not have.
GRAPH = (
    '{"results":[{"columns":["count(n)"],"data":[{"row":[500],"meta":[null]}]},'
    '{"columns":["count(r)"],"data":[{"row":[499],"meta":[null]}]},'
    '{"columns":["{labels: labels, types: relTypesCount}"],'
    '"data":[{"row":[{"types":{"NEXT":499},"labels":{"Item":500}}],"meta":[null,null]}]},'
    '{"columns":["count(*)"],"data":[{"row":[4],"meta":[null]}]},'
    '{"columns":["count(*)"],"data":[{"row":[1],"meta":[null]}]}],'
    '"errors":[],"lastBookmarks":["FB:kcwQgj0GmWppSeyDQZEZeux/+hGQ"]}'
)
NO_PROCEDURE = (
    "HTTP/1.1 200 OK\r\nDate: Wed, 25 Nov 2026 00:53:05 GMT\r\nAccess-Control-Allow-Origin: *\r\n"
    "Content-Type: application/json\r\nContent-Length: 282\r\n\r\n"
    '{"results":[],"errors":[{"code":"Neo.ClientError.Procedure.ProcedureNotFound",'
    '"message":"There is no procedure with the name `apoc.none` registered for this database instance. '
    "Please ensure you've spelled the procedure name correctly and that the procedure is properly deployed.\"}]}"
)


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
        contents.redis_keys(WRONG_PASSWORD)


def test_graph_figures() -> None:
    """Every figure of the answer; names that nothing carries do not count; an error is one."""
    body = json.loads(GRAPH)
    expected = {
        "nodes": 500, "relationships": 499, "indexes": 4, "constraints": 1, "labels Item": 500, "types NEXT": 499,
    }  # fmt: skip
    assert contents.graph_figures(body) == expected
    body["results"][2]["data"][0]["row"][0]["labels"]["Gone"] = 0  # as made up: a label that once was carried
    assert contents.graph_figures(body) == expected
    with pytest.raises(EngineError, match=r"no procedure with the name `apoc\.none`"):
        contents.graph_figures(contents.http_body(NO_PROCEDURE))


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
    """A good, a rolled back and a given up upgrade; it names the backup set."""
    latency = {"verdict": "insufficient_data", "told": ["latency of cache_hit: too few"], "operations": {}}
    good = {"move": MOVE, "outcome": "upgraded", "seconds": 3.21, "kept": ["ready_redis_data_before_8"],
            "figures": {"contents": {"db0 keys": 3}, "copy_seconds": 0.5, "move_seconds": 0.7},
            "latency": latency}  # fmt: skip
    back = {"move": MOVE, "outcome": "rolled_back", "seconds": 9, "figures": {}, "reason": "it is unhealthy"}
    left = {"move": {**MOVE, "backup": None}, "outcome": "given_up", "seconds": 4, "figures": {}, "reason": "--back"}
    for item, version, verdict in (
        (good, "8.0.2", "pass"), (back, "7.0.15", "fail"), (left, "7.0.15", "not_applicable"),
    ):  # fmt: skip
        results = upgradeplan.results([item])
        assert results["services"]["redis"]["engine_version"] == version
        assert upgradeplan.verdict([item]) == verdict
        document = evidence.make("upgrade", "ready", "h", verdict, results, "2026-01-01T00:00:00Z")
        assert evidence.check(document) == []
    assert upgradeplan.verdict([good, back]) == "fail"
    assert upgradeplan.results([good])["services"]["redis"]["backup"]["set"] == "20260101-000000-abcd"
    text = "\n".join(upgradeplan.done_lines([good, back, left]))
    assert "7.0.15 -> 8.0.2, away for 3 s" in text
    assert "latency of cache_hit: too few" in text
    assert "backup set 20260101-000000-abcd, proven; only 7.0.15 loads it, see docs/upgrade.md" in text
    same = "\n".join(upgradeplan.done_lines([good | {"move": {**MOVE, "how": "swap"}}]))
    assert "./ready restore --set 20260101-000000-abcd --only redis brings its data back" in same
    assert 'redis_version: "8"' in text
    assert "rolled back to 7.0.15, with all its data: it is unhealthy" in text
    assert "given up: 7.0.15 again" in text


def test_evidence_that_says_too_little_is_refused() -> None:
    """A service without its outcome is not evidence."""
    document = evidence.make("upgrade", "ready", "h", "pass", {"services": {"redis": {}}}, "2026-01-01T00:00:00Z")
    assert evidence.check(document)


def test_gate_message() -> None:
    """The failed checks, by name."""
    checks = {"memory": {"verdict": "pass", "detail": ""}, "key_value": {"verdict": "fail", "detail": "refused"}}
    assert upgradegates.health_message({"checks": checks}) == "the gate health failed: key_value: refused"


@pytest.mark.parametrize(
    ("services", "repository", "known", "without", "kind", "said"),
    [
        (["redis"], "/mnt/backup", False, False, "set", "First: a backup set of redis"),
        (["redis", "neo4j"], "", True, False, "set", "First: a backup set of redis, neo4j"),
        (["redis"], "", False, False, "copy", "WARNING: no backup set of redis is made first: no backup repository"),
        (["redis"], "/mnt/backup", True, True, "copy", "--without-backup was given"),
        (["gateway"], "/mnt/backup", True, False, "none", ""),
    ],
)
def test_way_back(
    stack: dict[str, Any], services: list[str], repository: str, known: bool, without: bool, kind: str, said: str
) -> None:
    """A set wherever one can be made; where none is, people are told, and what to do about it."""
    full = {**stack, "services": {**stack["services"], "gateway": {"volumes": []}}}
    todo = [{"service": name} for name in services]
    way = upgradeplan.way_back(full, todo, repository, known, without)
    text = "\n".join(upgradeplan.way_back_lines(way))
    assert way["kind"] == kind
    assert said in text
    assert ("backup_repository" in text) == (kind == "copy" and not without)


def drilled(verdict: str, *faults: str) -> dict[str, Any]:
    """Return what `service_backup` answers."""
    services = {"redis": {"verdict": verdict, "faults": list(faults), "seconds": 2.5}}
    return {"error": "", "found": {"set": "S1", "verdict": verdict, "seconds": 4.0, "services": services}}


def test_no_upgrade_without_a_proven_set() -> None:
    """A set that was not made, and one whose drill failed, refuse; a proven one does not."""
    assert upgradeplan.set_refusal("h", drilled("pass")) == ""
    refused = upgradeplan.set_refusal("h", {"error": "restic init: no space left", "found": {}})
    assert "no upgrade was begun: restic init: no space left. Nothing was upgraded" in refused
    refused = upgradeplan.set_refusal("h", drilled("fail", "keys: found 2, expected 3"))
    assert "backup set S1 did not prove itself" in refused
    assert "redis: keys: found 2, expected 3" in refused


def test_steps_name_their_set() -> None:
    """The set is in the journal with the step, so that a run that carries it through names it, too."""
    way = {"kind": "set", "services": ["redis"], "reason": ""}
    redis, gateway = upgradeplan.with_backup(
        [{"service": "redis"}, {"service": "gateway"}], way, drilled("pass")["found"]
    )
    assert redis["backup"] == {"set": "S1", "drill_seconds": 2.5, "reason": ""}
    assert gateway["backup"] == {"set": None, "drill_seconds": None, "reason": "it keeps no data"}
    way = {"kind": "copy", "services": ["redis"], "reason": "no backup repository is configured"}
    (redis,) = upgradeplan.with_backup([{"service": "redis"}], way, {})
    assert redis["backup"] == {"set": None, "drill_seconds": None, "reason": "no backup repository is configured"}
    assert "no backup set from before: no backup repository" in "".join(
        upgradeplan.done_lines([{"move": MOVE | redis, "outcome": "upgraded", "seconds": 1, "kept": []}])
    )


def measured(p95: float, errors: int = 0, lateness: float = 0.01, runs: int = 3, **other: Any) -> dict[str, Any]:
    """Return what `service_latency` answers about Redis, all runs alike."""
    series = {"n": 200, "errors": errors, "min_ms": 0.1, "p50_ms": p95, "p95_ms": p95, "p99_ms": None, "max_ms": p95,
              "first_error": "TimeoutError" if errors else ""}  # fmt: skip
    run = {"first_ms": 1.0, "warm_up": {}, "service": series, "response": {}, "lateness": {"p95_ms": lateness},
           "connection": {}, "detail": "", "steal_percent": 0.0, "load": [0.1, 0.1, 0.1]}  # fmt: skip
    operations = {"cache_hit": {"objective_ms": 1.0, "judged": True, "runs": [run] * runs}}
    its = {"operations": operations, "error": "", "complete": True, "image_id": "new", "size": "", "left": ""} | other
    return {"at": "2026-01-01T00:00:00Z", "samples": 200, "seconds": 1.0, "services": {"redis": its}, "host": {}}


def before(verdict: str, p95: float | None) -> dict[str, Any]:
    """Return earlier evidence of latency."""
    return {"results": {"services": {"redis": {"cache_hit": {"verdict": verdict, "p95_ms": p95, "judged": True}}}}}


@pytest.mark.parametrize(
    ("answer", "earlier", "verdict", "told"),
    [
        (measured(0.5, runs=1), {"results": {}}, "pass", ""),
        (measured(30.0), {"results": {}}, "fail", "p95 30 ms, objective 1 ms"),
        (measured(0.5, errors=50), {"results": {}}, "fail", "50 of 200 requests without the right answer"),
        (measured(30.0, lateness=5.0), {"results": {}}, "insufficient_data", "the prober's own lateness"),
        (measured(30.0, runs=1), {"results": {}}, "insufficient_data", "runs that do not agree"),
        (measured(1.5), before("fail", 1.2), "insufficient_data", "missed before the upgrade, too, with 1.2 ms"),
        (measured(3.0), before("fail", 1.2), "fail", "p95 3 ms"),
        (measured(1.5), before("pass", 0.9), "fail", "p95 1.5 ms"),
        (measured(0.5, runs=1), before("pass", 0.1), "pass", "p95 0.5 ms, and it was 0.1 ms before"),
        (measured(0.5, operations={}, error="no room for the fixture", complete=False), {"results": {}},
         "insufficient_data", "not measured: no room for the fixture"),
        (measured(0.5, operations={}, complete=False), {"results": {}}, "insufficient_data", "there was no time"),
        ({"services": {}, "samples": 200, "seconds": 0.0, "at": "", "host": {}}, {"results": {}}, "not_applicable", ""),
    ],
)  # fmt: skip
def test_latency_gate(answer: dict[str, Any], earlier: dict[str, Any], verdict: str, told: str) -> None:
    """Only a clear miss that is the new engine's own fails; what is not known is told."""
    gate = upgradegates.latency_gate({"name": "redis"}, answer, earlier)
    assert gate["verdict"] == verdict
    assert told in "; ".join(gate["told"])
    assert bool(gate["told"]) == bool(told)
    assert told in upgradegates.latency_message(gate)
    item = {"move": MOVE, "outcome": "rolled_back", "seconds": 9, "reason": "slow", "latency": gate}
    document = evidence.make("upgrade", "ready", "h", "fail", upgradeplan.results([item]), "2026-01-01T00:00:00Z")
    assert evidence.check(document) == []


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


def test_one_at_a_time(tmp_path: Path) -> None:
    """Nobody is beside another one, though the lock's file goes with each; it stays while there is a journal."""
    inside, most = 0, 0

    def work(_: int) -> None:
        nonlocal inside, most
        for _ in range(20):
            with journal.held("ready", tmp_path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert most == 1
    assert list(tmp_path.iterdir()) == []
    with journal.held("ready", tmp_path):
        journal.write("ready", {"phase": "kept"}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["upgrade-ready.json", "upgrade-ready.lock"]
