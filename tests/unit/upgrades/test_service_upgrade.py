"""What an upgrade decides and tells without Docker: labels, figures, lines, evidence, and its journal."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ready.checks.not_in_inventory import kept_volumes
from ready.common.labels import LABEL_DATA_FORMAT, LABEL_ENGINE, LABEL_KEPT, LABEL_KEPT_OF, LABEL_SERVICE, LABEL_STACK
from ready.docker.kept_volumes import upgrade_copy_labels, upgrade_copy_name
from ready.docker.plan import bound_sources
from ready.docker.removal_plan import prunable
from ready.docker.state import absent_state
from ready.evidence import document as evidence
from ready.host import upgrade_journal
from ready.upgrades import fingerprint, gates, postgresql_transfer
from ready.upgrades import plan as upgrade_plan
from ready.upgrades.service_upgrade import new_labels

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


def test_labels_follow_the_data() -> None:
    """The moved data say what made them; the copy says of what it is, and is nobody's data."""
    assert new_labels(OLD, MOVE["after"])[LABEL_ENGINE] == "8.0.2"
    assert new_labels(OLD, MOVE["after"])[LABEL_SERVICE] == "redis"
    copy = upgrade_copy_labels(OLD, "redis", "ready_redis_data")
    assert LABEL_SERVICE not in copy
    assert (copy[LABEL_KEPT], copy[LABEL_KEPT_OF], copy[LABEL_ENGINE]) == ("redis", "ready_redis_data", "7.0.15")


def state(stack: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a stack with a kept volume."""
    found = absent_state(stack["services"].values(), "")
    labels = upgrade_copy_labels(OLD | {"io.ready.source": "build"}, "redis", "ready_redis_data")
    found["volumes"][upgrade_copy_name("ready_redis_data", "8")] = {
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


def test_rows_of_postgresql() -> None:
    """A figure's name may hold anything but the tab that ends it."""
    text = 'kailash rows of public."a b"\t3\nroles\t5\n'
    assert postgresql_transfer.figures(text) == {'kailash rows of public."a b"': "3", "roles": "5"}


def test_differing() -> None:
    """Lost, changed and additional figures are all named."""
    lines = fingerprint.differing({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 1, "d": 4})
    assert lines == ["b: found 1, expected 2", "c: found none, expected 3", "d: found 4, expected none"]
    assert fingerprint.differing({"a": [0.0]}, {"a": [0.0]}) == []


def test_steps(stack: dict[str, Any]) -> None:
    """A step needs an image that is there; what is not to be moved is none."""
    found = absent_state(stack["services"].values(), "")
    found["services"]["redis"]["image"] = {"ref": "ready/redis:7", "id": "old"}
    none = MOVE | {"service": "neo4j", "action": "none"}
    (step,) = upgrade_plan.steps(stack, found, [MOVE, none], {"redis": MOVE["after"], "neo4j": {"id": "x"}})
    assert step["before"]["id"] == "old"
    assert step["after"]["id"] == "new"
    assert upgrade_plan.steps(stack, found, [MOVE], {"redis": {"ref": "ready/redis:8"}}) == []


def test_room(stack: dict[str, Any]) -> None:
    """All copies may stay, and the largest service's data are there once more while they are moved."""
    sizes = {"volumes": {"ready_redis_data": 10, "ready_neo4j_data": 100, "ready_neo4j_logs": 5}}
    todo = [{"service": "redis"}, {"service": "neo4j"}]
    assert upgrade_plan.required_bytes(stack, todo, sizes) == 115 + 105
    assert upgrade_plan.required_bytes(stack, [], sizes) == 0


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
        results = upgrade_plan.results([item])
        assert results["services"]["redis"]["engine_version"] == version
        assert upgrade_plan.verdict([item]) == verdict
        document = evidence.make("upgrade", "ready", "h", verdict, results, "2026-01-01T00:00:00Z")
        assert evidence.check(document) == []
    assert upgrade_plan.verdict([good, back]) == "fail"
    assert upgrade_plan.results([good])["services"]["redis"]["backup"]["set"] == "20260101-000000-abcd"
    text = "\n".join(upgrade_plan.done_lines([good, back, left]))
    assert "7.0.15 -> 8.0.2, away for 3 s" in text
    assert "latency of cache_hit: too few" in text
    assert "backup set 20260101-000000-abcd, proven; only 7.0.15 loads it, see docs/upgrade.md" in text
    same = "\n".join(upgrade_plan.done_lines([good | {"move": {**MOVE, "how": "swap"}}]))
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
    assert gates.health_message({"checks": checks}) == "the gate health failed: key_value: refused"


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
    """A set wherever one can be made; where none is, people read so, and what to do about it."""
    full = {**stack, "services": {**stack["services"], "gateway": {"volumes": []}}}
    todo = [{"service": name} for name in services]
    way = upgrade_plan.rollback_source(full, todo, repository, known, without)
    text = "\n".join(way["lines"])
    assert way["kind"] == kind
    assert said in text
    assert ("backup_repository" in text) == (kind == "copy" and not without)


def drilled(verdict: str, *faults: str) -> dict[str, Any]:
    """Return what `service_backup` found."""
    services = {"redis": {"verdict": verdict, "faults": list(faults), "seconds": 2.5}}
    return {"error": "", "set": "S1", "verdict": verdict, "seconds": 4.0, "services": services}


def test_no_upgrade_without_a_proven_set() -> None:
    """A set that was not made, and one whose drill failed, refuse; a proven one does not."""
    assert upgrade_plan.set_fault(drilled("pass")) == ""
    refused = upgrade_plan.set_fault({"error": "restic init: no space left"})
    assert "no upgrade was begun: restic init: no space left. Nothing was upgraded" in refused
    refused = upgrade_plan.set_fault(drilled("fail", "keys: found 2, expected 3"))
    assert "backup set S1 did not prove itself" in refused
    assert "redis: keys: found 2, expected 3" in refused


def test_steps_name_their_set() -> None:
    """The set is in the journal with the step, so that a run that carries it through names it, too."""
    way = {"kind": "set", "services": ["redis"], "reason": ""}
    redis, gateway = upgrade_plan.with_backup([{"service": "redis"}, {"service": "gateway"}], way, drilled("pass"))
    assert redis["backup"] == {"set": "S1", "drill_seconds": 2.5, "reason": ""}
    assert gateway["backup"] == {"set": None, "drill_seconds": None, "reason": "it keeps no data"}
    way = {"kind": "copy", "services": ["redis"], "reason": "no backup repository is configured"}
    (redis,) = upgrade_plan.with_backup([{"service": "redis"}], way, {})
    assert redis["backup"] == {"set": None, "drill_seconds": None, "reason": "no backup repository is configured"}
    assert "no backup set from before: no backup repository" in "".join(
        upgrade_plan.done_lines([{"move": MOVE | redis, "outcome": "upgraded", "seconds": 1, "kept": []}])
    )


def measured(p95: float, errors: int = 0, lateness: float = 0.01, runs: int = 3, **other: Any) -> dict[str, Any]:
    """Return what `service_latency` answers about Redis, all runs alike."""
    series = {"n": 200, "errors": errors, "min_ms": 0.1, "p50_ms": p95, "p95_ms": p95, "p99_ms": None, "max_ms": p95,
              "first_error": "TimeoutError" if errors else ""}  # fmt: skip
    run = {"first_ms": 1.0, "warm_up": {}, "service": series, "response": {}, "lateness": {"p95_ms": lateness},
           "connection": {}, "detail": "", "steal_percent": 0.0, "busy": {}, "load": [0.1, 0.1, 0.1]}  # fmt: skip
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
    """Only a clear miss that is the new engine's own fails; what is not known is reported."""
    gate = gates.latency_gate({"name": "redis"}, answer, earlier)
    assert gate["verdict"] == verdict
    assert told in "; ".join(gate["told"])
    assert bool(gate["told"]) == bool(told)
    assert (told in gate["message"]) if verdict == "fail" else gate["message"] == ""
    item = {"move": MOVE, "outcome": "rolled_back", "seconds": 9, "reason": "slow", "latency": gate}
    document = evidence.make("upgrade", "ready", "h", "fail", upgrade_plan.results([item]), "2026-01-01T00:00:00Z")
    assert evidence.check(document) == []


def test_lines() -> None:
    """People read how, and why not."""
    none = MOVE | {"action": "none", "reason": "it runs what is asked for"}
    moved, kept = upgrade_plan.lines([MOVE, none])
    assert "7.0.15 -> 8 (row redis-7-8: migrated" in moved
    assert kept == "redis: 7.0.15: it runs what is asked for"


def test_journal(tmp_path: Path) -> None:
    """Written whole, read back, forgotten; a damaged one is not taken for none."""
    directory = tmp_path / "ready"
    assert upgrade_journal.read("ready", directory) is None
    upgrade_journal.write("ready", {"phase": "kept"}, directory)
    upgrade_journal.write("ready", {"phase": "ready"}, directory)
    assert upgrade_journal.read("ready", directory) == {"phase": "ready"}
    assert upgrade_journal.read("other", directory) is None
    assert [path.name for path in directory.iterdir()] == ["upgrade-ready.json"]
    upgrade_journal.path_of("ready", directory).write_text("{")
    with pytest.raises(upgrade_journal.JournalError, match="can't be read"):
        upgrade_journal.read("ready", directory)
    upgrade_journal.forget("ready", directory)
    upgrade_journal.forget("ready", directory)
    assert upgrade_journal.read("ready", directory) is None


def test_one_at_a_time(tmp_path: Path) -> None:
    """Nobody is beside another one, though the lock's file goes with each; it stays while there is a journal."""
    inside, most = 0, 0

    def work(_: int) -> None:
        nonlocal inside, most
        for _ in range(20):
            with upgrade_journal.held("ready", tmp_path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert most == 1
    assert list(tmp_path.iterdir()) == []
    with upgrade_journal.held("ready", tmp_path):
        upgrade_journal.write("ready", {"phase": "kept"}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["upgrade-ready.json", "upgrade-ready.lock"]
