# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pytest plugin that leaves a line of JSON per event, at once: what happened before a crash is not lost.

Any pytest that the application's command starts loads it. Tests that run pytest themselves are one test: a pytest
inside of another one leaves nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

EVENTS, STATE, ROOT, OWNER = (
    "READY_TESTAPP_EVENTS",
    "READY_TESTAPP_STATE",
    "READY_TESTAPP_ROOT",
    "READY_TESTAPP_OWNER",
)
#: Characters of a message that are kept, exceptions of a chain.
_LONGEST, _CHAIN = 600, 8


class Recorder:
    """Writes events with one call of the system each."""

    def __init__(self) -> None:
        self.file = os.open(os.environ[EVENTS], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def __call__(self, event: str, **values: Any) -> None:
        """Write an event."""
        os.write(self.file, (json.dumps({"e": event, **values}) + "\n").encode(errors="replace"))


def file_of(node: Any) -> str:
    """Return the path of a test's or collector's file, below the application's directory where it is in there."""
    path = getattr(node, "path", None) or getattr(node, "fspath", "")
    return os.path.relpath(str(path), os.environ.get(ROOT, "."))


def chain_of(error: BaseException | None) -> list[dict[str, Any]]:
    """Return an exception and those that it came from, as data."""
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    caused = True
    while error is not None and id(error) not in seen and len(chain) < _CHAIN:
        seen.add(id(error))
        chain.append(
            {
                "type": type(error).__name__,
                "module": type(error).__module__,
                "message": _text(error),
                "name": getattr(error, "name", None) if isinstance(error, ImportError) else None,
                "caused": caused,
            }
        )
        inner = getattr(error, "exceptions", None)  # of a group the first one counts
        if isinstance(inner, Sequence) and inner and isinstance(inner[0], BaseException):
            error = inner[0]
        elif error.__cause__ is not None:
            error = error.__cause__
        else:  # what was handled when it was raised, and need not have caused it
            caused, error = False, None if error.__suppress_context__ else error.__context__
    return chain


def _text(value: object) -> str:
    try:
        text = str(value)
    except Exception as error:  # an exception of the application's may have a faulty __str__
        return f"({type(error).__name__} in its text)"
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]} …\n{text[-_LONGEST // 2 :]}"  # a traceback says why at its end


def _why(report: Any) -> str:
    """Return why a report says skipped, or the end of its text."""
    if isinstance(report.longrepr, tuple):
        return _text(report.longrepr[-1]).removeprefix("Skipped: ")
    text = str(report.longrepr or "")
    return text[-_LONGEST:]


class Plugin:
    """What a session of pytest tells."""

    def __init__(self, record: Recorder) -> None:
        self.record = record
        state = json.loads(Path(os.environ[STATE]).read_text(encoding="utf-8"))
        self.done: set[str] = set(state["done"])
        self.ignored: set[str] = set(state["ignored"])

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say what is searched, and by which patterns."""
        config = session.config
        self.record(
            "session",
            pid=os.getpid(),
            args=[os.path.relpath(str(item).partition("::")[0], os.environ[ROOT]) for item in config.args],
            python_files=list(config.getini("python_files")),
            pytest=pytest.__version__,
        )

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out a file at which pytest hung or died before."""
        return True if os.path.relpath(str(collection_path), os.environ[ROOT]) in self.ignored else None

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Note the file that is about to be imported."""
        if isinstance(collector, pytest.File):
            self.record("collecting", file=file_of(collector))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, None]:
        """Keep what a collection ended with, while the exception is still there."""
        outcome = yield
        report = outcome.get_result()
        file = file_of(collector)
        if report.outcome == "failed":
            call = report.__dict__.get("call")
            chain = chain_of(call.excinfo.value) if call is not None and call.excinfo else []
            self.record("collect_failed", file=file, id=collector.nodeid, chain=chain, text=_why(report))
        elif report.outcome == "skipped":
            self.record("collect_skipped", file=file, id=collector.nodeid, text=_why(report))
        if isinstance(collector, pytest.File):
            self.record("collected", file=file)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note all that was found, before anything is deselected."""
        self.record("items", items=[[item.nodeid, file_of(item)] for item in items])

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note what will not run by choice."""
        self.record("deselected", ids=[item.nodeid for item in items])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Leave out what an earlier pytest of this run has done."""
        session.items[:] = [item for item in session.items if item.nodeid not in self.done]
        self.record("ready", count=len(session.items))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note the test that is about to run."""
        self.record("start", id=nodeid)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
        """Keep the exceptions of a phase with its report."""
        raised = call.excinfo  # a conftest may take it away
        outcome = yield
        if raised is not None:
            outcome.get_result().ready_chain = chain_of(raised.value)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how a phase of a test ended."""
        values: dict[str, Any] = {}
        chain = getattr(report, "ready_chain", [])
        if report.outcome != "passed" or hasattr(report, "wasxfail") or chain:
            values = {"chain": chain, "text": _why(report)}
        if hasattr(report, "wasxfail"):
            values["xfail"] = _text(report.wasxfail)
        self.record(
            "phase",
            id=report.nodeid,
            when=report.when,
            outcome=report.outcome,
            seconds=round(report.duration, 3),
            **values,
        )

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note that a test has ended, its fixtures included."""
        self.record("end", id=nodeid)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Note how the session ended."""
        self.record("exit", status=int(exitstatus))

    def pytest_unconfigure(self) -> None:
        """Let another pytest of the same process record."""
        os.environ.pop(OWNER, None)


def pytest_configure(config: pytest.Config) -> None:
    """Record, unless this pytest runs in another one's test or is one of xdist's workers."""
    if OWNER in os.environ or EVENTS not in os.environ or hasattr(config, "workerinput"):
        return
    os.environ[OWNER] = str(os.getpid())
    if (
        getattr(config.option, "dist", "no") != "no"
    ):  # pytest-xdist: what its workers collect, and where one is, is unseen
        config.option.dist, config.option.tx, config.option.numprocesses = "no", [], 0
    try:
        config.pluginmanager.register(Plugin(Recorder()), "ready_testapp_recorder")
    except Exception as error:  # pytest would go on without it, and nothing would be counted
        sys.exit(f"ready_testapp: {error}")
