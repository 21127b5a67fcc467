# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nine capabilities that the ADR names per model, each composed of released nodes.

No node that carries code of its user takes part: `Stage.execute` refuses it. What a workflow says of itself proves
nothing here; files, tables and Redis do. Each function raises what is wrong.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ready_frameworks.context import Context
from ready_frameworks.kinds import Row, Shape, difference, lists, node_name, row, row_id
from ready_frameworks.stage import AwayError, Node, RefusedError, Stage, WrongError, with_options

_TIMEOUT = 5  # seconds, of Redis
_ROWS, _MANY = 12, 120
_FIND = "Quittenbaum"  # a word that a full-text search must find, in a third of the rows


def rows_of(shape: Shape, word: str, count: int = _ROWS) -> list[Row]:
    """Return rows in four groups by number; a third holds the word that is searched."""
    made = [row(shape, word, number, **{shape.number: number % 4}) for number in range(count)]
    for item in made[::3]:
        item[shape.text] = f"{item[shape.text]} {_FIND} {word}"
    return made


def must(text: str) -> None:
    """Raise what is wrong, if anything is."""
    if text:
        raise WrongError(text)


def same(what: str, found: Any, expected: Any) -> None:
    """Raise unless two values are equal; floats may differ in the last digits."""
    close = isinstance(found, float) and isinstance(expected, float) and math.isclose(found, expected, rel_tol=1e-9)
    if found != expected and not close:
        raise WrongError(f"{what} {found!r}, expected {expected!r}")


def lister(shape: Shape, word: str, **more: Any) -> tuple[str, str, Row]:
    """Return a list node that gives every row of the run. Without a limit it gives ten, without a word of the rest."""
    every = {"filter": {"id": {"$regex": f"^{word}-"}}, "limit": 1000, "order_by": ["id"], "enable_cache": False}
    return "list", node_name(shape.name, "List"), every | more


def sql_node(stage: Stage, query: str, *params: Any) -> Row:
    """Return the configuration of a database node."""
    return {
        "database_type": "postgresql",
        "connection_string": stage.url,
        "query": query,
        "params": list(params),
        "timeout": _TIMEOUT,
        "validate_queries": False,  # it knows no `create index`
    }


def crud(stage: Stage, shape: Shape, folder: Path) -> None:
    """Create, read, update, delete."""
    stage.put(shape, [])
    made, change = row(shape, stage.word, 1), {shape.text: f"{stage.word} changed"}
    create: Node = ("create", node_name(shape.name, "Create"), made)
    read: Node = ("read", node_name(shape.name, "Read"), {})
    answers = stage.execute([create, read], [("create", "id", "read", "id")])
    must(difference(stage.rows(shape), [made]))
    must(lists(shape, {"records": [answers["read"]]}, [made]))
    update = {"filter": {"id": made["id"]}, "fields": change}
    stage.execute([("update", node_name(shape.name, "Update"), update)])
    must(difference(stage.rows(shape), [made | change]))
    stage.execute([("delete", node_name(shape.name, "Delete"), {"id": made["id"]})])
    must(difference(stage.rows(shape), []))


def search(stage: Stage, shape: Shape, folder: Path) -> None:
    """Search by pattern and range, and by full text over an index that PostgreSQL then uses."""
    rows = rows_of(shape, stage.word)
    stage.put(shape, rows)
    table, vector = stage.tables[shape.name], f"to_tsvector('simple', \"{shape.text}\")"
    index = f"{table}_search"
    where = f"from \"{table}\" where {vector} @@ plainto_tsquery('simple', $1)"
    query = f"select id {where}"
    stage.witness.execute(f'drop index if exists "{index}"')
    make = f'create index "{index}" on "{table}" using gin ({vector})'
    stage.execute([("index", "AsyncSQLDatabaseNode", sql_node(stage, make))])
    try:
        wanted = {"id": {"$regex": f"^{stage.word}-"}, shape.text: {"$regex": _FIND}, shape.number: {"$gte": 1}}
        pattern = lister(shape, stage.word, filter=wanted)
        words = ("text", "AsyncSQLDatabaseNode", sql_node(stage, query, f"{_FIND} {stage.word}".lower()))
        answers = stage.execute([pattern, words])
        must(lists(shape, answers["list"], [item for item in rows[::3] if item[shape.number] >= 1]))
        found = sorted(item["id"] for item in answers["text"]["result"]["data"])
        same("the full-text search found", found, [item["id"] for item in rows[::3]])
        literal = f"'{_FIND} {stage.word}'"
        plan = stage.witness.plan(query.replace("$1", literal))
        same(f"the search uses the index {index}:", index in plan, True)
    finally:
        stage.witness.execute(f'drop index if exists "{index}"')


def analytics(stage: Stage, shape: Shape, folder: Path) -> None:
    """Count, average, deviation and median of a part of the rows, and a ranking written as a report."""
    rows = rows_of(shape, stage.word)
    stage.put(shape, rows)
    report = folder / f"{shape.name}-report.json"
    asked = {"mean": "average of", "spread": "standard deviation of", "middle": "median of"}
    mine = {"id": {"$regex": f"^{stage.word}-"}, shape.flag: True}
    nodes: list[Node] = [
        ("count", node_name(shape.name, "Count"), {"filter": mine}),
        lister(shape, stage.word),
        ("part", "FilterNode", {"field": shape.flag, "operator": "==", "value": True}),
        ("rank", "Sort", {"field": shape.amount, "reverse": True}),
        ("report", "JSONWriterNode", {"file_path": str(report)}),
        *((name, "AggregateNode", {}) for name in asked),
    ]
    links = [("list", "records", "part", "data"), ("part", "filtered_data", "rank", "data")]
    links += [("rank", "sorted_data", "report", "data"), *(("part", "filtered_data", name, "data") for name in asked)]
    inputs = {name: {"aggregate_expression": f"{words} {shape.amount}"} for name, words in asked.items()}
    answers = stage.execute(nodes, links, inputs)
    amount = f'"{shape.amount}"::float8'
    sql = (
        f"select count(*) as count, avg({amount}) as mean, stddev_samp({amount}) as spread,"  # noqa: S608
        f" percentile_cont(0.5) within group (order by {amount}) as middle"
        f' from "{stage.tables[shape.name]}" where starts_with(id, $1) and "{shape.flag}"'
    )
    expected = stage.witness.records(sql, f"{stage.word}-")[0]
    same("the count is", answers["count"]["count"], expected["count"])
    for name in asked:
        same(f"the {asked[name]} {shape.amount} is", answers[name]["result"], expected[name])
    ranked = sorted((item for item in rows if item[shape.flag]), key=lambda item: -item[shape.amount])
    must(lists(shape, {"records": json.loads(report.read_text(encoding="utf-8"))}, ranked))


def export(stage: Stage, shape: Shape, folder: Path) -> None:
    """Write every row to files, as CSV and as JSON."""
    stage.put(shape, rows_of(shape, stage.word, _MANY))
    files = folder / f"{shape.name}.csv", folder / f"{shape.name}.json"
    writers: list[Node] = [("csv", "CSVWriterNode", {"file_path": str(files[0])})]
    writers += [("json", "JSONWriterNode", {"file_path": str(files[1])})]
    links = [("list", "records", key, "data") for key, _, _ in writers]
    stage.execute([lister(shape, stage.word), *writers], links)
    table = sorted(stage.rows(shape).values(), key=lambda item: str(item["id"]))
    same("rows in the table", len(table), _MANY)
    must(lists(shape, {"records": json.loads(files[1].read_text(encoding="utf-8"))}, table))
    with files[0].open(encoding="utf-8", newline="") as source:
        written = list(csv.DictReader(source))
    must(lists(shape, {"records": written}, [{key: str(value) for key, value in item.items()} for item in table]))


def import_(stage: Stage, shape: Shape, folder: Path) -> None:
    """Read a file with types, leave out the line that has none, and store the others."""
    from dataflow.nodes import FileSourceNode  # the registry does not know it by name

    stage.put(shape, [])
    rows, source = rows_of(shape, stage.word), folder / f"{shape.name}-import.csv"
    bad = row(shape, stage.word, 800, **{shape.number: "many"})
    with source.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(shape.fields))
        writer.writeheader()
        writer.writerows([*rows[:5], bad, *rows[5:]])
    types = {field: hint.__name__ for field, hint in shape.fields.items()}
    nodes: list[Node] = [
        ("file", FileSourceNode, {"file_path": str(source), "type_coercion": types}),
        ("valid", "FilterNode", {"field": shape.number, "operator": ">=", "value": 0}),
        ("store", node_name(shape.name, "BulkCreate"), {}),
    ]
    links = [("file", "records", "valid", "data"), ("valid", "filtered_data", "store", "data")]
    answers = stage.execute(nodes, links, allowed=("errors",))
    must(difference(stage.rows(shape), rows))
    same("lines reported as bad:", len(answers["file"]["errors"]), 1)


def validate(stage: Stage, shape: Shape, folder: Path) -> None:
    """Store what keeps the rules and report the rest; a wrong type and a second row of an id are refused."""
    rows = rows_of(shape, stage.word)
    there, rows = rows[0], rows[1:]
    low, empty = row(shape, stage.word, 801, **{shape.number: -1}), row(shape, stage.word, 802, **{shape.text: ""})
    stage.put(shape, [there])
    rules = [("number", shape.number, ">=", 0, low), ("text", shape.text, "!=", "", empty)]
    nodes: list[Node] = [(name, "FilterNode", {"field": f, "operator": o, "value": v}) for name, f, o, v, _ in rules]
    nodes += [("low", "FilterNode", {"field": shape.number, "operator": "<", "value": 0})]
    nodes += [("empty", "FilterNode", {"field": shape.text, "operator": "==", "value": ""})]
    nodes += [("store", node_name(shape.name, "BulkCreate"), {})]
    links = [("number", "filtered_data", "text", "data"), ("text", "filtered_data", "store", "data")]
    data = {"data": [*rows[:4], low, *rows[4:], empty]}
    answers = stage.execute(nodes, links, {"number": data, "low": data, "empty": data})
    must(difference(stage.rows(shape), [there, *rows]))
    for name, expected in (("low", low), ("empty", empty)):
        same(f"rows reported as {name}:", answers[name]["filtered_data"], [expected])
    for item, word in ((row(shape, stage.word, 803, **{shape.number: "many"}), shape.number), (there, "duplicate")):
        try:
            stage.execute([("create", node_name(shape.name, "Create"), item)])
        except RefusedError as error:
            same(f"the refusal of {item['id']} names {word}:", word in str(error), True)
        else:
            raise WrongError(f"a row was taken that must be refused for its {word}")
    must(difference(stage.rows(shape), [there, *rows]))


def transform(stage: Stage, shape: Shape, folder: Path) -> None:
    """Change rows by rules and store them."""
    rows = rows_of(shape, stage.word)
    stage.put(shape, rows)
    fields = ", ".join(f'"{field}"' for field in shape.fields)
    # A list node would hand `created_at` on as text, which a bulk upsert cannot store
    query = f'select {fields} from "{stage.tables[shape.name]}" where starts_with(id, $1)'  # noqa: S608
    nodes: list[Node] = [
        ("rows", "AsyncSQLDatabaseNode", sql_node(stage, query, f"{stage.word}-")),
        ("upper", "Map", {"field": shape.text, "operation": "upper"}),
        ("double", "Map", {"field": shape.amount, "operation": "multiply", "value": 2}),
        ("store", node_name(shape.name, "BulkUpsert"), {"conflict_on": ["id"], "conflict_resolution": "update"}),
    ]
    links = [("rows", "result.data", "upper", "data"), ("upper", "mapped_data", "double", "data")]
    stage.execute(nodes, [*links, ("double", "mapped_data", "store", "data")])
    changes = [{shape.text: item[shape.text].upper(), shape.amount: item[shape.amount] * 2} for item in rows]
    must(difference(stage.rows(shape), [item | change for item, change in zip(rows, changes, strict=True)]))


def aggregate(stage: Stage, shape: Shape, folder: Path) -> None:
    """Sum, mean, least and most per group, as SQL has them."""
    stage.put(shape, rows_of(shape, stage.word))
    asked = {"sum": "sum of", "avg": "average of", "min": "minimum of", "max": "maximum of"}
    nodes: list[Node] = [lister(shape, stage.word), *((name, "AggregateNode", {}) for name in asked)]
    links = [("list", "records", name, "data") for name in asked]
    # As configuration of the node the expression would be ignored: it reads the inputs of the run alone
    inputs = {
        name: {"aggregate_expression": f"{words} {shape.amount}", "group_by": [shape.number]}
        for name, words in asked.items()
    }
    answers = stage.execute(nodes, links, inputs)
    amount, table = f'"{shape.amount}"::float8', stage.tables[shape.name]
    columns = ", ".join(f"{name}({amount}) as {name}" for name in asked)
    sql = f'select "{shape.number}"::text as key, count(*) as count, {columns} from "{table}"'  # noqa: S608
    expected = stage.witness.records(f"{sql} where starts_with(id, $1) group by 1", f"{stage.word}-")
    for name in asked:
        groups = answers[name]["result"]
        same(f"groups of {name}", sorted(groups), sorted(item["key"] for item in expected))
        for item in expected:
            same(f"{name} of group {item['key']} is", groups[item["key"]]["value"], item[name])
            same(f"rows of group {item['key']}:", groups[item["key"]]["count"], item["count"])


def cache(stage: Stage, shape: Shape, folder: Path) -> None:
    """Read through a cache in Redis: a miss reads the table and fills it, a hit does not look at the table."""
    client, url = redis_of(stage.context)
    look = redis_look(client)
    look()
    space, name = f"{stage.context.prefix}:{stage.word}", f"cache:{shape.name}"
    rows = rows_of(shape, stage.word)
    stage.put(shape, rows)
    one = {"id": row_id(stage.word, 5)}
    through = {"backend": "redis", "redis_url": url, "namespace": space, "key": name}
    nodes: list[Node] = [
        ("get", "CacheNode", through | {"operation": "get"}),
        ("hit", "SwitchNode", {"condition_field": "hit", "operator": "==", "value": True}),
        lister(shape, stage.word, filter=one),
        ("fill", "CacheNode", through | {"operation": "set", "ttl": 300}),
    ]
    links = [("get", "hit", "hit", "input_data"), ("hit", "false_output", "list", "_missed")]
    links += [("list", "records", "fill", "value")]
    stage.looks.append(look)
    try:
        first = stage.execute(nodes, links, branches=True)
        same("the first read is a hit:", first["get"]["hit"], False)
        must(lists(shape, first["list"], [rows[5]]))
        stored = client.get(f"{space}:{name}")
        must(lists(shape, {"records": json.loads(stored or "[]")}, [rows[5]]))
        same("the key in Redis expires:", 0 < client.ttl(f"{space}:{name}") <= 300, True)
        changed = rows[5] | {shape.number: 77}
        stage.put(shape, [changed])
        second = stage.execute(nodes, links, branches=True)
        same("the second read is a hit:", second["get"]["hit"], True)
        same("nodes behind the cache that ran:", sorted(set(second) & {"list", "fill"} - silent(second)), [])
        must(lists(shape, {"records": second["get"]["value"]}, [rows[5]]))
        stage.execute([("drop", "CacheNode", through | {"operation": "delete"})])
        same("keys after the cache was emptied:", client.exists(f"{space}:{name}"), 0)
        third = stage.execute(nodes, links, branches=True)
        must(lists(shape, third["list"], [changed]))
        client.delete(f"{space}:{name}")
    finally:
        stage.looks.remove(look)
        client.close()


def silent(answers: Mapping[str, Any]) -> set[str]:
    """Return nodes that were left out of a run."""
    return {key for key, answer in answers.items() if answer is None}


def redis_of(context: Context) -> tuple[Any, str]:
    """Return a client that does not try again, and the URL for nodes, with time-outs."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    url = with_options(context.settings["REDIS_URL"], socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)
    return redis.Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 0)), url


def redis_look(client: Any) -> Callable[[], None]:
    """Return what raises when Redis does not answer."""
    import redis

    def look() -> None:
        try:
            client.ping()
        except redis.RedisError as error:
            raise AwayError("redis", str(error)) from error

    return look


CAPABILITIES: dict[str, Callable[[Stage, Shape, Path], None]] = {
    "crud": crud,
    "search": search,
    "analytics": analytics,
    "export": export,
    "import": import_,
    "validate": validate,
    "transform": transform,
    "aggregate": aggregate,
    "cache": cache,
}
