# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the generated nodes must do, and that each fault in one is seen: without Kailash, on tables in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from catalogue import models
from ready_frameworks import dataflow, kinds
from ready_frameworks.context import Context
from ready_frameworks.kinds import ADR_NODES, Row, Shape, Step
from ready_frameworks.stage import AwayError, RefusedError

ELEVEN = kinds.kinds_of("2.20.1")
SHAPES = [kinds.shape_of(model) for model in models.MODELS]
WORD = "w0a1b2"

Answer = dict[str, Any]
Tables = dict[str, dict[str, Row]]


def context() -> Context:
    """Return a run without settings."""
    return Context({}, "test", WORD, time.monotonic() + 3600)


def holds(found: Any, operator: str, value: Any) -> bool:
    """Tell whether a field keeps a rule."""
    if operator == "$in":
        return found in value
    if operator == "$lt":
        return bool(found < value)
    assert operator == "$regex", operator
    return str(found).startswith(value[1:])


def matches(item: Row, wanted: Row) -> bool:
    """Tell whether a filter holds for a row."""
    plain = {field: value for field, value in wanted.items() if not isinstance(value, dict)}
    rules = [(item[field], *rule) for field in wanted.keys() - plain.keys() for rule in wanted[field].items()]
    return all(item[field] == value for field, value in plain.items()) and all(holds(*rule) for rule in rules)


class Memory:
    """Tables, and nodes that do their work on them: the part of a stage that the steps use."""

    def __init__(self) -> None:
        self.word = WORD
        self.tables: Tables = {
            shape.name: {"other": kinds.row(shape, "other", 1) | {"id": "other"}} for shape in SHAPES
        }

    def put(self, shape: Shape, rows: list[Row]) -> None:
        """Replace what the run has in a table."""
        table = self.tables[shape.name]
        for key in [key for key in table if key.startswith(f"{WORD}-")]:
            del table[key]
        table.update({item["id"]: dict(item) for item in rows})

    def rows(self, shape: Shape, mine: bool = True) -> dict[str, Row]:
        """Return rows by id."""
        table = self.tables[shape.name].items()
        return {key: dict(item) for key, item in table if key.startswith(f"{WORD}-") is mine}

    def execute(self, nodes: list[tuple[str, str, Row]]) -> dict[str, Answer]:
        """Execute one node."""
        [(key, name, inputs)] = nodes
        model = max((shape.name for shape in SHAPES if name.startswith(shape.name)), key=len)
        answer = self.work(model, name[len(model) : -len("Node")], inputs)
        if said := kinds.refusal(answer):
            raise RefusedError(said)
        return {key: answer}

    def work(self, model: str, kind: str, its: Row) -> Answer:
        """Do what the name of a node says."""
        table = self.tables[model]
        found = [item for item in table.values() if matches(item, its.get("filter") or its.get("where") or {})]
        if kind == "Create":
            table[its["id"]] = dict(its)
            return dict(its)
        if kind == "Read":
            return table[its["id"]] | {"found": True}
        if kind == "Delete":
            return {"deleted": bool(table.pop(its["id"], None))}
        if kind == "BulkDelete":
            return {"success": True, "deleted": len([table.pop(item["id"]) for item in found])}
        if kind in ("Update", "BulkUpdate"):
            for item in found:
                item.update(its["fields"])
            return {"updated": True}
        if kind == "Upsert":
            new = found[0] | its["update"] if found else its["create"]
            table[new["id"]] = dict(new)
            return {"created": not found}
        if kind in ("BulkCreate", "BulkUpsert"):
            table.update({item["id"]: dict(item) for item in its["data"]})
            return {"success": True, "skipped": 0}
        if kind == "List":
            return {"records": sorted(map(dict, found), key=lambda item: str(item["id"]), reverse=True)[: its["limit"]]}
        assert kind == "Count", kind
        return {"count": len(found)}


def exercised(stage: Any, generated: set[str] | None = None) -> dataflow.Outcome:
    """Return what is found with all models."""
    outcome: dataflow.Outcome = {}
    every = {kinds.node_name(shape.name, kind) for shape in SHAPES for kind in ELEVEN}
    for shape in SHAPES:
        dataflow.exercise(context(), stage, shape, ELEVEN, every if generated is None else generated, outcome)
    return outcome


def test_the_models_are_thirteen_with_a_field_of_every_type() -> None:
    """The models are thirteen with a field of every type."""
    assert len(models.MODELS) == len(set(models.NAMES)) == 13
    for shape in SHAPES:
        assert next(iter(shape.fields)) == "id"
        assert {shape.fields[name] for name in (shape.text, shape.number, shape.amount, shape.flag)} == {
            str,
            int,
            float,
            bool,
        }
    references = {field for shape in SHAPES for field in shape.fields if field.endswith("_id")}
    assert references == set(models.PARENTS)
    assert set(models.PARENTS.values()) <= set(models.NAMES)


@pytest.mark.parametrize(
    ("version", "count"),
    [
        ("0.1.0", 9),
        ("0.4.0", 9),
        ("0.5.5", 9),
        ("0.10.14", 11),
        ("1.8.0", 11),
        ("2.20.1", 11),
        ("0.7.0", 0),
        ("3.0.0", 0),
    ],
)
def test_the_number_that_is_expected_follows_from_the_release(version: str, count: int) -> None:
    """The number that is expected follows from the release."""
    assert len(kinds.kinds_of(version)) == count
    if count == 9:
        assert count * len(models.NAMES) == ADR_NODES


def test_every_kind_is_exercised() -> None:
    """Every kind is exercised."""
    for shape in SHAPES:
        assert {step.kind for step in kinds.steps_of(shape, WORD)} == set(ELEVEN)


def test_nodes_that_do_their_work_pass() -> None:
    """Nodes that do their work pass."""
    outcome = exercised(Memory())
    assert len(outcome) == 143
    assert {key: text for key, text in outcome.items() if text} == {}


def only(kind: str, fault: Callable[[Memory, str, Row, Answer], Answer | None]) -> type[Memory]:
    """Return tables whose node of one kind has a fault, with Invoice alone."""

    class Faulty(Memory):
        def work(self, model: str, done: str, its: Row) -> Answer:
            before = {key: dict(item) for key, item in self.tables[model].items()}
            answer = super().work(model, done, its)
            if (model, done) != ("Invoice", kind):
                return answer
            self.before = before
            return fault(self, model, its, answer) or answer

    return Faulty


def undo(memory: Any, model: str, its: Row, answer: Answer) -> None:
    """Take the effect back."""
    memory.tables[model] = memory.before


def stranger(memory: Memory, model: str, its: Row, answer: Answer) -> None:
    """Change a row of nobody's."""
    memory.tables[model]["other"]["amount"] = 0.0


def bystander(memory: Memory, model: str, its: Row, answer: Answer) -> None:
    """Remove a row that was not asked for."""
    memory.tables[model].pop(f"{WORD}-901")


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete", "Upsert", "BulkCreate", "BulkUpdate", "BulkDelete"])
@pytest.mark.parametrize("fault", [undo, stranger, bystander])
def test_an_effect_that_is_not_there_or_is_too_large_is_seen(kind: str, fault: Any) -> None:
    """An effect that is not there or is too large is seen."""
    bad = {key: text for key, text in exercised(only(kind, fault)()).items() if text}
    assert list(bad) == [("Invoice", kind)]


@pytest.mark.parametrize(
    ("kind", "answer", "said"),
    [
        ("BulkUpsert", {"success": True, "upserted": 2, "skipped": 1}, "skipped = 1"),
        ("BulkCreate", {"success": False}, "success = False"),
        ("Read", {"failed": True, "error": "no such record"}, "error = no such record"),
        ("Read", {"found": True}, "differs from the table in id, quotation_id"),
        ("List", {"records": []}, "0 records where the table has 11"),
        ("List", {"success": True}, "no list of records"),
        ("Count", {"count": 13}, "count 13 where the table has 11"),
        ("Create", {"id": f"{WORD}-001"}, "differs from the table in quotation_id"),
    ],
)
def test_an_answer_that_is_a_failure_or_untrue_is_seen(kind: str, answer: Answer, said: str) -> None:
    """An answer that is a failure or untrue is seen."""
    bad = {key: text for key, text in exercised(only(kind, lambda *_: answer)()).items() if text}
    assert list(bad) == [("Invoice", kind)]
    assert said in bad["Invoice", kind]


def test_a_bulk_upsert_that_skips_without_a_word_is_seen() -> None:
    """A bulk upsert that skips without a word is seen."""

    def skips(memory: Any, model: str, its: Row, answer: Answer) -> None:
        memory.tables[model] |= memory.before

    bad = {key: text for key, text in exercised(only("BulkUpsert", skips)()).items() if text}
    assert list(bad) == [("Invoice", "BulkUpsert")]
    assert f"row {WORD}-001 with" in bad["Invoice", "BulkUpsert"]


def test_a_list_of_the_default_length_or_in_another_order_is_seen() -> None:
    """A list of the default length or in another order is seen."""
    for part in (slice(10), slice(None, None, -1)):

        def fault(memory: Memory, model: str, its: Row, answer: Answer, part: slice = part) -> Answer:
            return {"records": answer["records"][part]}

        bad = {key: text for key, text in exercised(only("List", fault)()).items() if text}
        assert list(bad) == [("Invoice", "List")]


def test_a_node_that_is_not_generated_is_named() -> None:
    """A node that is not generated is named."""
    every = {kinds.node_name(shape.name, kind) for shape in SHAPES for kind in ELEVEN}
    outcome = exercised(Memory(), every - {"QuotationUpsertNode"})
    assert {key: text for key, text in outcome.items() if text} == {("Quotation", "Upsert"): "not generated"}
    found = {item["id"]: item for item in dataflow.judge(SHAPES, ELEVEN, outcome, "2.20.1")}
    assert [name for name, item in found.items() if item["verdict"] != "pass"] == ["node.Upsert"]
    assert "12 of 13" in found["node.Upsert"]["detail"]
    assert "Quotation: not generated" in found["node.Upsert"]["detail"]


def test_nodes_of_further_kinds_are_no_pass() -> None:
    """Nodes of further kinds are no pass."""
    every = [kinds.node_name(shape.name, kind) for shape in SHAPES for kind in ELEVEN]
    assert kinds.surplus([*every, "SchemaModificationNode"], models.NAMES, ELEVEN) == []
    more = kinds.surplus([*every, "QuotationItemSearchNode"], models.NAMES, ELEVEN)
    assert more == ["QuotationItemSearchNode"]
    outcome = exercised(Memory())
    assert {item["verdict"] for item in dataflow.judge(SHAPES, ELEVEN, outcome, "2.20.1")} == {"pass"}
    assert "fail" in {item["verdict"] for item in dataflow.judge(SHAPES, ELEVEN, outcome, "2.20.1", more)}


def test_a_release_whose_kinds_are_unknown_is_no_pass() -> None:
    """A release whose kinds are unknown is no pass."""
    [found] = dataflow.judge(SHAPES, (), {}, "3.0.0")
    assert found["verdict"] == "fail"
    assert "3.0.0" in found["detail"]


def test_nodes_that_were_not_reached_are_not_passed() -> None:
    """Nodes that were not reached are not passed."""
    outcome = {key: text for key, text in exercised(Memory()).items() if key[0] != "SafetyRule"}
    late = dataflow.judge(SHAPES, ELEVEN, outcome, "2.20.1")
    assert {item["verdict"] for item in late} == {"insufficient_data"}
    away = dataflow.judge(SHAPES, ELEVEN, outcome, "2.20.1", away="found PostgreSQL not usable")
    assert {item["verdict"] for item in away} == {"fail"}
    assert all("PostgreSQL" in item["detail"] for item in away)


def test_the_result_of_a_run_that_could_not_begin() -> None:
    """The result of a run that could not begin."""
    found = dataflow.nothing(SHAPES, ELEVEN, "2.20.1", "found PostgreSQL not usable", "postgresql")
    assert found["verdict"] == "fail"
    assert (found["models"], found["expected"], found["adr_nodes"]) == (13, 143, 117)
    assert (found["nodes"], found["executed"], found["failed"], found["executed_percent"]) == (0, 0, 143, 0.0)
    assert (found["capabilities"]["expected"], found["capabilities"]["passed"]) == (117, 0)
    assert found["findings"][0]["service"] == "postgresql"


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ({"id": "1"}, False),
        ({"success": True, "skipped": 0, "failed": 0, "errors": []}, False),
        ({"success": True, "skipped": 1}, True),
        ({"success": True, "failed": 2}, True),
        ({"success": None}, True),
        ({"error": "no"}, True),
        ({"errors": ["line 3"]}, True),
        ({"parsed_successfully": False, "result": 7}, True),
        (None, True),
        ([], True),
    ],
)
def test_what_an_answer_says_of_a_failure(answer: Any, refused: bool) -> None:
    """What an answer says of a failure."""
    assert bool(kinds.refusal(answer)) is refused


def test_a_failure_that_is_asked_for_is_allowed_by_name() -> None:
    """A failure that is asked for is allowed by name."""
    assert kinds.refusal({"errors": ["line 3"]}, ("errors",)) == ""
    assert kinds.refusal({"errors": ["line 3"], "error": "disk"}, ("errors",)) == "error = disk"


def test_the_difference_names_rows_and_fields() -> None:
    """The difference names rows and fields."""
    wanted = [{"id": "a", "n": 1}, {"id": "b", "n": 2}]
    assert kinds.difference({"a": {"id": "a", "n": 1}, "b": {"id": "b", "n": 2}}, wanted) == ""
    said = kinds.difference({"a": {"id": "a", "n": 7}, "c": {"id": "c", "n": 2}}, wanted)
    assert "no row b" in said
    assert "a row c that must not be there" in said
    assert "row a with n = 7" in said


def test_shares_are_rounded_down_and_percentiles_are_values_that_occurred() -> None:
    """Shares are rounded down and percentiles are values that occurred."""
    assert kinds.percent(1999, 2000) == 99.9
    assert kinds.percent(143, 143) == 100
    assert kinds.percent(0, 0) == 0
    values = [float(number) for number in range(1, 101)]
    assert [kinds.percentile(values, share) for share in (0.5, 0.95, 1.0)] == [50, 95, 100]
    assert kinds.percentile([7.0], 0.95) == 7
    assert kinds.percentile([], 0.5) is None


def test_an_upsert_passes_only_if_it_inserts_and_updates() -> None:
    """An upsert passes only if it inserts and updates."""
    steps = [step for step in kinds.steps_of(SHAPES[0], WORD) if step.kind == "Upsert"]
    assert isinstance(steps[0], Step)
    assert [len(step.after) - len(step.before) for step in steps] == [1, 0]


def test_a_kind_that_was_interrupted_is_not_passed() -> None:
    """Of two executions of a kind the first one alone proves nothing."""

    class Dies(Memory):
        def work(self, model: str, kind: str, its: Row) -> Answer:
            if kind == "Upsert" and f"{WORD}-001" in self.tables[model]:
                raise AwayError("postgresql", "connection lost")
            return super().work(model, kind, its)

    outcome: dataflow.Outcome = {}
    every = {kinds.node_name("Company", kind) for kind in ELEVEN}
    with pytest.raises(AwayError):
        dataflow.exercise(context(), cast(Any, Dies()), SHAPES[0], ELEVEN, every, outcome)
    assert ("Company", "Upsert") not in outcome
    assert outcome["Company", "Create"] == ""
