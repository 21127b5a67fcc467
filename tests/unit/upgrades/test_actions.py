"""The actions of role upgrade: what they ask the modules, and what the tasks get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ready.evidence import document as evidence

from tests.unit.actions import Asked, run
from tests.unit.conftest import resolved_stack
from tests.unit.upgrades.test_service_upgrade import measured

PASSED = {"services": {"redis": {"verdict": "pass", "checks": {}}}}
GIB = 2**30


def gates(modules: Asked, monkeypatch: pytest.MonkeyPatch, directory: Path, samples: int = 200) -> dict[str, Any]:
    """Run the gates of Redis."""
    stack = {**resolved_stack(), "evidence_dir": str(directory)}
    return run("upgrade_gates", modules, monkeypatch, stack=stack, service="redis", samples=samples)


def test_a_service_without_its_data_is_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of the stack, the modules get that service alone."""
    failed = {"verdict": "fail", "checks": {"key_value": {"verdict": "fail", "detail": "refused"}}}
    modules = Asked(service_health={"services": {"redis": failed}})
    found = gates(modules, monkeypatch, tmp_path)
    assert found == {"changed": False, "fault": "the gate health failed: key_value: refused"}
    assert list(modules.args) == ["service_health"]
    assert list(modules.args["service_health"]["stack"]["services"]) == ["redis"]


@pytest.mark.parametrize(
    ("p95", "earlier", "fault"),
    [(0.5, None, ""), (30.0, None, "the gate latency failed: latency of cache_hit: p95 30 ms"), (1.5, 1.2, "")],
)
def test_latency_is_judged_by_objective_and_evidence(
    p95: float, earlier: float | None, fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A miss that the evidence from before has as well is no fault; what was measured becomes a variable."""
    if earlier:
        series = {"n": 200, "errors": 0, "p50_ms": earlier, "p95_ms": earlier, "p99_ms": None}
        its = {"objective_ms": 1.0, "judged": True, "verdict": "fail", "reason": "slow", **series}
        results = {"services": {"redis": {"cache_hit": its}}}
        monkeypatch.setattr(evidence, "earlier", lambda *asked: {"results": results} if asked[-1] == "latency" else {})
    modules = Asked(service_health=PASSED, service_latency=measured(p95))
    found = gates(modules, monkeypatch, tmp_path)
    assert found["fault"][: len(fault) or None] == fault
    assert modules.args["service_latency"]["samples"] == 200
    gate = modules.args["registered"]["_upgrade_latency"]
    assert gate["operations"]["cache_hit"]["before_p95_ms"] == earlier
    assert (gate["verdict"] == "fail") is bool(fault)


def test_gates_without_samples_or_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With 0 samples nothing is measured; a module that failed is what the task says."""
    modules = Asked(service_health=PASSED)
    assert gates(modules, monkeypatch, tmp_path, samples=0)["fault"] == ""
    assert list(modules.args) == ["service_health"]
    for broken in (
        Asked(service_health={"failed": True, "msg": "no driver"}),
        Asked(service_health=PASSED, service_latency={"failed": True, "msg": "no driver"}),
    ):
        found = gates(broken, monkeypatch, tmp_path)
        assert (found["failed"], found["msg"]) == (True, "no driver")
        assert "registered" not in broken.args


def rollback(monkeypatch: pytest.MonkeyPatch, free: int, local: bool = True, **other: Any) -> dict[str, Any]:
    """Decide about an upgrade of Redis, whose data are 2 GiB."""
    return run(
        "upgrade_rollback", Asked(), monkeypatch, stack=resolved_stack(), wanted=[{"service": "redis"}],
        details={"volumes": {"ready_redis_data": 2 * GIB}},
        facts={"docker": {"local": local}, "disk": {"docker": {"path": "/var/lib/docker", "free": free}}},
        **{"configured": True, **other},
    )  # fmt: skip


def test_an_upgrade_needs_room_for_the_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the data: a copy, and the moved ones. Of a Docker elsewhere nothing is known."""
    with pytest.raises(
        AnsibleActionFail, match=r"^pc1: found 3\.0 GiB free at /var/lib/docker, expected 4\.0 GiB: .*Next: free disk"
    ):
        rollback(monkeypatch, 3 * GIB)
    assert rollback(monkeypatch, 3 * GIB, local=False)["kind"] == "set"
    assert rollback(monkeypatch, 4 * GIB)["services"] == ["redis"]


def test_what_a_rollback_restores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set where the host or the inventory has a repository, else copies, with the reason."""
    assert rollback(monkeypatch, 4 * GIB)["kind"] == "set"
    found = rollback(monkeypatch, 4 * GIB, configured=False)
    assert (found["kind"], found["reason"]) == ("copy", "no backup repository is configured")
    assert found["lines"][0].startswith("WARNING: no backup set of redis is made first")
    assert rollback(monkeypatch, 4 * GIB, configured=False, repository="/mnt/backup")["kind"] == "set"
    assert rollback(monkeypatch, 4 * GIB, without_backup=True)["reason"] == "--without-backup was given"
