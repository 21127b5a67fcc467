"""The compatibility matrix, and what it says about a stack."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ready.common.labels import LABEL_DATA_FORMAT, LABEL_ENGINE, LABEL_SOURCE
from ready.docker.state import absent_state
from ready.stack.definitions import load_definitions, resolve_stack
from ready.stack.schema import faults
from ready.upgrades import compatibility

from tests.unit.conftest import VARIABLES

MATRIX = compatibility.load()
RUNNING = {"postgresql": "15.20", "neo4j": "5.12.0", "chromadb": "1.5.9", "redis": "7.0.15"}


def stack_of(**variables: Any) -> dict[str, Any]:
    """Return the stack for the default variables and these."""
    return resolve_stack(load_definitions(), VARIABLES | variables)


def state_of(stack: dict[str, Any], **versions: str) -> dict[str, Any]:
    """Return the state of a running stack whose data were made by these engine versions."""
    state = absent_state(stack["services"].values(), "")
    for name, version in (RUNNING | versions).items():
        image = load_definitions()[name]["image"]
        line = compatibility.line_of(version, MATRIX["lines"][name])
        formats = image["data_format"] if line == image["version"] else image["lines"][line]["data_format"]
        state["services"][name].update(exists=True, ours=True, running=True, status="running", image={"id": "old"})
        for volume in stack["services"][name]["volumes"]:
            labels = {LABEL_ENGINE: version, LABEL_DATA_FORMAT: formats["build"], LABEL_SOURCE: "build"}
            state["volumes"][volume["name"]].update(exists=True, ours=True, labels=labels)
    return state


def decided(service: str, image: dict[str, Any] | None = None, **wanted: Any) -> compatibility.Move:
    """Return the decision about a service; `wanted` may hold `<service>_version` and `found`."""
    found = wanted.pop("found", RUNNING[service])
    stack = stack_of(**wanted)
    return compatibility.decide(stack["services"][service], state_of(stack, **{service: found}), MATRIX, image)


def test_matrix_fits_its_schema() -> None:
    """Every key is known, and what is refused says why."""
    assert faults(MATRIX, "compatibility.schema.json") == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"how": "refuse"}, "why"),
        ({"rollback": ...}, "rollback"),
        ({"how": "hope"}, "how: found"),
        ({"id": "A b"}, "id"),
    ],
)
def test_a_wrong_row_is_found(change: dict[str, Any], expected: str) -> None:
    """A row that says too little or too much is named."""
    matrix = copy.deepcopy(MATRIX)
    row = matrix["rows"][0]
    row.update({key: value for key, value in change.items() if value is not ...})
    for key in [key for key, value in change.items() if value is ...]:
        del row[key]
    assert expected in "; ".join(faults(matrix, "compatibility.schema.json"))


def test_matrix_and_definitions_know_the_same_lines() -> None:
    """Each line that an inventory may name is in the matrix, with a row that stays within it; and no other is."""
    for name, definition in load_definitions().items():
        image = definition["image"]
        assert set(MATRIX["lines"][name]) == {image["version"], *image.get("lines", {})}
    for name, lines in MATRIX["lines"].items():
        for line in lines:
            assert compatibility.find_row(MATRIX, name, line, line, same_format=True)
    assert len({row["id"] for row in MATRIX["rows"]}) == len(MATRIX["rows"])


@pytest.mark.parametrize(
    ("version", "line"),
    [("15.20", "15"), ("15", "15"), ("150.1", "150.1"), ("5.12.0", "5.12"), ("5.120.0", "5.120.0"), ("1.5.9", "1.5.9")],
)
def test_line_of(version: str, line: str) -> None:
    """A line is whole numbers of a version, not a part of its text."""
    assert compatibility.line_of(version, ["15", "5.12", "1.5.9"]) == line


def test_nothing_is_moved_without_being_asked_for() -> None:
    """The default stack on its own data: nothing to do."""
    stack = stack_of()
    moves = compatibility.moves(stack, state_of(stack), MATRIX)
    assert {move["action"] for move in moves} == {"none"}


@pytest.mark.parametrize(
    ("service", "version", "how", "rollback"),
    [
        ("postgresql", "17", "dump_restore", "copy"),
        ("neo4j", "5.26", "migrate_forward", "copy"),
        ("redis", "8", "migrate_forward", "copy"),
    ],
)
def test_moves_that_are_allowed(service: str, version: str, how: str, rollback: str) -> None:
    """Each by its row."""
    wanted: dict[str, Any] = {f"{service}_version": version}
    move = decided(service, **wanted)
    assert (move.action, move.how, move.rollback) == ("upgrade", how, rollback)


def test_redis_goes_by_its_rdb_version() -> None:
    """Upstream's 7.4 writes what 8.0 writes: the same data under another image, and back."""
    stack = stack_of(redis_version="8")
    state = state_of(stack)
    state["volumes"]["ready_redis_data"]["labels"] |= {LABEL_DATA_FORMAT: "rdb-12", LABEL_ENGINE: "7.4.2"}
    move = compatibility.decide(stack["services"]["redis"], state, MATRIX)
    assert (move.row, move.how) == ("redis-7-8-same", "swap")


@pytest.mark.parametrize(
    ("service", "found", "row"),
    [
        ("postgresql", "17.12", "row postgresql-17-15"),
        ("neo4j", "5.26.30", "row neo4j-5.26-5.12"),
        ("redis", "8.0.2", "row redis-8-7"),
    ],
)
def test_downgrades_are_refused_by_their_row(service: str, found: str, row: str) -> None:
    """The data are of a newer line than the one that is wanted."""
    move = decided(service, found=found)
    assert move.action == "refuse"
    assert row in move.reason


def test_a_jump_without_a_row_is_refused() -> None:
    """What the matrix does not know is not tried."""
    stack = stack_of()
    state = state_of(stack)
    state["volumes"]["ready_postgres_data"]["labels"][LABEL_ENGINE] = "9.6.24"
    move = compatibility.decide(stack["services"]["postgresql"], state, MATRIX)
    assert move.action == "refuse"
    assert "goes from 9.6.24 to 15" in move.reason


def test_within_a_line_the_image_decides() -> None:
    """Another image of the line is a swap, the same one nothing, an older one refused."""
    newer = {"id": "new", "engine_version": "15.21", "data_format": "15-glibc"}
    assert decided("postgresql", newer).how == "swap"
    assert decided("postgresql", newer | {"id": "old"}).action == "none"
    older = decided("postgresql", newer | {"engine_version": "15.9"})
    assert older.action == "refuse"
    assert "15.9, older than the data" in older.reason


def test_only_a_running_service_is_moved() -> None:
    """What is stopped can't be asked what it holds."""
    stack = stack_of(redis_version="8")
    state = state_of(stack)
    state["services"]["redis"].update(running=False, status="exited")
    assert "is exited" in compatibility.decide(stack["services"]["redis"], state, MATRIX).reason


def test_a_service_that_is_not_there() -> None:
    """Nothing to move; one that the stack does not have is an error."""
    stack = stack_of(redis_version="8")
    state = absent_state(stack["services"].values(), "")
    assert compatibility.decide(stack["services"]["redis"], state, MATRIX).action == "none"
    moves = compatibility.moves(stack, state, MATRIX, only=["reddis"])
    assert "the stack has no such service" in compatibility.refusals("h", moves)


def test_preflight() -> None:
    """It names what waits, what is refused, and what was interrupted."""
    stack = stack_of(redis_version="8")
    state = state_of(stack)
    waiting = compatibility.check(stack, state, MATRIX)
    assert (waiting.verdict, waiting.next) == ("pass", "./ready upgrade")
    assert "redis keeps 7.0.15, 8 is wanted" in waiting.found
    refused = compatibility.check(stack_of(), state_of(stack, redis="8.0.2"), MATRIX)
    assert refused.verdict == "fail"
    assert "row redis-8-7" in refused.next
    state["services"]["redis"].update(running=False, status="exited")
    assert compatibility.check(stack, state, MATRIX).verdict == "pass"
    interrupted = {"service": "redis", "move": {"wanted": "8"}}
    broken = compatibility.check(stack, state | {"upgrade": interrupted}, MATRIX)
    assert broken.verdict == "fail"
    assert "./ready upgrade" in broken.next
    assert compatibility.check(stack, {}, MATRIX).verdict == "pass"


def test_version_rows() -> None:
    """What runs, what is locked and wanted, where one may go, and what nobody maintains any more."""
    stack = stack_of(redis_version="8")
    lock = {"redis": {"tag": "8.0-alpine", "digest": "sha256:" + "a" * 64}}
    rows = {
        row["service"]: row for row in compatibility.version_rows(stack, state_of(stack), lock, MATRIX, "2026-11-24")
    }
    assert rows["redis"] == {
        "service": "redis",
        "running": "7.0.15",
        "image": "-",
        "locked": "8.0-alpine sha256:aaaaaaaaaaaa",
        "wanted": "8",
        "next": "./ready upgrade",
        "available": "8 (swap or migrate_forward)",
        "eol": "2028-06",
    }
    assert rows["neo4j"]["eol"] == "2023-10 (over)"
    assert rows["chromadb"]["eol"] == "not stated"
    assert rows["chromadb"]["available"] == "-"


@pytest.mark.parametrize(
    ("eol", "source", "told"),
    [
        ("2028-06", "registry", "2028-06"),
        ("2023-10", "build", "2023-10 (over)"),
        (None, "build", "not stated"),
        ({"build": "2028-06", "registry": None}, "build", "2028-06"),
        ({"build": "2028-06", "registry": None}, "registry", "not stated"),
        ({"build": "2028-06", "registry": "2026-05"}, "", "build: 2028-06, registry: 2026-05 (over)"),
        ({"build": "2028-06", "registry": "2027-05"}, "archive", "build: 2028-06, registry: 2027-05"),
    ],
)
def test_end_of_life(eol: Any, source: str, told: str) -> None:
    """By the source that the data name; each, where they name none or one that nothing is known of."""
    assert compatibility.end_of_life({"eol": eol}, source, "2026-11-24") == told
    assert compatibility.end_of_life({}, source, "2026-11-24") == "not stated"


def test_every_end_of_life_has_a_source() -> None:
    """A date without somebody who says so is a guess."""
    for lines in MATRIX["lines"].values():
        for line in lines.values():
            eol = line["eol"]
            dates = [item for item in (eol.values() if isinstance(eol, dict) else [eol]) if item]
            assert not dates or "https://" in line["source"]
