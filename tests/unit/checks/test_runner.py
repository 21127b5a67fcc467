"""The parts of a check together, when one of them breaks off."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ready.checks import runner
from ready.checks.make_probes import make_probes
from ready.checks.report import combine_results, health_result
from ready.security.verdicts import judge_security
from ready.stack.definitions import load_definitions, resolve_stack

PASSWORD = "hQ7-secret"


@pytest.fixture
def its(monkeypatch: pytest.MonkeyPatch) -> runner.CheckRunner:
    """Return the checks of a stack of Redis alone, whose probe is never asked."""
    variables = {"stack_name": "ready", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    made = runner.CheckRunner(resolve_stack(load_definitions(), variables))
    made.probes = make_probes(made.stack, {"redis": {"app": PASSWORD}}, 1.0)
    monkeypatch.setattr(runner, "measure_paths", lambda *_: {"redis": {}})
    made.running = ({}, "/")
    return made


def broken(*_: Any, **__: Any) -> dict[str, Any]:
    """Break off, as a fault of our own would, or of Docker's client."""
    raise KeyError(f"NetworkSettings {PASSWORD}")


def test_security_breaks_off(its: runner.CheckRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checks are unknown, with the reason and no password; the other parts are there."""
    well = {"redis": {"verdict": "pass", "seconds": 0.1, "checks": {}}}
    monkeypatch.setattr(runner, "read_security", broken)
    monkeypatch.setattr(runner, "LEVELS", {"deep": lambda *_: well})
    found = its.run(["health", "security", "network"])
    assert (found["health"], found["network"]) == ({"services": well}, {"services": {"redis": {}}})
    part = judge_security(its.stack, found["security"]["found"], date(2026, 11, 27))
    assert part.verdict == "insufficient_data"
    text = str(combine_results(its.stack, [part]))
    assert "KeyError: 'NetworkSettings ***'" in text
    assert PASSWORD not in text


def test_health_breaks_off(its: runner.CheckRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check has failed with the reason; the other parts are there."""
    monkeypatch.setattr(runner, "LEVELS", {"deep": broken})
    found = its.run(["health", "network"])
    state = {"services": {"redis": {"exists": False}}}
    part = health_result(its.stack, state, found["health"]["services"])
    assert part.verdict == "fail"
    checks = part.results["services"]["redis"]["checks"]
    assert {check: outcome["verdict"] for check, outcome in checks.items()} == dict.fromkeys(
        its.probes["redis"].checks, "fail"
    )
    assert "***" in str(checks)
    assert PASSWORD not in str(part)
