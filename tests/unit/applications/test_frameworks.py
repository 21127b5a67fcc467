"""What a run of the frameworks shows: no pass without the figures for it, no result that is lost without a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ready.applications.frameworks import PARTS, judge
from ready.evidence.document import check, make

SHOWN = {"verdict": "pass"}
CHANNEL = {"verdict": "pass", "p50_ms": 4.0, "p95_ms": 5.0, "max_ms": 6.0, "requests": 50, "margin_ms": 1995.0}


def part(**figures: Any) -> dict[str, Any]:
    """Return a part that passes."""
    return {"verdict": "pass", "detail": "", "findings": [{"id": "x", "verdict": "pass", "detail": ""}], **figures}


GOOD: dict[str, Any] = {
    "core": part(versions={"kailash": "2.65.0"}, ms=300.0),
    "dataflow": part(
        version="2.20.1",
        models=13,
        kinds=[f"Kind{number}" for number in range(11)],
        expected=143,
        nodes=143,
        adr_nodes=117,
        executed=143,
        failed=0,
        executed_percent=100.0,
        p50_ms=6.0,
        p95_ms=8.0,
        max_ms=100.0,
        capabilities={"expected": 117, "passed": 117, "table": []},
    ),
    "nexus": part(api=CHANNEL, cli=CHANNEL, mcp=CHANNEL, session=SHOWN, runs=SHOWN),
    "mcp": part(
        http=SHOWN,
        websocket=SHOWN,
        tools=SHOWN,
        agent={"verdict": "pass", "right": 7, "of": 8, "needed": 6, "tokens": 900},
    ),
    "workflow": part(steps=[{"step": "store", "ms": 5.0, "verdict": "pass"}]),
    "cleanup": part(before={}, removed={"redis": 3}, left=[]),
}


def answer(**changed: Any) -> dict[str, Any]:
    """Return what the module returns of a good run, with some of it changed."""
    return {
        "found": json.loads(json.dumps(GOOD)),  # no two parts of it are one
        "run": {"exit_code": 0, "timed_out": False, "oom_killed": False, "seconds": 90.0, "output": ""},
        "database": {"left": False, "made": True, "fault": "", "dropped": True, "stays": ""},
        "out_of_reach": {},
        **changed,
    }


def test_a_good_run_passes_and_keeps_the_schema() -> None:
    """Also what a part adds to every run."""
    its = judge(answer(), PARTS)
    assert its.verdict == "pass", its.rows
    document = make("frameworks", "ready", "localhost", its.verdict, its.results, "2026-01-31T23:59:59Z")
    assert check(document) == []
    assert its.next == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("dataflow.models", 12, "12 models"),
        ("dataflow.executed", 142, "142 executed of 143"),
        ("dataflow.nodes", 130, "130 nodes of 143"),
        ("dataflow.failed", 1, "1 nodes that failed"),
        ("dataflow.kinds", ["Create"], "143 nodes expected"),
        ("dataflow.expected", 0, "0 nodes expected"),
        ("dataflow.capabilities.passed", 116, "116 of 117 capabilities"),
        ("dataflow.capabilities.expected", 0, "117 of 0 capabilities"),
        ("nexus.cli.requests", 0, "no request through cli"),
        ("nexus.cli.p95_ms", None, "no p95 of cli"),
        ("nexus.cli.p95_ms", 2000.0, "a p95 of cli of 2000.0 ms"),
        ("nexus.cli.verdict", "insufficient_data", "cli that is insufficient_data"),
        ("nexus.session.verdict", "fail", "session that is fail"),
        ("nexus.runs", None, "runs that is None"),
        ("mcp.agent.right", 5, "5 right answers of 6 needed"),
        ("mcp.agent.needed", 0, "7 right answers of 0 needed"),
        ("mcp.websocket", {}, "websocket that is None"),
        ("workflow.steps", [], "no step"),
        ("core.findings", [], "no finding"),
    ],
)
def test_no_pass_without_the_figures_for_it(path: str, value: Any, said: str) -> None:
    """A part that says that it passed is not believed."""
    given = answer()
    *way, last = path.split(".")
    its = given["found"]
    for key in way:
        its = its[key]
    its[last] = value
    judged = judge(given, PARTS)
    name = way[0]
    assert judged.verdict == "fail"
    assert judged.results[name]["verdict"] == "fail"
    assert said in judged.results[name]["detail"]


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"timed_out": True, "exit_code": 124}, "ended after 90 s"),
        ({"oom_killed": True, "exit_code": 137}, "limit of memory"),
        ({"exit_code": 1, "output": "no module"}, "ended with 1: no module"),
    ],
)
def test_a_part_without_a_result_fails_with_the_reason(run: dict[str, Any], said: str) -> None:
    """Whatever took it."""
    given = answer()
    given["run"] |= run
    del given["found"]["mcp"]
    judged = judge(given, PARTS)
    assert judged.results["mcp"]["verdict"] == "fail"
    assert said in judged.results["mcp"]["detail"]
    assert any(said in row["detail"] for row in judged.rows)


@pytest.mark.parametrize("found", [None, "pass", {"verdict": "passed", "findings": []}, {"verdict": "pass"}])
def test_a_result_of_another_form_fails(found: Any) -> None:
    """It is no result."""
    given = answer()
    given["found"]["core"] = found
    assert judge(given, PARTS).results["core"]["verdict"] == "fail"


def test_parts_that_were_not_asked_for_are_absent() -> None:
    """The report has nothing to take for a proof."""
    assert set(judge(answer(), ["core"]).results) == {"core", "cleanup", "run"}


def test_what_could_not_be_cleaned_is_no_proof() -> None:
    """A database that stays, or a run that did not come to removing: not known to be clean, and no fault."""
    given = answer()
    given["database"] |= {"dropped": False, "stays": "postgresql: found it stopped; expected it. Next: ./ready up"}
    judged = judge(given, PARTS)
    assert (judged.verdict, judged.results["cleanup"]["verdict"]) == ("insufficient_data", "insufficient_data")
    assert "Next: ./ready up" in judged.next
    del given["found"]["cleanup"]
    assert judge(given, PARTS).results["cleanup"]["verdict"] == "insufficient_data"


def test_what_is_left_is_a_fault() -> None:
    """What was written is still there."""
    given = answer()
    given["found"]["cleanup"] |= {"verdict": "fail", "left": ["redis: ready_frameworks:x"]}
    given["found"]["cleanup"]["findings"] = [{"id": "redis", "verdict": "fail", "detail": "redis: found a key"}]
    assert judge(given, PARTS).verdict == "fail"


def test_a_database_that_could_not_be_made_is_told() -> None:
    """Before what DataFlow says about it."""
    given = answer()
    given["database"] |= {"made": False, "fault": "postgresql: found it exited"}
    given["found"]["dataflow"] |= {"verdict": "fail", "detail": "found no connection"}
    assert judge(given, PARTS).results["dataflow"]["detail"].startswith("postgresql: found it exited; found no")


def test_an_endpoint_that_no_container_reaches_is_told() -> None:
    """The parts that need it know nothing; why is the host's to say."""
    given = answer(out_of_reach={"ai": "ai: found its endpoint at localhost. Next: another address"})
    for name in ("mcp", "workflow"):
        given["found"][name] |= {"verdict": "insufficient_data"}
        given["found"][name]["findings"] = [{"id": "ai", "verdict": "insufficient_data", "detail": "no AI service"}]
    judged = judge(given, PARTS)
    assert judged.verdict == "insufficient_data"
    assert judged.results["mcp"]["detail"].startswith("ai: found its endpoint at localhost")
    assert judged.next == ["Next: another address"]


def test_many_findings_are_shortened() -> None:
    """The evidence has them all."""
    given = answer()
    bad = [{"id": f"n{number}", "verdict": "fail", "detail": "found x. Next: y"} for number in range(30)]
    given["found"]["dataflow"] |= {"verdict": "fail", "findings": bad}
    judged = judge(given, PARTS)
    assert sum(row["verdict"] == "fail" for row in judged.rows) == 1 + 12
    assert any("and 18 more" in row["detail"] for row in judged.rows)
    assert judged.next == ["Next: y"]
