"""Every test that an application has is counted once, with the reason why it was not executed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ready.applications.job_settings import JobSettings
from ready.common.check_result import CheckResult
from ready.common.verdict import FAIL, PASS, UNKNOWN
from ready.stack.schema import SCHEMAS
from ready.testapp import reasons
from ready.testapp.changes import compare
from ready.testapp.judging import judge, source_changed
from ready.testapp.reasons import TITLES, classify
from ready.testapp.records import ORDER, Record, Suite, lines_of, suite
from ready.testapp.running import Request, clean, fragments_of, job, without

SESSION = {"e": "session", "args": ["."], "python_files": ["test_*.py"], "pytest": "9.0"}
TRACEBACK = "Traceback (most recent call last):\n  File x"
SEEN: dict[str, Any] = {"own": {}, "outside": {}}


def link(type_: str, message: str = "", module: str = "builtins", **other: Any) -> dict[str, Any]:
    """Return an exception as the plugin writes it."""
    return {"type": type_, "module": module, "message": message, "name": None, "caused": True, **other}


@pytest.mark.parametrize(
    ("chain", "phase", "reason", "said"),
    [
        ([link("CollectError"), link("ModuleNotFoundError", "No module named 'x'", name="x")], "collect",
         reasons.IMPORT, "No module named 'x'"),
        ([link("CollectError"), link("ImportError", "cannot import name 'a'", name="b")], "collect",
         reasons.IMPORT, "'a'"),
        ([link("ModuleNotFoundError", "No module", name="winreg")], "collect", reasons.WINDOWS_ONLY, "winreg"),
        ([link("ModuleNotFoundError", "No module", name="fcntl")], "collect", reasons.UNIX_ONLY, "fcntl"),
        ([link("CollectError"), link("SyntaxError", "invalid syntax")], "collect", reasons.COLLECTION, "SyntaxError"),
        ([link("ValueError", "no")], "setup", reasons.FIXTURE, "ValueError: no"),
        ([link("FixtureLookupError", "('shop', <…>)")], "setup", reasons.FIXTURE, "there is no fixture shop"),
        ([link("ConnectionError", "Error 111 connecting to a:1. Connection refused.", "redis.exceptions")], "call",
         reasons.SERVICE, "Redis: "),
        ([link("OperationalError", "connection to server at x failed", "psycopg2")], "setup", reasons.SERVICE,
         "PostgreSQL: "),
        ([link("RuntimeError", "no db"), link("ConnectionRefusedError", "[Errno 111] ('10.0.0.1', 7687)")], "call",
         reasons.SERVICE, "Neo4j: "),
        ([link("OperationalError", 'password authentication failed for user "x"', "psycopg")], "call", reasons.DENIED,
         "PostgreSQL: "),
        ([link("NoPermissionError", "NOPERM this user has no permissions to run", "redis")], "call",
         reasons.DENIED, "Redis: "),
        ([link("_StringException", f"{TRACEBACK}\nModuleNotFoundError: No module named 'x'")], "call",
         reasons.IMPORT, "'x'"),
        ([link("Failed", "Timeout (>3.0s) from pytest-timeout.")], "call", reasons.TIMEOUT, "3.0"),
    ],
)  # fmt: skip
def test_reasons(chain: list[dict[str, Any]], phase: str, reason: str, said: str) -> None:
    """An exception, or one that it came from, says why."""
    why = classify(chain, "", phase)
    assert why
    assert why.reason == reason
    assert said in why.detail


@pytest.mark.parametrize(
    "chain",
    [
        [link("AssertionError", "assert 'Connection refused' in ''")],
        [link("AssertionError", "no"), link("ConnectionRefusedError", "")],
        [link("KeyError", "'x'"), link("ModuleNotFoundError", "hiredis", name="hiredis", caused=False)],
    ],
)
def test_a_test_that_fails_has_failed(chain: list[dict[str, Any]]) -> None:
    """What a test asserts is its own; an import that was tried before does not count."""
    assert classify(chain, "", "call") is None


def test_reason_from_text_alone() -> None:
    """Another process's report has no exception, only what pytest printed."""
    text = "tests/x.py:3: in f\nE   ModuleNotFoundError: No module named 'shop'\n"
    assert classify([], text, "collect") == (reasons.IMPORT, "No module named 'shop'")
    assert classify([], "something\nelse\n", "setup") == (reasons.FIXTURE, "else")


def phases(name: str, *outcomes: tuple[str, str], **of_call: Any) -> list[dict[str, Any]]:
    """Return the events of a test."""
    return [
        {"e": "start", "id": name},
        *(
            {"e": "phase", "id": name, "when": when, "outcome": outcome, "seconds": 0.5}
            | (of_call if when == "call" or len(outcomes) == 1 else {})
            for when, outcome in outcomes
        ),
        {"e": "end", "id": name},
    ]


GOOD = (("setup", "passed"), ("call", "passed"), ("teardown", "passed"))


def items(*names: str) -> dict[str, Any]:
    """Return the event of a collection."""
    return {"e": "items", "items": [[name, name.partition("::")[0]] for name in names]}


def outcomes(found: Suite) -> dict[str, tuple[str, str, int]]:
    """Return outcome, reason and number by test."""
    return {record.id: (record.outcome, record.reason, record.tests) for record in found.records}


@pytest.mark.parametrize(
    ("ended", "of_call", "outcome"),
    [
        (GOOD, {}, "passed"),
        (GOOD, {"xfail": "known"}, "xpassed"),
        ((("setup", "passed"), ("call", "skipped")), {"xfail": "known", "chain": [link("KeyError")]}, "xfailed"),
        ((("setup", "passed"), ("call", "skipped")), {"text": "no"}, "skipped"),
        ((("setup", "skipped"),), {"text": "no"}, "skipped"),
        ((("setup", "passed"), ("call", "failed")), {"chain": [link("KeyError")]}, "failed"),
        ((("setup", "passed"), ("call", "passed"), ("teardown", "failed")), {}, "failed"),
        ((("setup", "failed"),), {"chain": [link("KeyError")]}, "not_executable"),
        ((("setup", "passed"), ("call", "failed")), {"chain": [link("gaierror", "x")]}, "not_executable"),
        ((("setup", "passed"), ("teardown", "passed")), {}, "not_executable"),
    ],
)
def test_phases(ended: Any, of_call: dict[str, Any], outcome: str) -> None:
    """What became of a test follows from its phases; one without an end was not executed."""
    found = suite([SESSION, items("test_a.py::t"), *phases("test_a.py::t", *ended, **of_call)], {}, "")
    assert [record.outcome for record in found.records] == [outcome]


def test_nothing_is_hidden() -> None:
    """Files that can't be collected, that nobody looked at, tests that were left out or never reached: all count."""
    files = {"test_a.py": 3, "test_b.py": 4, "test_c.py": 0, "test_d.py": 2, "test_e.py": 5, "helper.py": 9,
             "build/test_f.py": 1, "test_g.py": 2}  # fmt: skip
    events: list[dict[str, Any]] = [
        SESSION,
        *({"e": "collecting", "file": f"test_{letter}.py"} for letter in "abcdg"),
        {"e": "collect_failed", "file": "test_b.py", "chain": [link("SyntaxError", "bad")], "text": ""},
        {"e": "collect_failed", "file": "test_c.py", "chain": [link("KeyError", "bad")], "text": ""},
        {"e": "collect_skipped", "file": "test_d.py", "text": "could not import 'redis'"},
        items("test_a.py::one", "test_a.py::two", "test_a.py::three", "test_g.py::one"),
        {"e": "collect_failed", "file": "test_g.py", "chain": [link("KeyError", "of a class")], "text": ""},
        {"e": "deselected", "ids": ["test_a.py::two"]},
        *phases("test_a.py::one", *GOOD),
    ]
    found = suite(events, files, "")
    assert outcomes(found) == {
        "test_a.py::one": ("passed", "", 1),
        "test_a.py::two": ("deselected", "", 1),
        "test_a.py::three": ("not_executable", "not_reached", 1),
        "test_b.py": ("not_executable", "collection_error", 4),
        "test_c.py": ("not_executable", "collection_error", 1),
        "test_d.py": ("skipped", "", 2),
        "test_e.py": ("not_executable", "not_collected", 5),
        "test_g.py": ("not_executable", "collection_error", 1),
        "test_g.py::one": ("not_executable", "not_reached", 1),
    }


def test_a_place_that_is_named_counts() -> None:
    """With `tests` every file there counts, though the command names one; without it what pytest was asked for does."""
    files = {"tests/test_a.py": 1, "tests/test_b.py": 1, "other/test_c.py": 1}
    events: list[dict[str, Any]] = [
        SESSION | {"args": ["tests/test_a.py"]},
        {"e": "collecting", "file": "tests/test_a.py"},
        items("tests/test_a.py::t"),
        *phases("tests/test_a.py::t", *GOOD),
    ]
    assert set(outcomes(suite(events, files, ""))) == {"tests/test_a.py::t"}
    assert set(outcomes(suite(events, files, "tests"))) == {"tests/test_a.py::t", "tests/test_b.py"}
    events[0] = events[0] | {"python_files": ["test_a.py"]}  # nor does a setting hide one
    assert set(outcomes(suite(events, files, "tests"))) == {"tests/test_a.py::t", "tests/test_b.py"}


def test_no_pytest_and_no_collection() -> None:
    """A command that runs no pytest, and a conftest that can't be imported, leave all tests not executed."""
    files = {"test_a.py": 3}
    assert outcomes(suite([], files, "")) == {"test_a.py": ("not_executable", "no_pytest", 3)}
    found = suite([SESSION, {"e": "exit", "status": 4}], files, "", "ImportError: conftest")
    assert outcomes(found) == {"test_a.py": ("not_executable", "collection_error", 3)}
    assert found.records[0].detail == "ImportError: conftest"


def test_the_worse_of_several_runs() -> None:
    """A test that two pytests run counts once; skipped in one and passed in the other it was executed."""
    events = [
        SESSION,
        *phases("a.py::t", ("setup", "skipped")),
        *phases("a.py::u", *GOOD),
        SESSION,
        *phases("a.py::t", *GOOD),
        *phases("a.py::u", ("setup", "passed"), ("call", "failed")),
    ]
    assert outcomes(suite(events, {}, "")) == {"a.py::t": ("passed", "", 1), "a.py::u": ("failed", "", 1)}


def test_a_test_that_is_run_again() -> None:
    """As by pytest-rerunfailures: the last time counts."""
    first = phases("a.py::t", ("setup", "passed"), ("call", "rerun"), ("teardown", "passed"))
    assert outcomes(suite([SESSION, *first, *phases("a.py::t", *GOOD)], {}, "")) == {"a.py::t": ("passed", "", 1)}
    again = phases("a.py::t", ("setup", "passed"), ("call", "failed"))
    assert outcomes(suite([SESSION, *first, *again], {}, "")) == {"a.py::t": ("failed", "", 1)}


def test_blame_and_broken_lines() -> None:
    """A test or file that ended pytest, or hung, is named; a line at which it was killed is no event."""
    content = b"\n".join(
        json.dumps(event).encode()
        for event in [
            SESSION,
            items("test_a.py::t"),
            {"e": "start", "id": "test_a.py::t"},
            {"e": "blamed", "kind": "test", "what": "test_a.py::t", "why": "crash", "code": -11, "seconds": 1.0},
            {"e": "blamed", "kind": "file", "what": "test_b.py", "why": "timeout", "code": None, "seconds": 9.0},
        ]
    )
    found = suite(lines_of(content + b'\n{"e": "phase", "id"'), {"test_b.py": 2}, "")
    assert outcomes(found) == {
        "test_a.py::t": ("not_executable", "crash", 1),
        "test_b.py": ("not_executable", "timeout", 2),
    }
    assert "by signal 11" in found.records[0].detail


def judged(records: list[Record], seen: dict[str, Any] | None = None, **run: Any) -> CheckResult:
    """Judge records, with stores that did not change unless the test says otherwise."""
    said = {"exit_code": 0, "timed_out": False, "oom_killed": False, "seconds": 3.0} | run.pop("outcome", {})
    result = {"codes": [0], "restarts": 0, "timed_out": False, "python": "3.11.2", "before": {"redis": SEEN}}
    result |= {"after": {"redis": seen or SEEN}} | run.pop("result", {})
    about = {
        "application": {"name": "shop", "command": ["pytest"], "packages": 0, "image": "sha256:0"},
        "source": {"files": 1, "bytes": 1, "sha256": "0" * 64, "left_out": [], "unchanged": True},
    }
    ran = {**about, "result": result, "outcome": said, "stores": ["redis"], "deadline": 60.0}
    part = judge(ran, Suite(records, 1, [0], "9.0"), "here")
    schema = json.loads((SCHEMAS / "evidence" / "test_app.schema.json").read_text())["properties"]["results"]
    assert [error.message for error in Draft202012Validator(schema).iter_errors(part.results)] == []
    return part


def many(outcome: str, number: int, **other: Any) -> list[Record]:
    """Return as many records."""
    return [Record(f"a.py::{outcome}{other.get('reason', '')}{at}", outcome, **other) for at in range(number)]


def test_the_rule() -> None:
    """95 % are enough, less is not, and 94.999 % is less; skipped and left out ones were not executed."""
    assert judged(many("passed", 95) + many("skipped", 5)).verdict == PASS
    assert judged(many("passed", 94) + many("skipped", 6)).verdict == FAIL
    assert judged(many("passed", 95) + many("deselected", 5)).verdict == PASS
    assert judged(many("passed", 94) + many("deselected", 6)).verdict == FAIL
    part = judged(many("passed", 99_999) + many("skipped", 5264))
    assert part.results["executed_percent"] == 94.99
    assert part.verdict == FAIL
    assert judged(many("passed", 90) + many("xfailed", 5) + many("skipped", 5)).verdict == PASS


def test_what_fails() -> None:
    """No test at all, one that failed, one that could not be completed: none of it passes."""
    assert judged([]).results["faults"] == ["found no test, expected at least one"]
    assert judged([]).verdict == FAIL
    assert judged(many("passed", 999) + many("failed", 1)).verdict == FAIL
    hung = many("not_executable", 1, reason="timeout", body=True)
    assert judged(many("passed", 999) + hung).verdict == FAIL
    broken = many("not_executable", 1, reason="fixture_error")
    assert judged(many("passed", 999) + broken).verdict == PASS  # the ADR's rule allows one in twenty
    assert judged(many("passed", 9), outcome={"oom_killed": True}).verdict == FAIL
    assert judged(many("passed", 9), result={"timed_out": True}).verdict == FAIL
    assert judged(many("passed", 9), result={"codes": []}).verdict == FAIL
    assert judged(many("passed", 9), result={"codes": [9]}).results["faults"] == [
        "the command ended with exit code 9, though no test failed"
    ]
    assert judged(many("passed", 9), result={"codes": [-11]}).verdict == FAIL
    assert judged(many("passed", 999) + broken, result={"codes": [1]}).verdict == PASS
    assert judged(many("xfailed", 9)).results["faults"] == ["found no test that passed, expected at least one"]
    done = {"results": judged(many("passed", 9)).results, "verdict": PASS}
    source_changed(done)
    assert done["verdict"] == FAIL


def test_counts_add_up() -> None:
    """All outcomes together are what was discovered, and every reason has its title."""
    records = [Record(f"a::{at}", outcome, tests=at + 1, reason="crash") for at, outcome in enumerate(ORDER)]
    results = judged(records).results
    assert results["discovered"] == sum(range(1, len(ORDER) + 1)) == sum(results[outcome] for outcome in ORDER)
    schema = json.loads((SCHEMAS / "evidence" / "test_app.schema.json").read_text())["properties"]["results"]
    words = schema["properties"]["reasons"]["items"]["properties"]["reason"]["enum"]
    assert set(words) == {"", *TITLES}
    assert set(schema["properties"]["tests"]["items"]["properties"]["outcome"]["enum"]) == set(ORDER)


def test_many_are_counted_though_not_named() -> None:
    """The evidence names five hundred, and says how many more there are."""
    results = judged(many("failed", 700)).results
    assert (len(results["tests"]), results["tests_left_out"], results["failed"]) == (500, 200, 700)


def test_stores() -> None:
    """What is new in the own database is shown; what changed elsewhere fails; what was not seen is unknown."""
    good = many("passed", 9)
    left = judged(good, {"own": {"key a": None, "database 0": 1}, "outside": {}})
    assert left.verdict == PASS
    assert left.results["stores"]["redis"]["left"] == ["database 0 (0 before, 1 after)", "key a"]
    outside = judged(good, {"own": {}, "outside": {"database 5": 1}})
    assert outside.verdict == FAIL
    assert outside.results["stores"]["redis"]["outside"] == ["database 5 (0 before, 1 after)"]
    unseen = judged(good, {"fault": "ConnectionError"})
    assert unseen.verdict == UNKNOWN
    assert "after the tests: ConnectionError" in unseen.results["stores"]["redis"]["why"]
    assert judged(good, result={"after": {"fault": "no answer within 90 s"}}).verdict == UNKNOWN


def test_gone() -> None:
    """A table that is gone, or nodes that are fewer, were somebody's; Redis' keys end by themselves."""
    before: dict[str, Any] = {"postgresql": {"own": {"app: public.t": None}, "outside": {}}}
    before |= {"neo4j": {"own": {"nodes": 5}, "outside": {}}, "redis": {"own": {"key a": None}, "outside": {}}}
    before["redis"]["outside"] = {"database 5": 2}
    after = {"postgresql": SEEN, "neo4j": {"own": {"nodes": 3}, "outside": {}}, "redis": SEEN}
    found = compare(before, after, before)
    assert found["postgresql"]["gone"] == ["app: public.t"]
    assert found["neo4j"]["gone"] == ["nodes (5 before, 3 after)"]
    assert (found["redis"]["gone"], found["redis"]["outside"]) == ([], [])
    taken = compare({"chromadb": {"own": {}, "outside": {"database a": None}}}, {"chromadb": SEEN}, ["chromadb"])
    assert taken["chromadb"]["outside"] == ["database a"]


def test_parts_of_secrets_are_hidden() -> None:
    """Pytest shortens what it compares in the middle of a password: what is left of it is hidden as well."""
    secret = "q7Zk2mNp9XwR4tVb"
    parts = fragments_of([secret, "a/b+c=d&e"])
    assert without("assert 'postgresql:/...R4tVb@host' == ''", parts) == "assert 'postgresql:/...R4tVb@host' == ''"
    assert without("assert 'postgresql:/...9XwR4tVb@host'", parts) == "assert 'postgresql:/...***@host'"
    assert clean({"a": [f"x{secret}y", "a%2Fb%2Bc%3Dd"], "n": 1}, parts) == {"a": ["x***y", "***"], "n": 1}
    assert without("", parts) == ""


def test_no_secret_where_others_see_it() -> None:
    """Command and environment are what `docker inspect` shows; the settings are in a file for the tests' user alone."""
    its = JobSettings(
        {"DATABASE_URL": "postgresql://app:q7Zk2mNp9XwR@db/app"}, {"redis.crt": (0o444, b"PEM")}, frozenset()
    )
    request = Request("s", "s", "sha256:0", b"", {"a.py": ""}, its, ["pytest"], "", 60, 600, 2**30, [], {})
    made = job(request)
    assert "q7Zk2mNp9XwR" not in str([made.command, made.environment, made.workdir, made.network])
    mode, content = made.files["job.json"]
    assert mode == 0o400
    assert "q7Zk2mNp9XwR" in str(content)
    assert made.deadline > 600
