# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each kind of generated node must do: the rows before, its input, the rows after, and what its answer must say.

Pure: neither Kailash nor a database. Rows are put and read by another connection than DataFlow's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

Row = dict[str, Any]

#: What the ADR counts: 13 models by the nine kinds of its time.
ADR_NODES = 117
_NINE = ("Create", "Read", "Update", "Delete", "List", "BulkCreate", "BulkUpdate", "BulkDelete", "BulkUpsert")
_ELEVEN = (*_NINE, "Upsert", "Count")
#: Releases of kailash-dataflow, as (from, before), and the kinds that they generate; found by installing them.
_RELEASES = (((0, 1), (0, 6), _NINE), ((0, 10), (3, 0), _ELEVEN))
#: Keys of an answer that say "this failed", although the node returned and the workflow ended.
_FAILED = ("failed", "error", "errors", "_exception", "cas_failed", "skipped")
_MUST_HOLD = ("success", "parsed_successfully")
_TEXT = "Größe d'été"  # neither quoted nor folded on its route
_SHOWN = 3


def kinds_of(version: str) -> tuple[str, ...]:
    """Return the kinds that a release generates for a model; none where that is not known."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return next((kinds for start, end, kinds in _RELEASES if start <= numbers < end), ())


def node_name(model: str, kind: str) -> str:
    """Return the name of a generated node."""
    return f"{model}{kind}Node"


def surplus(generated: Iterable[str], models: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """Return nodes that were generated for a model and are of no kind that is known: nothing would execute them."""
    known = {node_name(model, kind) for model in models for kind in kinds}
    return sorted(name for name in generated if name not in known and name.startswith(tuple(models)))


@dataclass(frozen=True)
class Shape:
    """A model: its fields, and one of each type that the checks write to."""

    name: str
    fields: Mapping[str, type]
    text: str
    number: str
    amount: str
    flag: str


def shape_of(model: type) -> Shape:
    """Read a model class. The last field of a type stands for it, so that `text` is no reference to another model."""
    fields = {name: hint for name, hint in get_type_hints(model).items() if not name.startswith("_")}
    last = {hint: name for name, hint in fields.items() if name != "id"}
    return Shape(model.__name__, fields, last[str], last[int], last[float], last[bool])


def row(shape: Shape, word: str, number: int, /, **changes: Any) -> Row:
    """Return a row with a value in every field. Amounts are quarters: `real` keeps them exactly."""
    values: dict[type, Callable[[str], Any]] = {
        str: lambda field: f"{word} {field} {number} {_TEXT}",
        int: lambda _: 100 + number,
        float: lambda _: number + 0.25,
        bool: lambda _: number % 2 == 0,
    }
    made = {field: values[hint](field) for field, hint in shape.fields.items()}
    return made | {"id": row_id(word, number)} | changes


def row_id(word: str, number: int) -> str:
    """Return an id that belongs to this run."""
    return f"{word}-{number:03}"


@dataclass(frozen=True)
class Step:
    """One execution of a node. `wrong` says what is wrong with an answer, "" if nothing is."""

    kind: str
    before: Sequence[Row]
    inputs: Mapping[str, Any]
    after: Sequence[Row]
    wrong: Callable[[Mapping[str, Any]], str] = lambda _: ""


def steps_of(shape: Shape, word: str) -> list[Step]:
    """Return what the generated nodes of a model are put through; a kind passes when all of its steps do.

    Two rows stand by in every step: a node that changes more than it was asked to is seen.
    """
    still = [row(shape, word, 901), row(shape, word, 902)]
    r = [row(shape, word, number) for number in range(12)]
    text, number = shape.text, shape.number
    new = {text: f"{word} new {_TEXT}", number: 7}
    ids = {"id": {"$in": [r[2]["id"], r[3]["id"]]}}

    def step(kind: str, before: list[Row], inputs: Row, after: list[Row], wrong: Any = None) -> Step:
        return Step(kind, [*still, *before], inputs, [*still, *after], wrong or (lambda _: ""))

    pair = {"data": [r[1] | new, r[2]], "conflict_on": ["id"], "conflict_resolution": "update"}
    upsert = {"where": {"id": r[1]["id"]}, "create": r[1], "update": {text: new[text]}}
    low = {"id": {"$regex": f"^{word}-"}, number: {"$lt": 111}}
    listed = {"filter": low, "order_by": ["-id"], "limit": 50, "enable_cache": False}
    least = [r[n] for n in range(10, -1, -1)]  # eleven: one more than a list has unless it is asked for more
    still_low = [row(shape, word, 901, **{number: 111}), row(shape, word, 902, **{number: 112})]
    return [
        step("Create", [], r[1], [r[1]], lambda answer: differs(shape, answer, r[1])),
        step("Read", r[:3], {"id": r[1]["id"]}, r[:3], lambda answer: differs(shape, answer, r[1])),
        step("Update", r[:3], {"filter": {"id": r[1]["id"]}, "fields": new}, [r[0], r[1] | new, r[2]]),
        step("Upsert", [r[0]], upsert, [r[0], r[1]]),
        step("Upsert", r[:2], upsert, [r[0], r[1] | {text: new[text]}]),
        step("BulkCreate", [r[0]], {"data": r[1:6]}, r[:6]),
        step("BulkUpdate", r[:5], {"filter": ids, "fields": new}, [*r[:2], r[2] | new, r[3] | new, r[4]]),
        step("BulkUpsert", r[:2], pair, [r[0], r[1] | new, r[2]]),
        Step("List", [*still_low, *r], listed, [*still_low, *r], lambda answer: lists(shape, answer, least)),
        Step("Count", [*still_low, *r], {"filter": low}, [*still_low, *r], lambda a: counts(a, len(least))),
        step("BulkDelete", r[:5], {"filter": ids}, [*r[:2], r[4]]),
        step("Delete", r[:3], {"id": r[1]["id"]}, [r[0], r[2]]),
    ]


def differs(shape: Shape, found: Mapping[str, Any], expected: Row) -> str:
    """Say in which fields an answer is not the row that is in the table."""
    fields = [field for field in shape.fields if found.get(field, None) != expected[field]]
    return f"an answer that differs from the table in {', '.join(fields)}" if fields else ""


def lists(shape: Shape, answer: Mapping[str, Any], expected: Sequence[Row]) -> str:
    """Say what is wrong with a list of records, order included."""
    records = answer.get("records")
    if not isinstance(records, list) or len(records) != len(expected):
        count = len(records) if isinstance(records, list) else "no list of"
        return f"{count} records where the table has {len(expected)}"
    return next(
        (text for found, row in zip(records, expected, strict=True) if (text := differs(shape, found, row))), ""
    )


def counts(answer: Mapping[str, Any], expected: int) -> str:
    """Say what is wrong with a count."""
    found = answer.get("count")
    return "" if found == expected else f"count {found} where the table has {expected}"


def refusal(answer: Any, allowed: Sequence[str] = ()) -> str:
    """Return what an answer says of a failure. `success: true` beside skipped rows is one.

    Args:
        answer: what a node returned.
        allowed: keys that this node is meant to fill, such as the `errors` of a reader that is given a bad line.
    """
    if not isinstance(answer, Mapping):
        return f"an answer of type {type(answer).__name__}, no mapping"
    said = [f"{key} = {answer[key]}" for key in _FAILED if key not in allowed and answer.get(key)]
    said += [f"{key} = {answer[key]}" for key in _MUST_HOLD if key in answer and answer[key] is not True]
    return ", ".join(said)


def difference(found: Mapping[str, Row], expected: Iterable[Row]) -> str:
    """Say how the rows of a table, by id, differ from those that must be there; "" when they do not."""
    wanted = {item["id"]: item for item in expected}
    said = []
    if missing := [key for key in wanted if key not in found]:
        said.append(f"no row {_some(missing)}")
    if more := [key for key in found if key not in wanted]:
        said.append(f"a row {_some(more)} that must not be there")
    for key in wanted.keys() & found.keys():
        if fields := [field for field, value in wanted[key].items() if found[key].get(field) != value]:
            values = ", ".join(f"{field} = {found[key].get(field)!r}" for field in fields[:_SHOWN])
            said.append(f"row {key} with {values}")
    return "; ".join(said[:_SHOWN])


def _some(names: Sequence[str]) -> str:
    """Name the first few."""
    more = len(names) - _SHOWN
    return ", ".join(sorted(names)[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value below or at which this share of them is (nearest rank)."""
    return round(sorted(values)[max(0, math.ceil(share * len(values)) - 1)], 1) if values else None


def percent(part: int, whole: int) -> float:
    """Return a share in percent, rounded down: 100 means all."""
    return math.floor(1000 * part / whole) / 10 if whole else 0.0
