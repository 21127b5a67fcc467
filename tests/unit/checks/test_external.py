"""A service elsewhere, as checks, status and reports show it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ready.checks.not_in_inventory import kept_lines
from ready.checks.report import combine_results, drift_result, health_result, why_unchecked
from ready.checks.status import earlier_still_holds, fully_checked, health_results, health_verdict, status_rows
from ready.docker.plan import unwanted_containers
from ready.evidence.document import check as envelope_check
from ready.evidence.document import make
from ready.evidence.fleet import _services
from ready.latency.verdicts import judge_latency
from ready.security.verdicts import judge_security, unread_findings
from ready.stack.definitions import load_definitions, resolve_stack
from ready.stack.external import endpoint_identities

from tests.unit.secrets.test_certificates import NOW
from tests.unit.stack.endpoints import EMPTY, GOOD, VARIABLES, resolve


def answered(verdict: str = "pass", detail: str = "") -> dict[str, Any]:
    """Return what its checks found."""
    check = {"verdict": verdict, "seconds": 0.2, "detail": detail, "figures": {"limit_tokens": 16}}
    return {"ai": {"verdict": verdict, "seconds": 0.2, "checks": {"completion": check}}}


def fits(results: dict[str, Any]) -> bool:
    """Return whether results of health keep their schema."""
    times = dict.fromkeys(("started_at", "finished_at"), "2026-01-01T00:00:00Z")
    document = make(name="health", stack="ready", host="pc1", verdict="pass", results=results, **times)
    return envelope_check(document) == []


def test_before_it_is_asked() -> None:
    """`up` knows nothing of it: no state, which is no fault and not green; it keeps what a check found."""
    stack = resolve(**GOOD)
    results = health_results(stack, EMPTY, {}, {})
    its = results["services"]["ai"]
    assert its["state"] is None
    assert its["backend"] == {
        "name": "external",
        "title": "external endpoint",
        "endpoint": GOOD["base_url"],
        "models": ["gpt-x", "embed-x"],
    }
    assert health_verdict(results) == "pass"
    assert not fully_checked(results), "`up --verify` checks"
    before = health_result(stack, EMPTY, answered()).results
    assert fits(results)
    assert fits(before)
    assert earlier_still_holds(before, results)
    assert not earlier_still_holds(before, health_results(resolve(**GOOD | {"chat": "gpt-y"}), EMPTY, {}, {}))
    assert not earlier_still_holds(results, results)


def test_what_a_check_shows() -> None:
    """A row for the endpoint, one for each check; a fault brings its own next step."""
    stack = resolve(**GOOD)
    assert why_unchecked(stack, EMPTY) == "", "there is something to ask, though no container"
    part = health_result(stack, EMPTY, answered())
    assert (part.verdict, part.results["services"]["ai"]["state"]) == ("pass", "healthy")
    assert part.rows[0]["detail"] == f"external endpoint {GOOD['base_url']}"
    assert part.rows[1]["detail"] == "limit_tokens 16"
    found = "fault of the endpoint: a completion: found HTTP 500, expected HTTP 200. Next: ask the provider"
    part = health_result(stack, EMPTY, answered("fail", found))
    assert (part.verdict, part.results["services"]["ai"]["state"]) == ("fail", "unhealthy")
    assert part.next == ["Next: ask the provider"]
    whole = combine_results(stack, [part])
    assert whole["failed"] == ["ai backend", "ai completion"]
    unasked = health_result(stack, EMPTY, {})
    assert (unasked.rows[0]["verdict"], unasked.verdict) == ("insufficient_data", "pass")


def test_security_of_it_is_two_attempts() -> None:
    """It has no container to look at; what could not be tried shows nothing."""
    stack = resolve(**GOOD)
    found = unread_findings(stack, "Docker does not answer")
    attack = {"id": "no_password", "title": "x", "how": "curl", "found": "HTTP 200", "expected": "refused"}
    found["services"]["ai"] |= {"attempts": [attack | {"outcome": "succeeded"}], "attempts_fault": ""}
    part = judge_security(stack, found, NOW.date())
    mine = [check for check in part.results["checks"] if check["service"] == "ai"]
    assert [(check["id"], check["verdict"]) for check in mine] == [("no_password", "fail")]
    assert any("ask the provider why it answers without a key" in step for step in part.next)
    assert not any("./ready restart" in step for step in part.next)
    found["services"]["ai"] |= {"attempts": [], "attempts_fault": "no answer"}
    mine = [check for check in judge_security(stack, found, NOW.date()).results["checks"] if check["service"] == "ai"]
    assert [(check["id"], check["verdict"]) for check in mine] == [("attacks", "insufficient_data")]


def test_latency_of_another_endpoint_is_no_baseline() -> None:
    """Its figures belong to address and models; a failure to answer has its own next step."""
    stack = resolve(**GOOD)
    assert endpoint_identities(stack) == {"ai": "https://api.example.org/v1 gpt-x embed-x"}
    its = {"error": "found HTTP 401. Next: the key", "complete": False, "left": "", "operations": {}, "size": "none"}
    host: dict[str, Any] = {"idle": {}, "loaded": {}}
    answer = {"services": {"ai": its}, "samples": 10, "seconds": 1.0, "at": "now", "host": host}
    part = judge_latency(stack, answer, {})
    assert (part.verdict, part.rows[0]["detail"], part.next) == ("fail", "found HTTP 401. Next: the key", [])


def test_a_fleet_counts_what_was_asked() -> None:
    """An endpoint that nobody has asked makes no host unhealthy."""
    stack = resolve(**GOOD)
    for results, counted in (
        (health_results(stack, EMPTY, {}, {}), {"healthy": 0, "all": 0}),
        (health_result(stack, EMPTY, answered()).results, {"healthy": 1, "all": 1}),
        (health_result(stack, EMPTY, answered("fail")).results, {"healthy": 0, "all": 1}),
    ):
        item = SimpleNamespace(evidence={"results": results})
        found: Any = SimpleNamespace(hosts={"pc1": {"health": item}})
        machine: Any = SimpleNamespace(linux="pc1")
        assert _services(machine, found) == counted


def test_what_status_shows() -> None:
    """An external endpoint, its models and its address."""
    (row,) = status_rows(resolve(**GOOD), EMPTY, {})
    assert (row["state"], row["image"], row["ports"]) == ("external endpoint", "gpt-x, embed-x", GOOD["base_url"])


def test_former_containers_go() -> None:
    """Those of the local service hold no data: they go with its gateway, and nothing else does."""
    names = ["ai", "ai_gateway", "redis"]
    others = [{"name": f"ready-{name}", "service": name, "status": "running"} for name in names]
    state = EMPTY | {"others": others}
    assert unwanted_containers(resolve(**GOOD), state) == ["ready-ai", "ready-ai_gateway"]
    off = resolve_stack(load_definitions(), VARIABLES | {"ai_backend": "none", "ready_services": ["ai"]})
    assert unwanted_containers(off, state) == ["ready-ai", "ready-ai_gateway"]
    gone = resolve_stack(load_definitions(), VARIABLES | {"ready_services": ["redis"]})
    assert unwanted_containers(gone, state) == [], "one that is only not named is kept"
    lines = kept_lines(state, "pc1", former=resolve(**GOOD)["former"])
    assert ["no longer a container of the stack" in line for line in lines] == [True, True, False]


def test_a_volume_that_a_former_container_has_left() -> None:
    """It holds copies of models: nobody reads that it holds data, or that something must be done."""
    volume = {"ours": True, "service": "ai", "labels": {}}
    part = drift_result(resolve(**GOOD), EMPTY | {"volumes": {"ready_ai_models": volume}})
    assert part.next == []
    gone = resolve_stack(load_definitions(), VARIABLES | {"ready_services": ["ai"], "ai_backend": "none"}) | {
        "former": []
    }
    assert "ready_services again" in drift_result(gone, EMPTY | {"volumes": {"ready_ai_models": volume}}).next[0]
