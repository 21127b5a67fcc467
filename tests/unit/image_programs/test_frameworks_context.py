"""What every part of the frameworks' run is given, and the processes that they run in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ready_frameworks import __main__ as run_of
from ready_frameworks import apart as processes
from ready_frameworks.apart import apart, checked
from ready_frameworks.context import Context, finding, part, worst
from ready_frameworks.core import failure

SETTINGS = {
    "DATABASE_URL": "postgresql://app:s3cret%2Fword@db:5432/x",
    "PGPASSWORD": "s3cret/word",
    "OPENAI_API_KEY": "key-123456",
    "REDIS_HOST": "redis",
}


def context(seconds: float = 60.0) -> Context:
    """Return a context."""
    return Context(SETTINGS, "ready_frameworks", "word", time.monotonic() + seconds)


def test_clean_hides_every_form_of_a_secret() -> None:
    """In a URL a password is quoted; a name of a host is none."""
    text = context().clean("a postgresql://app:s3cret%2Fword@db\n s3cret/word key-123456 redis")
    assert text == "a postgresql://app:[secret]@db [secret] [secret] redis"


def test_clean_is_short() -> None:
    """What a framework says may be pages."""
    assert len(context().clean("word " * 1000)) == 300


def test_label() -> None:
    """Neo4j's label is the prefix in camel case."""
    assert context().label == "ReadyFrameworks"


def test_worst() -> None:
    """What fails wins; without anything nothing is known."""
    assert worst(["pass", "insufficient_data", "fail"]) == "fail"
    assert worst(["pass", "insufficient_data"]) == "insufficient_data"
    assert worst([]) == "insufficient_data"


def test_part_says_what_does_not_pass() -> None:
    """Details of what passes are left out."""
    its = part([finding("a", "pass", "fine"), finding("b", "fail", "found x")], models=1)
    assert (its["verdict"], its["detail"], its["models"]) == ("fail", "found x", 1)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "without verdicts"),
        ({"verdict": "pass"}, "without verdicts"),
        ({"verdict": "pass", "findings": []}, "no finding"),
        ({"verdict": "pass", "findings": [{"verdict": "fine"}]}, "without verdicts"),
        ({"verdict": "ok", "findings": [{"verdict": "pass"}]}, "without verdicts"),
    ],
)
def test_a_result_of_another_form_is_a_fault(found: Any, why: str) -> None:
    """Nothing that is no verdict can be taken for one."""
    its = checked(context(), "core", found)
    assert its["verdict"] == "fail"
    assert why in its["detail"]


def test_a_part_is_no_better_than_its_findings() -> None:
    """Whatever it says of itself."""
    its = checked(context(), "core", {"verdict": "pass", "findings": [finding("a", "fail")]})
    assert its["verdict"] == "fail"


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return name -> function, which are the parts of this test."""
    made: dict[str, Any] = {}
    load = SimpleNamespace(import_module=lambda name: SimpleNamespace(run=made[name.rpartition(".")[2]]))
    monkeypatch.setattr(processes, "importlib", load)
    return made


def test_a_part_that_raises(parts: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    """Its reason is reported, without secrets; Docker keeps what it prints."""

    def bad(its: Context) -> dict[str, Any]:
        raise ValueError("no luck with key-123456")

    parts["bad"] = bad
    its = apart("bad", context(), 30)
    assert its["verdict"] == "fail"
    assert "ValueError: no luck with [secret]" in its["detail"]
    printed = "".join(capfd.readouterr())
    assert "key-123456" not in printed
    assert "ValueError: no luck with [secret]" in printed


def test_a_part_that_dies(parts: dict[str, Any]) -> None:
    """How its process ended is reported."""
    parts["bad"] = lambda its: os.kill(os.getpid(), signal.SIGKILL)
    its = apart("bad", context(), 30)
    assert its["verdict"] == "fail"
    assert f"signal {int(signal.SIGKILL)}" in its["detail"]


def test_a_part_that_hangs_goes_with_what_it_started(parts: dict[str, Any], tmp_path: Path) -> None:
    """The process that it has started ends with it."""
    note = tmp_path / "pid"

    def hang(its: Context) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        note.write_text(str(child.pid))
        time.sleep(600)

    parts["hang"] = hang
    its = apart("hang", context(), 3)
    assert its["verdict"] == "fail"
    assert "found no end after 3 s" in its["detail"]
    await_end(int(note.read_text()))


def test_a_result_counts_though_a_child_lives_on(parts: dict[str, Any]) -> None:
    """A process that was forked holds the pipe as well; the result is there when its line is."""

    def leave(its: Context) -> dict[str, Any]:
        if os.fork() == 0:
            time.sleep(600)
        return part([finding("a", "pass")])

    parts["leave"] = leave
    assert apart("leave", context(), 60)["verdict"] == "pass"


def test_what_a_part_leaves_running_goes_with_it(tmp_path: Path) -> None:
    """Also a process whose parent has ended, in a separate session: in a process that adopts such."""
    script = f"""
import os, subprocess, sys, time, types
from ready_frameworks import apart
from ready_frameworks.context import Context, finding, part
def leave(context):
    subprocess.Popen(["sh", "-c", "setsid sleep 600 & echo $! > {tmp_path}/pid"]).wait()
    return part([finding("a", "pass")])
apart.importlib = types.SimpleNamespace(import_module=lambda name: types.SimpleNamespace(run=leave))
apart.adopt()
print(apart.apart("leave", Context({{}}, "x", "w", time.monotonic() + 60), 60)["verdict"])
assert apart._family(os.getpid()) == set()
"""
    place = Path(processes.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(place)},
    )
    assert (done.returncode, done.stdout) == (0, "pass\n"), done.stderr
    await_end(int((tmp_path / "pid").read_text()))


def await_end(number: int) -> None:
    """Wait until a process is gone; whoever adopts it reaps it."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        state = Path(f"/proc/{number}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"the process {number} is still there")


class TestRun:
    """The order of a run, and what is left when it is ended."""

    def results(self, tmp_path: Path) -> run_of.Results:
        """Return results in a file of the test's own."""
        return run_of.Results(tmp_path / "results.json", context())

    def test_whole(self, tmp_path: Path) -> None:
        """It cleans before and after, and a part that fails does not keep the others."""
        order: list[str] = []

        def look(name: str, its: Context, seconds: float) -> dict[str, Any]:
            order.append(name)
            done = part([finding(name, "fail" if name == "core" else "pass")])
            return done | ({"removed": {"redis": len(order)}} if name == "clean" else {})

        results = self.results(tmp_path)
        assert run_of.run(context(), ["core", "nexus"], results, look) == 0
        assert order == ["clean", "core", "nexus", "clean"]
        written = json.loads(results.path.read_text())
        assert {name: its["verdict"] for name, its in written.items()} == {
            "core": "fail",
            "nexus": "pass",
            "cleanup": "pass",
        }
        assert (written["cleanup"]["before"], written["cleanup"]["removed"]) == ({"redis": 1}, {"redis": 4})

    def test_tokens_are_those_of_the_run(self, tmp_path: Path) -> None:
        """What the agent has used is no longer there for the workflow."""
        given: dict[str, int] = {}

        def look(name: str, its: Context, seconds: float) -> dict[str, Any]:
            given[name] = its.tokens
            return part([finding(name, "pass")], **({"agent": {"tokens": 700}} if name == "mcp" else {}))

        its = context()
        its.tokens = 1000
        run_of.run(its, ["mcp", "workflow"], self.results(tmp_path), look)
        assert (given["mcp"], given["workflow"]) == (1000, 300)

    @pytest.mark.parametrize(("parts", "share"), [(["core"], 1.0), (["core", "nexus", "mcp", "workflow"], 0.25)])
    def test_time_of_the_parts(self, tmp_path: Path, parts: list[str], share: float) -> None:
        """What is kept for cleaning is not theirs, and one alone has all of it."""
        given: dict[str, float] = {}

        def look(name: str, its: Context, seconds: float) -> dict[str, Any]:
            given.setdefault(name, seconds)
            return part([finding(name, "pass")])

        run_of.run(context(run_of.KEPT + 100), parts, self.results(tmp_path), look)
        assert given["core"] == pytest.approx(share * 100, abs=1)

    def test_no_part_has_the_time_of_the_cleaning(self, tmp_path: Path) -> None:
        """Though it began late."""
        given: dict[str, float] = {}

        def look(name: str, its: Context, seconds: float) -> dict[str, Any]:
            if name == "core":
                its.deadline -= 125
            given[name] = seconds
            return part([finding(name, "pass")])

        run_of.run(context(run_of.KEPT + 100), ["core", "nexus"], self.results(tmp_path), look)
        assert given["nexus"] == 1

    def test_ended(self, tmp_path: Path) -> None:
        """What was found stays; the part that was at work is a fault, and nothing says that it is clean."""

        def look(name: str, its: Context, seconds: float) -> dict[str, Any]:
            if name == "nexus":
                raise processes.Ended
            return part([finding(name, "pass")])

        results = self.results(tmp_path)
        assert run_of.run(context(), ["core", "nexus", "mcp"], results, look) == 1
        written = json.loads(results.path.read_text())
        assert {name: its["verdict"] for name, its in written.items()} == {"core": "pass", "nexus": "fail"}
        assert "unfinished" in written["nexus"]["detail"]


def test_failure_is_seen_as_data() -> None:
    """A node may fail without an exception."""
    assert failure({"n": {"failed": True, "error": "no"}}, "n") == "no"
    assert failure({"n": {"result": 1}}, "n") == ""
    assert failure({}, "n") == ""
