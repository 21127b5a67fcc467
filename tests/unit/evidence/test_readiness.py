"""Requirements, verdicts, score and page: what turns green, and above all what does not."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ready.common.clock import timestamp
from ready.common.verdict import worst
from ready.evidence import document as evidence
from ready.evidence import readiness, report, requirements
from ready.evidence.machines import application_path
from ready.evidence.requirement_check import judge
from ready.gold.shown import printable

from tests.unit.evidence.reportdata import DATA, FAST, NOW, ROWS, SMALL, leave, look, small_results

__all__ = ["small_results"]


def test_figure_that_keeps_its_objective_passes(tmp_path: Path) -> None:
    """With its figure, and the file that it comes from."""
    leave(tmp_path, FAST)
    verdict, results, rows = look(tmp_path)
    assert verdict == "pass"
    showing = rows["R2.redis"]["hosts"][0]
    assert showing["figures"][0] == {"what": "p95", "found": 0.5, "expected": "< 1 ms", "verdict": "pass"}
    assert showing["evidence"]["path"] == "ready/pc1/upgrade.json"
    assert showing["evidence"]["sha256"] == evidence.read(tmp_path / "ready/pc1/upgrade.json").sha256
    assert results["score"] == {"earned": 60, "attainable": 60, "total": 100}


@pytest.mark.parametrize(
    ("results", "verdict", "reason"),
    [
        ({"p95": 1, "verdict": "pass"}, "fail", "p95: found 1, expected < 1 ms"),
        ({"p95": 0.5, "verdict": "fail"}, "fail", "measurement: found fail, expected pass"),
        ({"p95": 0.5, "verdict": "insufficient_data"}, "insufficient_data", "nothing usable about measurement"),
        ({"p95": 0.5}, "insufficient_data", "nothing usable about measurement"),
        ({"p95": 0.5, "verdict": "great"}, "insufficient_data", "nothing usable about measurement"),
        ({"p95": 0.5, "verdict": True}, "insufficient_data", "nothing usable about measurement"),
        ({"p95": None, "verdict": "pass"}, "insufficient_data", "nothing usable about p95"),
        ({"p95": "0.5", "verdict": "pass"}, "insufficient_data", "nothing usable about p95"),
        ({"p95": False, "verdict": "pass"}, "insufficient_data", "nothing usable about p95"),
        ({"p95": [0.5], "verdict": "pass"}, "insufficient_data", "nothing usable about p95"),
        ({"p95": 0.5, "verdict": "waived"}, "waived", "waived in the evidence"),
    ],
)
def test_figure_decides(tmp_path: Path, results: dict[str, Any], verdict: str, reason: str) -> None:
    """Only a number that keeps the objective passes; what is no number shows nothing."""
    leave(tmp_path, results)
    found, all_results, rows = look(tmp_path)
    assert (rows["R2.redis"]["verdict"], found) == (verdict, verdict)
    assert reason in rows["R2.redis"]["reason"]
    assert all_results["score"]["earned"] == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"provenance": "simulated"}, "simulated: that never counts"),
        ({"age": timedelta(days=7, minutes=1)}, "7 days old, expected at most 7"),
        ({"age": -timedelta(minutes=6)}, "from the future"),
        ({"verdict": "insufficient_data"}, "says itself that its data are insufficient"),
        ({"host": "pc2"}, "no evidence of upgrade"),
    ],
)
def test_doubtful_evidence_shows_nothing(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    """A good figure does not count when the evidence can't be believed; the row names the verb."""
    leave(tmp_path, FAST, **options)
    verdict, results, rows = look(tmp_path)
    assert verdict == "insufficient_data"
    assert reason in rows["R2.redis"]["reason"]
    assert rows["R2.redis"]["next"] == "./ready check"
    assert results["score"]["earned"] == 0


def test_parts_with_verdicts_of_their_own(tmp_path: Path) -> None:
    """One service that could not be measured takes nothing from another; a requirement must ask for such a verdict."""
    data: dict[str, Any] = copy.deepcopy(SMALL)
    data["evidence"]["upgrade"]["own_verdicts"] = True
    leave(tmp_path, FAST, verdict="insufficient_data")
    assert look(tmp_path, data=data)[0] == "pass"
    leave(tmp_path, {"p95": 0.5, "verdict": "insufficient_data"}, verdict="insufficient_data")
    assert look(tmp_path, data=data)[0] == "insufficient_data"
    del data["sections"][0]["requirements"][0]["predicates"][1]
    assert requirements.check(data) == ["R2.redis: found no predicate for the verdict pass, expected the part's own"]


def test_evidence_may_be_as_old_as_allowed(tmp_path: Path) -> None:
    """The limit itself is young enough."""
    leave(tmp_path, FAST, age=timedelta(days=7))
    assert look(tmp_path)[0] == "pass"


def test_every_host_has_to_show_it(tmp_path: Path) -> None:
    """One host without evidence, or with a bad figure, decides for all."""
    leave(tmp_path, FAST)
    assert look(tmp_path, hosts=["pc1", "pc2"])[2]["R2.redis"]["reason"] == "pc2: no evidence of upgrade"
    leave(tmp_path, {"p95": 3, "verdict": "pass"}, host="pc2")
    assert look(tmp_path, hosts=["pc1", "pc2"])[0] == "fail"
    leave(tmp_path, FAST, host="pc2")
    assert look(tmp_path, hosts=["pc1", "pc2"])[0] == "pass"
    assert look(tmp_path, hosts=[])[0] == "insufficient_data"


def test_where_it_does_not_apply(tmp_path: Path) -> None:
    """A host's evidence may say so; that earns nothing, and nothing but that is no pass."""
    leave(tmp_path, {}, verdict="not_applicable")
    verdict, results, rows = look(tmp_path)
    assert rows["R2.redis"]["verdict"] == "not_applicable"
    assert verdict == "insufficient_data"
    assert results["score"] == {"earned": 0, "attainable": 0, "total": 100}


def test_application_code_without_application(tmp_path: Path) -> None:
    """It is not applicable, never passed, whatever evidence lies there; with an application it counts."""
    leave(tmp_path, {"mocks": 0}, name="gold_standards", host="controller")
    verdict, results, rows = look(tmp_path)
    assert rows["R1.code"]["verdict"] == "not_applicable"
    assert results["score"] == {"earned": 0, "attainable": 60, "total": 100}
    verdict, results, rows = look(tmp_path, application="/srv/shop")
    assert rows["R1.code"]["verdict"] == "pass"
    assert results["score"] == {"earned": 40, "attainable": 100, "total": 100}
    assert verdict == "insufficient_data"
    assert results["gates"][0]["verdict"] == "insufficient_data"


def test_newest_counts_where_one_host_shows_it_for_all(tmp_path: Path) -> None:
    """An older, better file on another host does not hide a newer, worse one."""
    leave(tmp_path, {"mocks": 0}, name="gold_standards", host="a", age=timedelta(days=1))
    leave(tmp_path, {"mocks": 3}, name="gold_standards", host="b")
    assert look(tmp_path, application="/srv/shop")[2]["R1.code"]["reason"] == "mocks: found 3, expected 0"


@pytest.mark.parametrize(
    ("about", "of"),
    [
        ({"path": "/srv/shop"}, ""),
        ({"application": {"name": "shop"}}, ""),
        ({"path": "/srv/other"}, "/srv/other"),
        ({"path": "/srv/shop/src"}, "/srv/shop/src"),
        ({"application": {"name": "other"}}, "other"),
    ],
)
def test_evidence_of_another_application_shows_nothing(about: dict[str, Any], of: str, tmp_path: Path) -> None:
    """Neither a pass nor a failure: the inventory names another one now."""
    for mocks, then in ((0, "pass"), (3, "fail")):
        leave(tmp_path, {"mocks": mocks, **about}, name="gold_standards")
        _, _, rows = look(tmp_path, application="/srv/shop")
        assert rows["R1.code"]["verdict"] == ("insufficient_data" if of else then)
        reason = f"the evidence of gold_standards is of the application {of}; now it is /srv/shop"
        assert (rows["R1.code"]["reason"] == reason) is bool(of)


def test_application_is_named_as_evidence_names_it(tmp_path: Path) -> None:
    """A path with marks that no terminal may get is written out in both."""
    path = tmp_path / "shop\u200e"
    assert application_path({"path": str(path)}) == printable(str(path.resolve()))
    assert application_path({}) == ""


def waiver(**changes: str) -> dict[str, str]:
    """Return a good waiver of the failing requirement, with changes."""
    return {"id": "R2.redis", "reason": "slow disk until March", "until": "2026-06-01", **changes}


def test_waiver_shows_as_waiver(tmp_path: Path) -> None:
    """With its reason; it earns nothing and is no pass. Its last day counts."""
    leave(tmp_path, {"p95": 3, "verdict": "pass"})
    verdict, results, rows = look(tmp_path, waivers=[waiver()])
    assert verdict == "waived"
    assert rows["R2.redis"]["waiver"] == {"reason": "slow disk until March", "until": "2026-06-01"}
    assert results["score"] == {"earned": 0, "attainable": 60, "total": 100}
    assert results["waivers"] == [{**waiver(), "state": "used"}]


@pytest.mark.parametrize(
    ("changes", "state", "message"),
    [
        ({"until": "2026-05-31"}, "expired", "it ended on 2026-05-31"),
        ({"until": "soon"}, "refused", "expected a date"),
        ({"until": ""}, "refused", "expected a date"),
        ({"reason": " "}, "refused", "it has no reason"),
        ({"id": "R2.redi"}, "refused", "no requirement has that id"),
    ],
)
def test_waiver_that_does_not_count(tmp_path: Path, changes: dict[str, str], state: str, message: str) -> None:
    """It changes nothing and is named."""
    leave(tmp_path, {"p95": 3, "verdict": "pass"})
    verdict, results, _ = look(tmp_path, waivers=[waiver(**changes)])
    assert verdict == "fail"
    assert results["waivers"][0]["state"] == state
    assert message in results["faults"][0]


def test_waiver_of_what_passes_is_not_needed(tmp_path: Path) -> None:
    """A pass stays a pass."""
    leave(tmp_path, FAST)
    verdict, results, _ = look(tmp_path, waivers=[waiver()])
    assert (verdict, results["waivers"][0]["state"]) == ("pass", "not needed")


def test_what_is_not_judged_decides_nothing(tmp_path: Path) -> None:
    """Second-tier objectives are shown and gate nothing."""
    data = copy.deepcopy(SMALL)
    data["sections"][0]["judged"] = False  # type: ignore[index]
    leave(tmp_path, {"p95": 3, "verdict": "pass"})
    verdict, results, rows = look(tmp_path, data=data)
    assert (rows["R2.redis"]["verdict"], verdict) == ("fail", "insufficient_data")
    assert results["counts"] == {"not_applicable": 1}


def test_unbelieved_files_are_named(tmp_path: Path) -> None:
    """A broken file is in the report and shows nothing."""
    leave(tmp_path, FAST)
    (tmp_path / "ready/pc1/upgrade.json").write_text("{")
    verdict, results, _ = look(tmp_path)
    assert verdict == "insufficient_data"
    assert "ready/pc1/upgrade.json: unreadable" in results["faults"][0]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ("healthy", "pass"),
        ("unhealthy", "fail"),
        (None, "insufficient_data"),
        (True, "insufficient_data"),
        (1, "insufficient_data"),
    ],
)
def test_words_compare_with_words(found: Any, verdict: str) -> None:
    """What is no word says nothing about a word."""
    predicate = requirements.Predicate("state", "results.state", "==", "healthy")
    assert judge(predicate, found) == verdict


def test_worst() -> None:
    """The order of verdicts; nothing at all is no pass."""
    assert [worst(parts) for parts in ([], ["pass", "not_applicable"], ["pass", "waived"])] == [
        "insufficient_data",
        "pass",
        "waived",
    ]
    assert [worst(["waived", "insufficient_data"]), worst(["insufficient_data", "fail"])] == [
        "insufficient_data",
        "fail",
    ]


def broken(path: str, value: Any) -> dict[str, Any]:
    """Return the small requirements with a value changed."""
    data = copy.deepcopy(SMALL)
    *parents, last = path.split(".")
    place: Any = data
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sections.0.weight", 50, "R2: its requirements weigh 60, expected 50"),
        ("sections.0.requirements.0.weight", 50, "R2: its requirements weigh 50"),
        ("sections.0.requirements.0.evidence", "speed", "found evidence 'speed'"),
        ("sections.0.requirements.0.id", "R1.code", "found 2 times"),
        ("sections.0.requirements.0.predicates.0.path", "results[", "is no JMESPath"),
        ("sections.0.requirements.0.predicates.0.is", "=~", "expected one of =="),
        ("gates.0.requirements", ["R9.x"], "gate: unknown requirement R9.x"),
    ],
)
def test_broken_requirements_are_named(path: str, value: Any, message: str) -> None:
    """The check that guards readiness/adr-009.yml sees faults."""
    assert any(message in text for text in requirements.check(broken(path, value)))


def test_requirements_are_good() -> None:
    """The project's own ones."""
    assert requirements.check(DATA) == []
    assert set(DATA["evidence"]) <= set(evidence.NAMES)


def test_weights_are_those_of_the_adr() -> None:
    """65, and 15, 10 and 10 on it; each row of its matrices and gates is there."""
    weights = {section["id"]: section["weight"] for section in DATA["sections"] if section["weight"]}
    assert weights == {"baseline": 65, "R1": 15, "R2": 10, "R3": 10}
    counts = {gate["id"]: len(gate["requirements"]) for gate in DATA["gates"]}
    assert {key: counts[key] for key in ("gate1", "gate2", "gate3")} == {"gate1": 4, "gate2": 14, "gate3": 4}
    objectives = requirements.load().requirements
    for service, limit in {"postgresql": 10, "neo4j": 100, "chromadb": 50, "redis": 1, "ai": 2000}.items():
        assert f"p95 < {limit} ms" in objectives[f"R2.{service}.latency"].objective
        assert f"R2.{service}.health" in ROWS
    assert "< 15 ms" in objectives["R2.overhead"].objective
    assert "nodes generated >= 117" in objectives["R3.dataflow"].objective
    assert "score >= 95 %" in objectives["R1.score"].objective


def test_without_evidence_nothing_passes(tmp_path: Path) -> None:
    """The project's requirements over an empty directory: no point, and each row says what brings data."""
    verdict, results = readiness.evaluate(
        requirements.load(), evidence.Found(), tmp_path, ["pc1"], NOW, application="/srv/shop"
    )
    assert verdict == "insufficient_data"
    assert results["score"] == {"earned": 0, "attainable": 100, "total": 100}
    assert {row["verdict"] for row in results["requirements"]} == {"insufficient_data"}
    assert all(row["next"].startswith(("./ready ", "the service ai (")) for row in results["requirements"])


def test_page_escapes_what_evidence_says(tmp_path: Path) -> None:
    """Text from a host is text on the page; every figure names its file, time and hash."""
    leave(tmp_path, {"p95": 3.25, "verdict": "pass"})
    document_waiver = waiver(id="R1.code", reason="<script>alert(1)</script>")
    verdict, results, _ = look(tmp_path, waivers=[document_waiver], application="/srv/shop")
    document = evidence.make("readiness", "ready", "all", verdict, results, timestamp(NOW))
    page = report.page(document, "0" * 64)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    digest = evidence.read(tmp_path / "ready/pc1/upgrade.json").sha256
    for text in ("3.25", "&lt; 1 ms", "ready/pc1/upgrade.json", timestamp(NOW), digest, "real", "0" * 64):
        assert text in page
    assert "http" not in page, "the page stands alone"


def test_rows_for_the_terminal(tmp_path: Path) -> None:
    """Sections and gates with points; a requirement with what was found or what to do."""
    leave(tmp_path, {"p95": 3, "verdict": "pass"})
    _, results, _ = look(tmp_path)
    assert report.summary_rows(results)[0] == {
        "part": "Services",
        "verdict": "fail",
        "points": "0 of 60",
        "counts": "1 fail",
    }
    assert report.summary_rows(results)[1]["points"] == "0 of 40 (0 attainable)"
    assert report.detail_rows(results)[0]["found"] == "p95: found 3, expected < 1 ms; next: cure it, then ./ready check"
    leave(tmp_path, FAST)
    _, results, _ = look(tmp_path)
    assert report.detail_rows(results)[0]["found"] == "p95 0.5, measurement pass"


def test_steps_keep_apart_what_is_not_built(tmp_path: Path) -> None:
    """A newcomer is not sent to verbs that do not exist."""
    _, results, _ = look(tmp_path, application="/srv/shop")
    assert report.next_steps(results) == [
        "./ready check (for 1 requirement)",
        "1 requirement waiting for what is not built yet: ./ready gold",
    ]


OVERHEAD = {
    "evidence": {"network": {"verb": "check", "max_age_days": 7}},
    "sections": [
        {
            "id": "R2",
            "title": "Services",
            "source": "a test",
            "weight": 100,
            "requirements": [
                {
                    "id": "R2.overhead",
                    "title": "Little latency",
                    "weight": 100,
                    "evidence": "network",
                    "windows_verb": "windows_check",
                    "predicates": [{"what": "p95", "path": "results.overhead_p95_ms", "is": "<", "value": 15}],
                }
            ],
        }
    ],
    "gates": [],
}


def test_windows_host_shows_the_way_from_windows(tmp_path: Path) -> None:
    """Not its distro, whose own evidence says that it does not apply; and nothing simulated counts."""
    leave(tmp_path, {"overhead_p95_ms": 20.0}, name="network", host="pc1-wsl", verdict="not_applicable")
    options: dict[str, Any] = {"data": OVERHEAD, "hosts": ["pc1-wsl"], "windows": {"pc1-wsl": "pc1"}}
    row = look(tmp_path, **options)[2]["R2.overhead"]
    assert (row["verdict"], row["next"]) == ("insufficient_data", "./ready windows check (not built yet)")
    leave(tmp_path, {"overhead_p95_ms": 3.0}, name="network", provenance="simulated")
    row = look(tmp_path, **options)[2]["R2.overhead"]
    assert (row["verdict"], row["reason"]) == ("insufficient_data", "the evidence is simulated: that never counts")
    leave(tmp_path, {"overhead_p95_ms": 3.0}, name="network")
    row = look(tmp_path, **options)[2]["R2.overhead"]
    assert (row["verdict"], row["hosts"][0]["host"]) == ("pass", "pc1")
    leave(tmp_path, {"overhead_p95_ms": 15.0}, name="network", verdict="fail")
    row = look(tmp_path, **options)[2]["R2.overhead"]
    assert (row["verdict"], row["next"]) == ("fail", "cure it, then ./ready windows check (not built yet)")


def test_without_windows_the_host_itself_shows_it(tmp_path: Path) -> None:
    """One platform: it does not apply."""
    leave(tmp_path, {}, name="network", verdict="not_applicable")
    assert look(tmp_path, data=OVERHEAD)[2]["R2.overhead"]["verdict"] == "not_applicable"
