# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the part `workflow` of frameworks calls a pass: by what stores and answers hold, not by what steps say."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ready_frameworks import workflow
from ready_frameworks.context import FAIL, PASS, UNKNOWN, Context
from ready_frameworks.workflow import SERVICES, CallError, Part, condensed, errors, expected, products


def context(**settings: str) -> Context:
    """Return a run."""
    return Context(settings, prefix="ready_frameworks", word="w0rd", deadline=time.monotonic() + 600)


def part(**settings: str) -> Part:
    """Return a part without stores: who asks them fails."""
    return Part(context(**settings), stores=None)  # type: ignore[arg-type]


def steps(**verdicts: str) -> dict[str, Any]:
    """Return what a document gave, with verdicts by service."""
    return {
        "steps": [
            {
                "step": f"{service} step",
                "service": service,
                "verdict": verdicts.get(service, "done"),
                "error": "e",
                "ms": 2,
            }
            for service in ("postgresql", "postgresql", "ai", "chromadb", "neo4j", "redis")
        ]
    }


def found(its: Part) -> dict[str, str]:
    """Return the verdicts by finding."""
    return {item["id"].removeprefix("workflow."): item["verdict"] for item in its.findings}


def test_each_run_draws_its_values() -> None:
    """An answer that was right once is wrong the next time, and the two products share nothing."""
    (one, two), (other, _) = products("w"), products("w")
    assert len({one.code, two.code, other.code}) == 3
    assert one.code in one.document
    assert one.code not in two.document
    assert not set(one.ids.values()) & set(two.ids.values())
    assert one.id != other.id


@pytest.mark.parametrize("word", ["", "Größe", "a b'; --", "../x", "W" * 90])
def test_any_word_gives_ids(word: str) -> None:
    """The application takes small letters, digits and hyphens."""
    for product in products(word):
        assert len(product.id) <= 63
        assert product.id.isascii()
        assert product.id.replace("-", "").isalnum()


def test_a_service_has_the_worst_verdict_of_its_steps() -> None:
    """And no service has that of another."""
    gave = [steps(), steps(neo4j="failed", chromadb="skipped")]
    assert errors(gave, "neo4j") == (FAIL, "neo4j step failed: e")
    assert errors(gave, "chromadb")[0] == UNKNOWN
    assert errors(gave, "redis")[0] == PASS
    assert errors([{"steps": []}], "redis")[0] == UNKNOWN
    assert errors([steps(redis="odd")], "redis")[0] == FAIL


def test_a_long_error_leaves_room_for_the_next_step() -> None:
    """A finding has 300 characters."""
    gave = [steps(neo4j="failed")]
    gave[0]["steps"][-2]["error"] = "ServiceUnavailable: " + "x" * 500
    its = part()
    its.judge("neo4j", "Neo4j", {"neo4j": errors(gave, "neo4j")}, None)
    assert "ServiceUnavailable" in its.findings[0]["detail"]
    assert "Next: ./ready check" in its.findings[0]["detail"]


def test_steps_are_shown_by_service() -> None:
    """Four writes to PostgreSQL are one line."""
    shown = condensed(steps(redis="failed")["steps"])
    assert shown[0] == {"step": "stored", "ms": 4, "verdict": PASS}
    assert shown[-1] == {"step": "cached", "ms": 2, "verdict": FAIL}
    assert len(shown) == len(SERVICES)


def test_what_a_store_lacks_is_a_failure() -> None:
    """Whatever the steps say."""
    its = part()
    whole = [expected("redis", product, []) for product in its.products]
    failed = dict.fromkeys(SERVICES, (PASS, ""))
    its.judge("redis", "Redis", failed, whole)
    its.judge("neo4j", "Neo4j", failed, [[], []])
    its.judge("chromadb", "ChromaDB", failed, [[["x", 0]], []])
    its.judge("postgresql", "PostgreSQL", failed, "OperationalError: gone")
    assert found(its) == {"redis": PASS, "neo4j": FAIL, "chromadb": FAIL, "postgresql": FAIL}
    assert all("expected" in item["detail"] for item in its.findings if item["verdict"] == FAIL)


def test_passages_without_vectors_are_a_failure() -> None:
    """A store may keep the text and lose the vector."""
    product = part().products[0]
    without = sorted([text, 0] for text in product.passages)
    assert expected("chromadb", product, without) != without
    assert expected("chromadb", product, kept := sorted([text, 384] for text in product.passages)) == kept


@pytest.mark.parametrize(
    ("after", "verdict"),
    [([["x"], ["y"]], PASS), ([["x", "x"], ["y"]], FAIL), ("ConnectionError: gone", UNKNOWN)],
)
def test_what_is_doubled_is_a_failure(monkeypatch: pytest.MonkeyPatch, after: Any, verdict: str) -> None:
    """Of a store that doesn't answer nothing is known."""
    its, before = part(), {service: [["x"], ["y"]] for service in workflow.LOOKS}
    monkeypatch.setattr(its, "look", lambda service: after if service == "neo4j" else before[service])
    its.idempotent(before, [steps(), steps()])
    assert found(its) == {"idempotent": verdict}


@pytest.mark.parametrize(
    ("answer", "changed", "verdict"),
    [
        ("It is VALUE.", {}, PASS),
        ("It is 1234.", {}, FAIL),
        ("", {}, FAIL),
        ("VALUE or OTHER", {}, FAIL),
        ("VALUE", {"tokens": 0}, FAIL),
        ("VALUE", {"cache": "miss"}, FAIL),
        ("VALUE", {"product_id": "another"}, FAIL),
    ],
)
def test_an_answer_is_right_by_its_value(
    monkeypatch: pytest.MonkeyPatch, answer: str, changed: dict[str, Any], verdict: str
) -> None:
    """It must come from the model (tokens), be about this product, and not be every value that there is."""
    its = part()
    said = {"answer": answer, "tokens": 9, "cache": "hit", "product_id": its.products[0].id, "steps": [{"ms": 1.0}]}
    monkeypatch.setattr(its, "call", lambda *_: said | changed)
    its.question(None, "document", "What is it?", "VALUE", "OTHER")  # type: ignore[arg-type]
    assert found(its) == {"answer.document": verdict}
    assert its.steps[-1]["verdict"] == verdict


def test_a_question_that_holds_its_answer_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model may repeat it."""
    its = part()
    said = {"answer": "VALUE", "tokens": 9, "cache": "hit", "product_id": its.products[0].id, "steps": [{"ms": 1.0}]}
    monkeypatch.setattr(its, "call", lambda *_: said)
    its.question(None, "document", "Is it VALUE?", "VALUE", "OTHER")  # type: ignore[arg-type]
    assert found(its) == {"answer.document": FAIL}


def test_no_answer_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's own error is shown."""
    its = part()

    def away(*_: object) -> None:
        raise CallError("found status 500; expected a result. Next: read")

    monkeypatch.setattr(its, "call", away)
    its.question(None, "document", "What?", "VALUE", "OTHER")  # type: ignore[arg-type]
    assert found(its) == {"answer.document": FAIL}


@pytest.mark.parametrize("left", [0, workflow.ESTIMATE - 1])
def test_an_endpoint_elsewhere_is_not_asked_beyond_the_cap(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    """Tokens cost money there."""
    its = part(READY_AI_BACKEND="external")
    its.tokens = its.context.tokens - left
    monkeypatch.setattr(its, "call", lambda *_: pytest.fail("it was asked"))
    its.question(None, "document", "What?", "VALUE", "OTHER")  # type: ignore[arg-type]
    assert found(its) == {"answer.document": UNKNOWN}


def test_without_an_ai_service_nothing_is_known() -> None:
    """No pass, and no failure."""
    given = {"READY_AI_BACKEND": "none", "DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    result = workflow.run(context(**given))
    assert result["verdict"] == UNKNOWN
    assert "no AI service" in result["detail"]
    assert result["steps"] == []
