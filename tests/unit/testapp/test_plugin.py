"""What runs in the container, run here by a real pytest: what tests do to it, nothing gets lost."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from ready.testapp.records import Suite, lines_of, suite
from ready_testapp import watch
from ready_testapp.counting import count, foreign_imports, scan

from tests.names import ROOT

LIBRARY = str(ROOT / "images" / "testapp")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command over files; return what became of the tests, and how it went."""
    monkeypatch.setattr(watch, "GRACE", 0.0)  # nothing here has pytest-timeout
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # in the container nothing needs to be removed
    root, out = tmp_path / "app", tmp_path / "out"
    out.mkdir()

    def ran(files: dict[str, str], command: list[str] | None = None, **other: Any) -> tuple[Suite, dict[str, Any]]:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        job = {"root": str(root), "settings": {"SHOP": "1"}, "timeout": 60.0, "deadline": 300.0}
        job |= {"command": command or ["python", "-m", "pytest", "-p", "no:cacheprovider"]} | other
        result = watch.run(job, LIBRARY, out)
        events, its = lines_of((out / "events.jsonl").read_bytes()), scan(root)
        return suite(events, its["files"], "", functions=its["functions"]), result

    return ran


def outcomes(found: Suite) -> dict[str, str]:
    """Return what became of each test, with its reason."""
    return {record.id: f"{record.outcome} {record.reason}".strip() for record in found.records}


def test_every_outcome(run: Any) -> None:
    """One of each, in one file, by a real pytest; the settings are in its environment."""
    text = """
import os, pytest

@pytest.fixture
def broken():
    raise KeyError("x")

@pytest.fixture
def ends_badly():
    yield
    raise KeyError("y")

def test_settings(): assert os.environ["SHOP"] == "1"
def test_fails(): assert 1 == 2
def test_fixture(broken): pass
def test_teardown(ends_badly): pass
def test_unknown(nobody): pass
def test_body_skips(): pytest.skip("no")
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_xfailed(): assert 1 == 2
@pytest.mark.xfail
def test_xpassed(): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass
@pytest.mark.xfail(run=False)
def test_not_run(): pass
def test_import(): import nobody_has_this
def test_refused(): raise ConnectionRefusedError("x")
@pytest.mark.parametrize("a", [1, 2])
def test_twice(a): pass
"""
    found, result = run({"test_a.py": text})
    assert outcomes(found) == {
        "test_a.py::test_settings": "passed",
        "test_a.py::test_fails": "failed",
        "test_a.py::test_fixture": "not_executable fixture_error",
        "test_a.py::test_teardown": "failed",
        "test_a.py::test_unknown": "not_executable fixture_error",
        "test_a.py::test_body_skips": "skipped",
        "test_a.py::test_skipped": "skipped",
        "test_a.py::test_xfailed": "xfailed",
        "test_a.py::test_xpassed": "xpassed",
        "test_a.py::test_strict": "failed",
        "test_a.py::test_not_run": "skipped",
        "test_a.py::test_import": "not_executable import_error",
        "test_a.py::test_refused": "not_executable service_missing",
        "test_a.py::test_twice[1]": "passed",
        "test_a.py::test_twice[2]": "passed",
    }
    assert (result["restarts"], result["codes"]) == (0, [1])


def test_files_that_break(run: Any) -> None:
    """Import errors, no Python, a skipped module: the rest runs, though the project stops at the first failure."""
    found, _ = run(
        {
            "pytest.ini": "[pytest]\naddopts = -x\n",
            "test_a.py": "import nobody_has_this\ndef test_1(): pass\nclass TestA:\n    def test_2(self): pass\n",
            "test_b.py": "def test_1(: pass\ndef test_2(): pass\n",
            "test_c.py": "import pytest\npytest.importorskip('nobody_has_this')\ndef test_1(): pass\n",
            "test_d.py": "import winreg\n",
            "test_e.py": "def test_1(): assert False\ndef test_2(): pass\n",
        }
    )
    assert outcomes(found) == {
        "test_a.py": "not_executable import_error",
        "test_b.py": "not_executable collection_error",
        "test_c.py": "skipped",
        "test_d.py": "not_executable windows_only_import",
        "test_e.py::test_1": "failed",
        "test_e.py::test_2": "passed",
    }
    assert {record.id: record.tests for record in found.records if record.tests > 1} == {"test_a.py": 2, "test_b.py": 2}


def test_what_ends_pytest(run: Any) -> None:
    """A test that exits, is killed or stops pytest, a file that exits: each is named, the others run."""
    found, result = run(
        {
            "test_a.py": "import os, pytest\ndef test_1(): os._exit(0)\ndef test_2(): os.abort()\ndef test_3(): pass\n"
            "def test_4(): pytest.exit('stop')\ndef test_5(): pass\n",
            "test_b.py": "import os\nos._exit(5)\ndef test_1(): pass\n",
        }
    )
    assert outcomes(found) == {
        "test_a.py::test_1": "not_executable crash",
        "test_a.py::test_2": "not_executable crash",
        "test_a.py::test_3": "passed",
        "test_a.py::test_4": "not_executable crash",
        "test_a.py::test_5": "passed",
        "test_b.py": "not_executable crash",
    }
    assert result["restarts"] == 4


def test_what_hangs(run: Any) -> None:
    """A test that takes no signal, and a file whose import never ends, are killed and named; the others run."""
    forever = "import time, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    found, _ = run(
        {
            "test_a.py": forever + "def test_1(): time.sleep(3600)\ndef test_2(): pass\n",
            "test_b.py": forever + "time.sleep(3600)\ndef test_1(): pass\n",
        },
        timeout=8.0,
    )
    assert outcomes(found) == {
        "test_a.py::test_1": "not_executable timeout",
        "test_a.py::test_2": "passed",
        "test_b.py": "not_executable timeout",
    }


def test_the_whole_time_is_up(run: Any) -> None:
    """What runs then is named, what comes after it was not reached, and nothing is started again."""
    found, result = run(
        {"test_a.py": "import time\ndef test_1(): time.sleep(3600)\ndef test_2(): pass\n"}, deadline=15.0
    )
    assert outcomes(found) == {
        "test_a.py::test_1": "not_executable timeout",
        "test_a.py::test_2": "not_executable not_reached",
    }
    assert (result["timed_out"], result["restarts"]) == (True, 0)


def test_left_out_and_nested(run: Any) -> None:
    """Deselected tests count; a pytest inside of a test does not."""
    inner = (
        "import subprocess, sys, pytest\n"
        "def test_1(tmp_path):\n"
        "    (tmp_path / 'test_in.py').write_text('def test_in(): pass')\n"
        "    assert pytest.main([str(tmp_path)]) == 0\n"
        "    assert subprocess.run([sys.executable, '-m', 'pytest', str(tmp_path)]).returncode == 0\n"
        "def test_2(): pass\n"
    )
    found, _ = run({"test_a.py": inner}, ["python", "-m", "pytest", "-k", "test_1"])
    assert outcomes(found) == {"test_a.py::test_1": "passed", "test_a.py::test_2": "deselected"}


def test_commands(run: Any) -> None:
    """Several pytests of one command are all counted; a command that runs none, or that is not there, leaves none."""
    files = {"a/test_a.py": "def test_1(): pass\n", "b/test_b.py": "def test_1(): pass\n"}
    found, _ = run(files, ["sh", "-c", "pytest a; python -m pytest b"])
    assert outcomes(found) == {"a/test_a.py::test_1": "passed", "b/test_b.py::test_1": "passed"}


@pytest.mark.parametrize("command", [["true"], ["no-such-program"], ["python", "-m", "unittest", "a/test_a.py"]])
def test_no_pytest(run: Any, command: list[str]) -> None:
    """Whatever else it does."""
    found, result = run({"a/test_a.py": "def test_1(): pass\n"}, command)
    assert outcomes(found) == {"a/test_a.py": "not_executable no_pytest"}
    assert result["restarts"] == 0


def test_conftest_that_breaks(run: Any) -> None:
    """Then pytest collects nothing, and the tests count all the same."""
    found, _ = run({"conftest.py": "import nobody_has_this\n", "test_a.py": "def test_1(): pass\n"})
    assert outcomes(found) == {"test_a.py": "not_executable no_pytest"}


def test_counting() -> None:
    """Functions of a file and of its classes count, also where it is no Python; guarded imports are no fault."""
    assert (
        count("def test_a(): pass\nclass T:\n  async def test_b(self):\n    def test_in(): pass\ndef helper(): pass")
        == 2
    )
    assert count("try:\n  import x\n  def test_a(): pass\nexcept ImportError:\n  pass") == 1
    assert count("@pytest.fixture(scope='session')\ndef test_a(): pass") == 0
    assert count("@pytest.mark.usefixtures('fixture')\ndef test_a(): pass") == 1
    assert count("def test_a(:\n  pass\n    def test_b(self): pass") == 2
    assert foreign_imports("import os, fcntl\nfrom winreg import x\nif x:\n  import pwd\nfrom . import grp") == [
        (1, "fcntl", "unix"),
        (2, "winreg", "windows"),
    ]
    assert foreign_imports("def (") == []


def test_shims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command may say `python`, whatever the image calls it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = Path(watch.shims("/layer").partition(":")[0])
    assert sys.executable in (first / "python").read_text()
    assert {path.name for path in first.iterdir()} == {"python", "python3", "pytest"}


def test_an_outcome_that_a_conftest_rewrites(run: Any) -> None:
    """A test that raised has failed, whatever the application's own hooks say afterwards."""
    hook = """
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
    call.excinfo = None
"""
    found, _ = run({"conftest.py": hook, "test_a.py": "def test_1(): assert False\ndef test_2(): pass\n"})
    assert outcomes(found) == {"test_a.py::test_1": "failed", "test_a.py::test_2": "passed"}
    assert found.records[0].detail.startswith("it raised AssertionError: assert False")


@pytest.mark.parametrize(
    "files",
    [
        {"pytest.ini": "[pytest]\npython_functions = test_2\n"},
        {"conftest.py": "def pytest_pycollect_makeitem(name): return [] if name == 'test_1' else None\n"},
        {"test_a.py": "class TestA:\n    def __init__(self): pass\n    def test_1(self): pass\ndef test_2(): pass\n"},
        {"test_a.py": "class TestA:\n    __test__ = False\n    def test_1(self): pass\ndef test_2(): pass\n"},
    ],
)
def test_functions_that_pytest_does_not_take(run: Any, files: dict[str, str]) -> None:
    """They count as not collected, by their file."""
    found, _ = run({"test_a.py": "def test_1(): pass\ndef test_2(): pass\n"} | files)
    assert outcomes(found) == {"test_a.py": "not_executable not_collected", "test_a.py::test_2": "passed"}
    assert "test_1" in found.records[0].detail


def test_functions_that_are_no_tests(run: Any) -> None:
    """Fixtures, helpers' methods and tests of a base class that run in another class are not missed."""
    text = """
import unittest, pytest

@pytest.fixture
def test_client(): return 1
class Client:
    def test_connection(self): pass
class TestBase:
    __test__ = False
    def test_1(self): pass
class TestIt(TestBase):
    __test__ = True
class Case(unittest.TestCase):
    def test_2(self): pass
@pytest.mark.parametrize("a", ["x::y", "[z]"])
def test_3(a, test_client): pass
"""
    found, _ = run({"test_a.py": text})
    assert set(outcomes(found).values()) == {"passed"}
    assert len(found.records) == 4


def test_workers_of_xdist_are_not_started(run: Any) -> None:
    """What they collect is not seen where the plugin is: the options are put out of effect."""
    xdist = """
def pytest_addoption(parser):
    parser.addoption("--dist", default="load")
    parser.addoption("--tx", default=["popen"])
def pytest_sessionstart(session):
    assert (session.config.option.dist, session.config.option.tx) == ("no", [])
"""
    found, result = run({"conftest.py": xdist, "test_a.py": "def test_1(): pass\n"})
    assert outcomes(found) == {"test_a.py::test_1": "passed"}
    assert result["codes"] == [0]
