"""The report over the real requirements: what a check supplies, and what is not judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.checks import status
from ready.evidence import document as evidence
from ready.evidence import readiness, report, requirements

from tests.unit.conftest import resolved_stack
from tests.unit.evidence.reportdata import NOW, leave, small_results

__all__ = ["small_results"]

HEALTH = {"postgresql": ["pool", "query"], "neo4j": ["apoc", "graph"], "chromadb": ["embedding", "similarity"],
          "redis": ["memory", "key_value"], "ai": ["connectivity", "rate_limit"]}  # fmt: skip
FIGURES = {"postgresql": ["simple_query", "complex_join"], "neo4j": ["traversal", "complex_pattern"],
           "chromadb": ["vector_search", "filtered_query"], "redis": ["cache_hit", "cache_miss"],
           "ai": ["completion", "classification"]}  # fmt: skip


def checked(root: Path, *services: str, regression: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """Return what the report says after a check of these services in which all was well."""
    well = {"verdict": "pass"}
    health = {name: {"state": "healthy", "checks": dict.fromkeys(HEALTH[name], well)} for name in services}
    its = {"p95_ms": 0.1, "verdict": "pass", "regression": regression}
    leave(root, {"services": health}, name="health")
    leave(root, {"services": {name: dict.fromkeys(FIGURES[name], its) for name in services}}, name="latency")
    leave(root, {"paths": {}}, name="network", verdict="not_applicable")
    for name in ("security", "backup", "drill"):
        leave(root, {"verdict": "pass"}, name=name)
    leave(root, {"checks": [{"id": name, "verdict": "pass"} for name in ("memory", "disk")]}, name="preflight")
    found = evidence.read_all(root, "ready")
    return readiness.evaluate(requirements.load(), found, root, ["pc1"], NOW)


def test_a_check_is_not_the_next_step_after_itself(tmp_path: Path) -> None:
    """What it can't supply is waited for under the name of what can."""
    _, results = checked(tmp_path, *HEALTH)
    frameworks, waiting = report.next_steps(results)
    assert frameworks.startswith("./ready frameworks (for ")
    assert "waiting for what is not built yet" in waiting
    assert "./ready availability" in waiting.partition("yet: ")[2].split(", ")
    _, results = checked(tmp_path, "redis", "postgresql")
    steps = report.next_steps(results)
    assert "./ready up with neo4j in ready_services (for 3 requirements)" in steps
    assert not any("./ready check" in step for step in steps)


def test_a_service_that_is_there_is_checked(tmp_path: Path) -> None:
    """Its figures are missing because nobody has asked it."""
    leave(tmp_path, {"services": {"redis": {"state": "healthy"}}}, name="health")
    found = evidence.read_all(tmp_path, "ready")
    _, results = readiness.evaluate(requirements.load(), found, tmp_path, ["pc1"], NOW)
    rows = {row["id"]: row["next"] for row in results["requirements"]}
    assert (rows["R2.redis.health"], rows["R2.redis.latency"]) == ("./ready check", "./ready check")
    assert rows["R2.neo4j.health"] == "./ready up with neo4j in ready_services"


def test_a_service_that_was_added_since_is_checked(tmp_path: Path) -> None:
    """`up` has seen it; the latest measurement is from before it."""
    services = ("redis", "neo4j")
    leave(tmp_path, {"services": {name: {"state": "healthy"} for name in services}}, name="health")
    its = {key: {"p95_ms": 0.1, "verdict": "pass", "regression": None} for key in FIGURES["redis"]}
    leave(tmp_path, {"services": {"redis": its}}, name="latency")
    found = evidence.read_all(tmp_path, "ready")
    _, results = readiness.evaluate(requirements.load(), found, tmp_path, ["pc1"], NOW)
    rows = {row["id"]: row["next"] for row in results["requirements"]}
    assert rows["R2.neo4j.latency"] == "./ready check"
    assert rows["R2.chromadb.latency"] == "./ready up with chromadb in ready_services"


def test_the_report_judges_no_measurement_that_shows_nothing(tmp_path: Path) -> None:
    """A p95 over its objective by a prober that was late is `insufficient_data` in the check, and so it is here."""
    late = {"cache_hit": {"p95_ms": 9.0, "verdict": "insufficient_data"}}
    leave(tmp_path, {"services": {"redis": late}}, name="latency", verdict="insufficient_data")
    found = evidence.read_all(tmp_path, "ready")
    _, results = readiness.evaluate(requirements.load(), found, tmp_path, ["pc1"], NOW)
    row = next(row for row in results["requirements"] if row["id"] == "R2.redis.latency")
    assert (row["verdict"], row["next"]) == ("insufficient_data", "./ready check")
    assert row["reason"] == "the evidence of latency says itself that its measurement shows nothing"


@pytest.mark.parametrize("verdict", ["pass", "fail", "insufficient_data", None])
def test_the_report_shows_a_regression(tmp_path: Path, verdict: str | None) -> None:
    """It decides nothing: the objective is kept. The first measurement is the baseline."""
    regression = {"verdict": verdict, "factor": 2.1} if verdict else None
    whole, results = checked(tmp_path, *HEALTH, regression=regression)
    row = next(row for row in results["requirements"] if row["id"] == "L.redis")
    assert (row["verdict"], whole) == (verdict or "not_applicable", "insufficient_data")
    if not verdict:
        assert row["reason"] == "there is no baseline yet"
    assert verdict != "fail" or "against the baseline: found fail" in row["reason"]


def test_verbs_for_windows_exist() -> None:
    """The report names none that is not built."""
    assert requirements.load().requirements["R2.overhead"].windows == "./ready windows check"


def test_the_title_of_a_section_leaves_to_others_whether_it_is_judged() -> None:
    """The tables in docs/report.md add it, the page has the source that says so."""
    assert [group.title for group in requirements.load().sections if "judged" in group.title] == []


def test_a_service_that_is_switched_off_passes_nothing(tmp_path: Path) -> None:
    """The report counts what is there, and says what switches it on, or accepts it; a waiver earns no points."""
    off = {"ai": {"title": "AI service", "backend": "none"}}
    stack = {"services": {}, "off": off}
    part = status.health_results(stack, {"services": {}}, {}, {})
    assert status.health_verdict(part) == "pass", "the stack is as the inventory has it"
    well = {name: {"state": "healthy", "checks": {key: {"verdict": "pass"} for key in HEALTH[name]}} for name in HEALTH}
    leave(tmp_path, {"services": {**well, **part["services"]}}, name="health")
    leave(tmp_path, {"services": {}}, name="latency")
    found = evidence.read_all(tmp_path, "ready")
    _, results = readiness.evaluate(requirements.load(), found, tmp_path, ["pc1"], NOW)
    rows = {row["id"]: row for row in results["requirements"]}
    step = "change ai_backend in the inventory, then ./ready up; or waive it until a date (docs/report.md)"
    assert (rows["R2.services"]["verdict"], rows["R2.services"]["next"]) == ("fail", step)
    assert rows["R2.services"]["reason"] == "four of five, AI service switched off"
    assert (rows["R2.ai.health"]["verdict"], rows["R2.ai.health"]["reason"]) == ("fail", "AI service switched off")
    assert (rows["R2.ai.latency"]["verdict"], rows["R2.ai.latency"]["next"]) == ("insufficient_data", step)
    gate = next(gate for gate in results["gates"] if gate["id"] == "gate2")
    assert gate["verdict"] == "fail"
    waivers = [{"id": "R2.services", "reason": "no AI here", "until": "2026-12-31"}]
    _, waived = readiness.evaluate(requirements.load(), found, tmp_path, ["pc1"], NOW, waivers=waivers)
    assert waived["score"]["earned"] == results["score"]["earned"]
    assert next(row for row in waived["requirements"] if row["id"] == "R2.services")["verdict"] == "waived"


def test_a_service_that_is_switched_off_hides_no_fault(tmp_path: Path) -> None:
    """Another one that is down is what the row is about."""
    services = {"redis": {"state": "exited"}, "ai": {"title": "AI service", "state": "off"}}
    leave(tmp_path, {"services": services}, name="health")
    found = evidence.read_all(tmp_path, "ready")
    _, results = readiness.evaluate(requirements.load(), found, tmp_path, ["pc1"], NOW)
    row = next(row for row in results["requirements"] if row["id"] == "R2.services")
    assert "redis: found exited, expected healthy" in row["reason"]


LOCAL_MODEL = {"name": "local", "title": "local model"}
ENDPOINT = {"name": "external", "title": "external endpoint", "endpoint": "https://a.example/v1", "models": ["m"]}


def measured(backend: dict[str, Any]) -> dict[str, Any]:
    """Return evidence of latency that passes, of what served the service."""
    its = {"completion": {"p95_ms": 900.0, "verdict": "pass"}}
    return {"services": {"ai": its}, "backends": {"ai": backend} if backend else {}}


@pytest.mark.parametrize(
    ("then", "now", "reason"),
    [
        (LOCAL_MODEL, {"state": "healthy", "backend": LOCAL_MODEL}, ""),
        (LOCAL_MODEL, {"state": None, "backend": ENDPOINT}, "is of local model; now it is external endpoint"),
        (ENDPOINT, {"state": "healthy", "backend": LOCAL_MODEL}, "is of external endpoint; now it is local model"),
        (
            ENDPOINT | {"endpoint": "https://b.example/v1"},
            {"state": None, "backend": ENDPOINT},
            "is of what served it before; now it is external endpoint",
        ),
        ({}, {"state": "healthy", "backend": LOCAL_MODEL}, "is of what served it before; now it is local model"),
        (LOCAL_MODEL, {"state": "off"}, "is of local model; now it is switched off"),
    ],
)
def test_what_another_model_showed(tmp_path: Path, then: dict[str, Any], now: dict[str, Any], reason: str) -> None:
    """Passes nothing: an endpoint that nobody has measured is as quick as nobody knows."""
    leave(tmp_path, {"services": {"ai": {"title": "AI", **now}}}, name="health")
    leave(tmp_path, measured(then), name="latency")
    found = evidence.read_all(tmp_path, "ready")
    _, results = readiness.evaluate(requirements.load(), found, tmp_path, ["pc1"], NOW)
    row = next(row for row in results["requirements"] if row["id"] == "R2.ai.latency")
    expected = ("insufficient_data", f"the evidence of latency {reason}") if reason else ("pass", "")
    assert (row["verdict"], row["reason"]) == expected


def test_the_report_says_what_serves_a_service(tmp_path: Path) -> None:
    """A model on this machine and somebody's endpoint are not the same proof."""
    backends = {"local": {"kind": "container", "title": "local model"}}
    stack = {"services": {"ai": {"backend": "local", "backends": backends}}}
    part = status.health_results(stack, {"services": {"ai": {"running": True, "health": "healthy"}}}, {}, {})
    leave(tmp_path, {"services": part["services"]}, name="health")
    leave(tmp_path, measured(LOCAL_MODEL), name="latency")
    found = evidence.read_all(tmp_path, "ready")
    _, results = readiness.evaluate(requirements.load(), found, tmp_path, ["pc1"], NOW)
    shown = {row["id"]: row["found"] for row in report.detail_rows(results)}
    assert shown["R2.ai.latency"] == "completion, p95 900, measurement pass; local model"
    assert shown["R2.services"].endswith("; ai: local model")
    assert "local model" not in shown["R2.redis.latency"]
    document = {"verdict": "fail", "stack": "ready", "finished_at": "", "ready_version": "", "results": results}
    assert "local model</div>" in report.page(document, "0" * 64)


@pytest.mark.parametrize(
    ("gateway", "state", "verdict"),
    [
        ({"running": True, "status": "running", "health": "healthy"}, "healthy", "pass"),
        ({"running": True, "status": "running", "health": "unhealthy"}, "unhealthy", "fail"),
        ({"running": True, "status": "running", "health": "starting"}, "starting", "fail"),
        ({"status": "exited"}, "exited", "fail"),
        ({}, "absent", "fail"),
    ],
)
def test_a_service_is_no_better_than_the_sidecar_that_clients_meet(
    tmp_path: Path, gateway: dict[str, Any], state: str, verdict: str
) -> None:
    """Whoever leaves the evidence; the reason names the sidecar, and the fleet does not count it."""
    stack = resolved_stack(ready_services=["ai"])
    well = {"running": True, "status": "running", "health": "healthy", "exists": True}
    of_state = {"services": {"ai": well, "ai_gateway": gateway}}
    found = status.health_results(stack, of_state, {}, {})
    assert (found["services"]["ai"]["state"], found["services"]["ai"]["front"]) == (state, "ai_gateway")
    others = {name: {"state": "healthy"} for name in HEALTH if name != "ai"}
    checks = {name: {"verdict": "pass"} for name in HEALTH["ai"]}
    leave(
        tmp_path, found | {"services": {**others, "ai": {**found["services"]["ai"], "checks": checks}}}, name="health"
    )
    read = evidence.read_all(tmp_path, "ready")
    _, results = readiness.evaluate(requirements.load(), read, tmp_path, ["pc1"], NOW)
    rows = {row["id"]: row for row in results["requirements"]}
    assert (rows["R2.services"]["verdict"], rows["R2.ai.health"]["verdict"]) == (verdict, verdict)
    if verdict == "fail":
        said = f"found {state}, expected healthy (clients meet ai_gateway, which is {state})"
        assert rows["R2.services"]["reason"] == f"ai: {said}"
        assert rows["R2.ai.health"]["reason"] == f"state: {said}"


def test_checks_of_another_run_of_that_sidecar_are_forgotten() -> None:
    """What was asked of the service went through it."""
    stack = resolved_stack(ready_services=["ai"])
    well = {"running": True, "status": "running", "health": "healthy", "id": "a", "started_at": "t"}
    earlier = status.health_results(stack, {"services": {"ai": well, "ai_gateway": well}}, {}, {})
    earlier["services"]["ai"]["checks"] = {"connectivity": {"verdict": "pass"}}
    for again, keeps in (({}, True), ({"id": "b"}, False), ({"started_at": "u"}, False)):
        now = status.health_results(stack, {"services": {"ai": well, "ai_gateway": {**well, **again}}}, {}, {})
        assert status.earlier_still_holds(earlier, now) is keeps
