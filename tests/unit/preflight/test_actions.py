"""The actions of role preflight: what the tasks get, and which variables are no sizes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from tests.unit.actions import Asked, run
from tests.unit.preflight.test_checks import MIB, facts, state, wanted
from tests.unit.preflight.test_left_out import ADDED, older

__all__ = ["facts", "older", "wanted"]
LIMITS: dict[str, Any] = {"memory_margin": "256m", "disk_free": "10g"}


def test_a_stack_is_kept_without_what_is_new(
    facts: dict[str, Any], wanted: dict[str, Any], older: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the limits of the inventory, and by the images that nothing can serve."""
    given: dict[str, Any] = {
        "facts": facts,
        "stack": {**wanted, "by_default": list(wanted["services"])},
        "state": older,
    }
    found = run("services_left_out", Asked(), monkeypatch, **given, **LIMITS)
    assert (found["services"], found["lines"]) == ({}, [])
    found = run("services_left_out", Asked(), monkeypatch, **given, **LIMITS, unavailable={ADDED: "no source works"})
    assert list(found["services"]) == [ADDED]
    facts["memory"]["available"] = 300 * MIB
    found = run("services_left_out", Asked(), monkeypatch, **given, **LIMITS)
    (line,) = found["lines"]
    assert line.startswith(f"pc1: {ADDED} is left out, the running services are kept: Memory: found 300 MiB available")


@pytest.mark.parametrize("action", ["services_left_out", "preflight_checks"])
@pytest.mark.parametrize("wrong", list(LIMITS))
def test_a_limit_that_is_no_size(
    action: str, wrong: str, facts: dict[str, Any], wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the variables."""
    given: dict[str, Any] = {"facts": facts, "stack": wanted, "state": state(wanted), **LIMITS, wrong: "much"}
    if action == "preflight_checks":
        given["clock_skew"] = 5.0
    expected = "^preflight_memory_margin or preflight_disk_free: 'much' is not a size such as 512m or 2g"
    with pytest.raises(AnsibleActionFail, match=expected):
        run(action, Asked(), monkeypatch, **given)


@pytest.mark.parametrize(("skew", "verdict"), [(5.0, "fail"), (1e12, "pass")])
def test_clock_is_compared_with_the_controllers(
    skew: float, verdict: str, facts: dict[str, Any], wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of now, which the action reads: the host of the facts lives in 1970, and its controller in the far future."""
    facts["time"]["controller"] = 1e11
    found = run("preflight_checks", Asked(), monkeypatch, facts=facts, stack=wanted, state=state(wanted),
                clock_skew=skew, **LIMITS)  # fmt: skip
    (row,) = [row for row in found["checks"] if row["id"] == "clock"]
    assert row["verdict"] == verdict
    assert ("Clock" in found["fault"]) is (verdict == "fail")


def test_what_the_inventory_does_not_name_is_said(
    facts: dict[str, Any], wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of the change that may follow; a service that keeps no data goes."""
    left = [{"name": f"ready-{name}", "service": name, "status": "running"} for name in ("chromadb", "ai")]
    given: dict[str, Any] = {
        "facts": facts,
        "stack": {**wanted, "former": ["ai"]},
        "state": state(wanted) | {"others": left},
    }
    kept, gone = run("preflight_checks", Asked(), monkeypatch, **given, **LIMITS, clock_skew=5.0)["lines"]
    assert kept.startswith("pc1: ready-chromadb (running) is not in the inventory: kept, and so are its data.")
    assert gone.startswith("pc1: ready-ai (running) is no longer a container of the stack. `up` removes it")
