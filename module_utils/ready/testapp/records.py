# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What became of each test: the lines that the plugin left, put together. Nothing that was found gets lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from . import reasons
from .reasons import Why, classify

PASSED, FAILED, SKIPPED, DESELECTED = "passed", "failed", "skipped", "deselected"
XFAILED, XPASSED, NOT_EXECUTABLE = "xfailed", "xpassed", "not_executable"
#: A test that ran several times counts once, by the first of these that it had.
ORDER = (FAILED, NOT_EXECUTABLE, XPASSED, PASSED, XFAILED, SKIPPED, DESELECTED)
#: Names of test files, and directories that pytest does not look into, as pytest has them.
PATTERNS, NO_RECURSE = ("test_*.py", "*_test.py"), ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "venv", "{arch}")


@dataclass
class Record:
    """A test, or the tests of a file that could not be collected.

    Attributes:
        id: pytest's name of the test, or a file's path.
        outcome: one of ORDER.
        reason: why it was not executed, "" for others.
        detail: what was found.
        tests: how many tests it stands for.
        seconds: of all phases.
        body: whether it was the test itself, and no preparation, that ended so.
    """

    id: str
    outcome: str
    reason: str = ""
    detail: str = ""
    tests: int = 1
    seconds: float = 0.0
    body: bool = False


@dataclass
class _Test:
    phases: list[Mapping[str, Any]] = field(default_factory=list)
    file: str = ""
    seconds: float = 0.0


@dataclass
class _Reading:
    """What was read so far."""

    found: dict[str, Record] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)  # id -> file
    running: dict[str, _Test] = field(default_factory=dict)
    deselected: list[str] = field(default_factory=list)
    broken: dict[str, Record] = field(default_factory=dict)  # by file
    seen: set[str] = field(default_factory=set)
    sessions: list[Mapping[str, Any]] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)

    def keep(self, record: Record) -> None:
        """Keep the worse one of what became of a test."""
        before = self.found.get(record.id)
        if before is None or ORDER.index(record.outcome) < ORDER.index(before.outcome):
            self.found[record.id] = record


@dataclass
class Suite:
    """All records, and what pytest reported of itself."""

    records: list[Record]
    sessions: int
    exits: list[int]
    pytest: str


def lines_of(content: bytes) -> list[dict[str, Any]]:
    """Return the events of a file; a line at which a process was killed is none."""
    events = []
    for line in content.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "e" in event:
            events.append(event)
    return events


def suite(
    events: Iterable[Mapping[str, Any]],
    files: Mapping[str, int],
    tests: str,
    ended: str = "",
    functions: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Suite:
    """Return what became of every test.

    Args:
        events: what plugin and runner wrote, in order.
        files: every Python file of the application -> number of its test functions.
        tests: where the inventory says that the tests are; "" for where pytest looked.
        ended: the last words of pytest, for files that it never came to.
        functions: file -> the test functions in it that pytest takes by its own rules, `Class::name` those of a class.
    """
    reading = _Reading()
    for event in events:
        _take(reading, event)
    for name in list(reading.running):  # ended by something that the runner did not see
        _finish(reading, name)
    for name in reading.deselected:
        reading.keep(Record(name, DESELECTED))
    for name in reading.items:
        if name not in reading.found:
            reading.found[name] = Record(name, NOT_EXECUTABLE, reasons.NOT_REACHED, "pytest ended before it")
    _broken(reading, files)
    _uncollected(reading, files, tests, ended)
    _untaken(reading, functions)
    records = sorted(reading.found.values(), key=lambda record: record.id)
    version = str(reading.sessions[0].get("pytest", "")) if reading.sessions else ""
    return Suite(records, len(reading.sessions), reading.exits, version)


def _take(reading: _Reading, event: Mapping[str, Any]) -> None:
    kind = event["e"]
    if kind == "session":
        reading.sessions.append(event)
    elif kind == "exit":
        reading.exits.append(int(event["status"]))
    elif kind == "items":
        reading.items |= {str(name): str(file) for name, file in event["items"]}
    elif kind == "deselected":
        reading.deselected += event["ids"]
    elif kind in ("collecting", "collected"):
        reading.seen.add(event["file"])
    elif kind == "collect_failed":
        why = classify(event["chain"], event["text"], "collect") or Why(reasons.COLLECTION, "")
        reading.broken[event["file"]] = Record(event["file"], NOT_EXECUTABLE, *why)
    elif kind == "collect_skipped":
        reading.broken.setdefault(event["file"], Record(event["file"], SKIPPED, "", event["text"][:200]))
    elif kind == "start":
        _finish(reading, event["id"])
        reading.running[event["id"]] = _Test()
    elif kind == "phase":
        test = reading.running.setdefault(event["id"], _Test())
        test.phases.append(event)
        test.seconds += float(event.get("seconds") or 0)
    elif kind == "end":
        _finish(reading, event["id"])
    elif kind == "blamed":
        _blamed(reading, event)


def _blamed(reading: _Reading, event: Mapping[str, Any]) -> None:
    cause = {
        "timeout": (
            reasons.TIMEOUT,
            f"no end after {event['seconds']:g} s: it was killed"
            if event.get("code") is None
            else f"its time was up after {event['seconds']:g} s, and pytest's process ended{_code(event['code'])}",
        ),
        "deadline": (reasons.TIMEOUT, f"it ran for {event['seconds']:g} s when the time of the whole run was up"),
        "crash": (reasons.CRASH, f"pytest's process ended in it{_code(event.get('code'))}"),
    }[event["why"]]
    record = Record(event["what"], NOT_EXECUTABLE, *cause, seconds=float(event["seconds"]), body=True)
    if event["kind"] == "file":
        reading.broken[event["what"]] = record
    else:
        reading.running.pop(event["what"], None)
        reading.keep(record)


def _code(code: Any) -> str:
    if not isinstance(code, int):
        return ""
    return f", by signal {-code}" if code < 0 else f", with exit code {code}"


def _finish(reading: _Reading, name: str) -> None:
    test = reading.running.pop(name, None)
    # What pytest-rerunfailures runs again counts by its last time.
    if test is not None and test.phases and not any(its["outcome"] == "rerun" for its in test.phases):
        record = _judge(name, test.phases)
        record.seconds = round(test.seconds, 3)
        reading.keep(record)


def _judge(name: str, phases: list[Mapping[str, Any]]) -> Record:
    """Return what became of a test by its phases."""
    by = {when: [its for its in phases if its["when"] == when] for when in ("setup", "call", "teardown")}
    for its in phases:
        if its["outcome"] == "passed" and its.get("chain") and "xfail" not in its:
            error = f"{its['chain'][0]['type']}: {its['chain'][0]['message']}"[:150]
            return Record(name, FAILED, "", f"it raised {error}, and a conftest or plugin said passed", body=True)
    for its in by["setup"]:
        if its["outcome"] == "failed":
            why = classify(its.get("chain", []), its.get("text", ""), "setup") or Why(reasons.FIXTURE, "")
            return Record(name, NOT_EXECUTABLE, *why)
        if its["outcome"] == "skipped":
            return Record(name, SKIPPED, "", str(its.get("xfail") or its.get("text", ""))[:200])
    for its in by["call"]:
        if its["outcome"] == "failed":
            return _raised(name, its)
    for its in by["teardown"]:
        if its["outcome"] == "failed":
            last = classify(its.get("chain", []), its.get("text", ""), "setup")
            return Record(name, FAILED, "", f"after it, {last.detail if last else 'its fixtures failed'}", body=True)
    outcomes = {(its["outcome"], "xfail" in its): its for its in by["call"]}
    for key, outcome in ((("passed", True), XPASSED), (("passed", False), PASSED), (("skipped", True), XFAILED)):
        if key in outcomes:
            return Record(name, outcome)
    if ("skipped", False) in outcomes:
        return Record(name, SKIPPED, "", str(outcomes["skipped", False].get("text", ""))[:200])
    return Record(name, NOT_EXECUTABLE, reasons.CRASH, "pytest reported no end of it", body=True)


def _raised(name: str, its: Mapping[str, Any]) -> Record:
    why = classify(its.get("chain", []), its.get("text", ""), "call")
    if why:
        return Record(name, NOT_EXECUTABLE, *why, body=True)
    last = classify(its.get("chain", []), its.get("text", ""), "setup")
    return Record(name, FAILED, "", last.detail if last else "", body=True)


def _broken(reading: _Reading, files: Mapping[str, int]) -> None:
    """Count files that could not be collected with the tests that they show, at least one."""
    for file, record in reading.broken.items():
        collected = sum(1 for its in reading.items.values() if its == file)
        record.tests = max(1, files.get(file, 0) - collected)
        reading.keep(record)


def _untaken(reading: _Reading, functions: Mapping[str, Sequence[str]]) -> None:
    """Count test functions that pytest did not take from files that it read: what no setting, class or name shows.

    A method counts as taken when it is one of any class: those of a base class run in others.
    """
    taken: dict[str, set[str]] = {}
    for name, file in reading.items.items():
        taken.setdefault(file, set()).add(name.partition("::")[2].partition("[")[0].rpartition("::")[2])
    anywhere = set().union(*taken.values())
    for file in reading.seen - set(reading.broken):
        there = functions.get(file, ())
        missed = [
            name
            for name in dict.fromkeys(there)
            if name.rpartition("::")[2] not in (anywhere if "::" in name else taken.get(file, set()))
        ]
        if missed:
            detail = f"pytest read the file and did not take {', '.join(missed[:3])}" + (" …" if missed[3:] else "")
            reading.keep(Record(file, NOT_EXECUTABLE, reasons.NOT_COLLECTED, detail, tests=len(missed)))


def _uncollected(reading: _Reading, files: Mapping[str, int], tests: str, ended: str) -> None:
    """Count files of tests that pytest never came to."""
    its_own = [pattern for its in reading.sessions for pattern in its["python_files"]]
    patterns = [*its_own, *(PATTERNS if tests or not its_own else ())]
    places = [tests] if tests else [place for its in reading.sessions for place in its["args"]] or ["."]
    came = reading.seen | set(reading.broken) | set(reading.items.values())
    for file, number in files.items():
        path = PurePosixPath(file)
        if not number or file in came or not any(fnmatch(path.name, pattern) for pattern in patterns):
            continue
        if not any(place == "." or path.is_relative_to(place) for place in places):
            continue
        if any(fnmatch(part, name) for part in path.parts[:-1] for name in NO_RECURSE):
            continue
        if reading.sessions and reading.seen:
            why = Why(reasons.NOT_COLLECTED, "the command, or a setting of pytest's, left it out")
        elif reading.sessions:
            why = Why(reasons.COLLECTION, ended or "pytest ended before it collected")
        else:
            why = Why(reasons.NO_PYTEST, ended or "the command ran no pytest")
        reading.keep(Record(file, NOT_EXECUTABLE, *why, tests=number))
