# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How capabilities are judged, which nodes may do the work, and that waiting ends: without Kailash."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from catalogue import models
from ready_frameworks import capabilities, compositions, kinds
from ready_frameworks.context import Context
from ready_frameworks.kinds import Shape
from ready_frameworks.stage import (
    AwayError,
    RefusedError,
    Stage,
    Worker,
    WrongError,
    foreign,
    service_text,
    with_options,
)

SHAPES = [kinds.shape_of(model) for model in models.MODELS]
NINE = ["crud", "search", "analytics", "export", "import", "validate", "transform", "aggregate", "cache"]


class Played(Stage):
    """A stage whose nodes answer what they are given."""

    def __init__(self, **answers: Any) -> None:
        self.word, self.used, self.looks, self.worker = "w1", [], [], Worker()
        self.answers = answers
        self.looked = 0

    def look(self) -> None:
        """Count the looks."""
        self.looked += 1

    def _run(self, nodes: Sequence[Any], links: Any, inputs: Any, branches: bool) -> dict[str, Any]:
        if isinstance(error := self.answers.get("raises"), Exception):
            raise error
        return dict(self.answers)


def context(seconds: float = 3600) -> Context:
    """Return a run without settings."""
    return Context({}, "test", "w1", time.monotonic() + seconds)


def played(monkeypatch: pytest.MonkeyPatch, **other: Any) -> None:
    """Let every capability pass, apart from some."""
    for name in compositions.CAPABILITIES:

        def passes(stage: Stage, shape: Shape, folder: Path, name: str = name) -> None:
            stage.used += ["AggregateNode" if name == "aggregate" else f"{shape.name}ListNode"]

        monkeypatch.setitem(compositions.CAPABILITIES, name, other.get(name, passes))


def verdicts(found: Mapping[str, Any]) -> dict[str, str]:
    """Return verdicts by capability."""
    return {item["id"].removeprefix("capability."): item["verdict"] for item in found["findings"]}


def test_the_nine_of_the_adr_on_thirteen_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nine of the ADR on thirteen models."""
    assert list(compositions.CAPABILITIES) == NINE
    played(monkeypatch)
    found = capabilities.run_all(context(), Played(), SHAPES)
    assert (found["expected"], found["passed"]) == (117, 117)
    assert set(verdicts(found).values()) == {"pass"}
    table = {line["capability"]: line for line in found["table"]}
    assert table["crud"] == {
        "capability": "crud",
        "nodes": ["{Model}ListNode"],
        "how": "native",
        "passed": 13,
        "of": 13,
    }
    assert (table["aggregate"]["nodes"], table["aggregate"]["how"]) == (["AggregateNode"], "composed")


def test_without_redis_only_the_cache_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Redis only the cache fails."""
    tried = []

    def away(stage: Stage, shape: Shape, folder: Path) -> None:
        tried.append(shape.name)
        if len(tried) > 3:
            raise AwayError("redis", "connection refused")

    played(monkeypatch, cache=away)
    found = capabilities.run_all(context(), Played(), SHAPES)
    assert [name for name, verdict in verdicts(found).items() if verdict != "pass"] == ["cache"]
    last = found["findings"][-1]
    assert (last["service"], last["passed"], found["passed"]) == ("redis", 3, 107)
    assert "Redis" in last["detail"]
    assert len(tried) == 4, "each further model would wait for the time-out"


def test_without_postgresql_none_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PostgreSQL none continues."""

    def away(stage: Stage, shape: Shape, folder: Path) -> None:
        raise AwayError("postgresql", "connection refused")

    played(monkeypatch, search=away)
    with pytest.raises(AwayError):
        capabilities.run_all(context(), Played(), SHAPES)
    found = capabilities.summary(SHAPES, {}, {}, AwayError("postgresql", "connection refused"))
    assert set(verdicts(found).values()) == {"fail"}
    assert {item["service"] for item in found["findings"]} == {"postgresql"}


@pytest.mark.parametrize("error", [WrongError("no row"), RefusedError("a node failed"), KeyError("records")])
def test_a_capability_that_fails_on_one_model_fails(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A capability that fails on one model fails."""

    def fails(stage: Stage, shape: Shape, folder: Path) -> None:
        if shape.name == "Invoice":
            raise error

    played(monkeypatch, export=fails)
    found = capabilities.run_all(context(), Played(), SHAPES)
    assert [name for name, verdict in verdicts(found).items() if verdict != "pass"] == ["export"]
    assert found["passed"] == 116
    assert "12 of 13 models (Invoice: " in found["findings"][NINE.index("export")]["detail"]


def test_what_was_not_tried_is_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not tried is not passed."""
    played(monkeypatch)
    found = capabilities.run_all(context(seconds=0), Played(), SHAPES)
    assert set(verdicts(found).values()) == {"insufficient_data"}
    assert found["passed"] == 0


@pytest.mark.parametrize("name", ["PythonCodeNode", "AsyncPythonCodeNode", "DataTransformer"])
def test_a_node_with_code_of_its_user_does_not_count(name: str) -> None:
    """A node with code of its user does not count."""
    with pytest.raises(RefusedError, match="released nodes"):
        Played(own={"result": 1}).execute([("own", name, {})])


def test_a_node_of_the_application_does_not_count_by_a_released_name() -> None:
    """A node of the application does not count by a released name."""
    released = type("Map", (), {"__module__": "kailash.nodes.transform.processors"})
    generated = type("InvoiceListNode", (), {"__module__": "dataflow.core.nodes"})
    own = type("CSVWriterNode", (), {"__module__": "catalogue.nodes"})
    alike = type("Sort", (), {"__module__": "kailash_own.nodes"})
    assert foreign([released, generated]) == []
    assert foreign([released, own, alike]) == ["CSVWriterNode", "Sort"]


def test_an_answer_that_is_a_failure_is_one() -> None:
    """An answer that is a failure is one."""
    stage = Played(store={"success": True, "skipped": 2})
    with pytest.raises(RefusedError, match="store: skipped = 2"):
        stage.execute([("store", "InvoiceBulkUpsertNode", {})])
    assert stage.looked == 1, "whether a service is away is looked at before a node is blamed"


def test_an_exception_is_a_refusal_and_services_are_looked_at() -> None:
    """An exception is a refusal and services are looked at."""
    stage = Played(raises=RuntimeError("no such column"))
    with pytest.raises(RefusedError, match="RuntimeError: no such column"):
        stage.execute([("read", "InvoiceReadNode", {})])
    assert stage.looked == 1


def test_a_node_that_does_not_answer_did_not_run() -> None:
    """A node that does not answer did not run."""
    with pytest.raises(RefusedError, match="no answer of write"):
        Played(read={"id": "1"}).execute([("read", "InvoiceReadNode", {}), ("write", "CSVWriterNode", {})])
    assert Played(get={"hit": True}).execute([("get", "CacheNode", {}), ("set", "CacheNode", {})], branches=True)


def test_waiting_ends_when_a_service_is_away() -> None:
    """Waiting ends when a service is away."""
    hang, worker = threading.Event(), Worker()

    def look() -> None:
        """Count the looks."""
        raise AwayError("redis", "connection refused")

    with pytest.raises(AwayError):
        worker.call(hang.wait, 3600, look, every=0.05)
    assert worker.call(lambda: 7, 3600, look, every=3600) == 7, "the thread that hangs is left behind"
    hang.set()


def test_waiting_ends_at_the_limit() -> None:
    """Waiting ends at the limit."""
    hang, worker = threading.Event(), Worker()
    with pytest.raises(RefusedError, match=r"no answer within 0\.1 s"):
        worker.call(hang.wait, 0.1, lambda: None, every=0.05)
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 // 0, 3600, lambda: None)
    hang.set()


def test_options_are_added_to_a_url() -> None:
    """Options are added to a URL."""
    assert with_options("redis://h:1/0", socket_timeout=5) == "redis://h:1/0?socket_timeout=5"
    assert with_options("rediss://h:1/0?ssl_ca_certs=%2Fca", a=1, b=2) == "rediss://h:1/0?ssl_ca_certs=%2Fca&a=1&b=2"
    assert "Redis" in service_text("redis", "refused")


def test_values_are_compared_exactly_floats_to_their_last_digits() -> None:
    """Values are compared exactly floats to their last digits."""
    compositions.same("sum", 0.1 + 0.2, 0.3)
    for found, expected in ((1, 2), ("1", 1), (None, 0.3), (0.3001, 0.3), ([], ["a"])):
        with pytest.raises(WrongError):
            compositions.same("sum", found, expected)


def test_the_rows_to_work_on_hold_what_the_capabilities_look_for() -> None:
    """The rows to work on hold what the capabilities look for."""
    for shape in SHAPES:
        rows = compositions.rows_of(shape, "w1")
        assert {item[shape.number] for item in rows} == {0, 1, 2, 3}
        assert {item[shape.flag] for item in rows} == {True, False}
        assert len({item["id"] for item in rows}) == len(rows)
        assert 0 < sum(compositions._FIND in item[shape.text] for item in rows) < len(rows)
