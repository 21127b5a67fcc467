"""`./ready test-app` on a stack, with every fault; `molecule test_app` has the tests that are as they should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import pytest
from ready.evidence import document as evidence

from tests.names import ROOT, own
from tests.system.conftest import DEAD_PROXY, QUICK, Ready, own_stack

NAME = own("sys-testapp")
FAULTY = ROOT / "tests" / "fixtures" / "faulty"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that is up."""
    with own_stack(tmp_path_factory.mktemp("testapp"), NAME, ["postgresql", "redis"], QUICK) as ready:
        ready.set(ready_evidence_dir=str(ready.directory / "evidence"))
        ready.run("up")
        yield ready


def examined(ready: Ready, code: int, *words: str, **application: Any) -> tuple[Any, str]:
    """Test the application; return its evidence and what was printed."""
    ready.set(application={"path": str(FAULTY)} | application)
    result = ready.run("test-app", *words, code=code)
    found = evidence.read_all(ready.directory / "evidence", NAME)
    assert not found.faults
    client = docker.from_env()
    assert not client.containers.list(all=True, filters={"label": [f"io.ready.stack={NAME}", "io.ready.job"]})
    return found.hosts["localhost"]["test_app"].evidence, result.text


def test_faulty_ones(up: Ready) -> None:
    """Each fault is counted with its reason, what comes after it is executed, and no password is shown."""
    kept, said = examined(up, 2, "--timeout", "5", tests="tests", command=["pytest", "-m", "not slow"])
    results = kept["results"]
    assert kept["verdict"] == "fail"
    assert results["discovered"] == results["executed"] + results["skipped"] + results["deselected"] + sum(
        its["tests"] for its in results["reasons"]
    )
    by = {its["test"].removeprefix("tests/"): (its["reason"], its["tests"]) for its in results["tests"]}
    assert by["test_import.py"] == ("import_error", 3)
    assert by["test_syntax.py"] == ("collection_error", 2)
    assert by["test_windows.py"] == ("windows_only_import", 1)
    assert by["test_hang.py::test_hangs"] == by["test_hang.py::test_hangs_for_good"] == ("timeout", 1)
    assert by["test_crash.py::test_exits"] == by["test_crash.py::test_is_killed"] == ("crash", 1)
    assert by["test_failing.py::test_needs_fixture"] == ("fixture_error", 1)
    assert by["test_elsewhere.py::test_no_such_database"] == ("service_missing", 1)
    assert by["test_elsewhere.py::test_may_not"] == ("service_denied", 1)
    assert not {name for name in by if "after_the" in name or "numbers" in name}  # they have passed
    assert results["failed"] == 1
    assert results["windows"]["unix_only_imports"] == 2
    assert results["stores"]["redis"]["outside"] == ["database 5 (0 before, 1 after)"]
    assert any("faulty_left" in name for name in results["stores"]["postgresql"]["left"])
    for password in (*up.stack.passwords("postgresql").values(), *up.stack.passwords("redis").values()):
        assert password[:8] not in said + str(kept)
        assert password[-8:] not in said + str(kept)


def test_a_service_is_down(up: Ready) -> None:
    """Its tests are not executable, and the message names it; the others are executed."""
    container = docker.from_env().containers.get(f"{NAME}-redis")
    container.stop()
    try:
        kept, _ = examined(up, 2, tests="tests/test_good.py")
    finally:
        container.start()
    by = {its["test"].partition("::")[2]: its for its in kept["results"]["tests"]}
    assert by["test_cache"]["reason"] == "service_missing"
    assert by["test_cache"]["detail"].startswith("Redis: ")
    assert kept["results"]["passed"] == 22
    assert not kept["results"]["stores"]["redis"]["compared"]


def test_the_index_is_down(up: Ready) -> None:
    """The message says so, and no image is left."""
    up.set(application={"path": str(FAULTY), "requirements": ["tomli-w==1.2.0"]})
    up.environment |= DEAD_PROXY
    try:
        result = up.run("test-app", code=2)
    finally:
        for name in DEAD_PROXY:
            del up.environment[name]
    assert "package index not reachable" in result.text or "check that host's network" in result.text
    client = docker.from_env()
    assert not client.images.list(all=True, filters={"dangling": True, "label": "io.ready.stage=testapp"})


def test_refused(up: Ready) -> None:
    """Nothing is run for what can't be tested."""
    up.set(application={"path": str(FAULTY), "python": "3.12"})
    assert "found 3.12, expected 3.11" in up.run("test-app", code=2).text


def test_the_example(up: Ready) -> None:
    """Its unit tests, those of its governed nodes among them, all pass on the released SDK."""
    kept, _ = examined(up, 0, path=str(ROOT / "examples" / "catalogue"), tests="tests/unit")
    results = kept["results"]
    assert kept["verdict"] == "pass"
    assert results["executed"] == results["passed"] == results["discovered"] > 200
