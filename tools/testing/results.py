# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How steps ended: tests counted by their JUnit report, skipped ones by name, seconds kept for the next run."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".cache" / "test"
#: Seconds per step and test: of the last whole run that somebody recorded, and of this checkout's own runs since.
RECORDED = ROOT / "tests" / "durations.json"
OWN = LOGS / "durations.json"
#: Test -> why it may be skipped.
ALLOWED_SKIPS = ROOT / "tests" / "skips.yml"
#: How Ansible says that a task failed.
TASK_FAILED = re.compile(r"\bfatal: \[|^\W*\[ERROR\]: ")


@dataclass
class Outcome:
    """One step: how many of its tests passed and failed, which were skipped, and seconds per test."""

    name: str
    passed: int
    failed: int
    seconds: float = 0.0
    skipped: dict[str, str] = field(default_factory=dict)
    tests: dict[str, float] = field(default_factory=dict)


def excerpt(lines: Sequence[str], end: int = 80, around: int = 12) -> list[str]:
    """Return the end of a log, and before it the places where a task failed: a clean-up that follows is longer."""
    before = len(lines) - end
    wanted = sorted(
        {
            near
            for at, line in enumerate(lines[: max(0, before)])
            if TASK_FAILED.search(line)
            for near in range(max(0, at - around), min(before, at + 2 * around))
        }
    )
    return [lines[at] for at in wanted] + list(lines[-end:])


def read_report(name: str, report: Path, code: int) -> Outcome:
    """Return what a JUnit report says of a step that ended with `code`; no report or no test in it is a failure."""
    try:
        cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314  # our own file
    except (FileNotFoundError, ET.ParseError):
        return Outcome(name, 0, 1)
    outcome = Outcome(name, 0, 0)
    bad: set[str] = set()
    for case in cases:
        test = f"{case.get('classname')}::{case.get('name')}"
        outcome.tests[test] = outcome.tests.get(test, 0.0) + float(case.get("time", 0))
        if case.find("failure") is not None or case.find("error") is not None:
            bad.add(test)
        elif (skip := case.find("skipped")) is not None:
            outcome.skipped[test] = skip.get("message") or ""
    outcome.failed = len(bad)
    outcome.passed = len(outcome.tests.keys() - bad - outcome.skipped.keys())
    if not outcome.tests or (code != 0 and not bad):
        outcome.failed += 1
    return outcome


def forbidden_skips(outcomes: Iterable[Outcome], allowed: Mapping[str, str]) -> dict[str, str]:
    """Return the skipped tests that the list of allowed skips does not name, each with its reason."""
    skipped = {test: reason for outcome in outcomes for test, reason in outcome.skipped.items()}
    return {test: reason for test, reason in skipped.items() if test.partition("[")[0] not in allowed}


def allowed_skips() -> dict[str, str]:
    """Return the list of allowed skips."""
    return dict(yaml.safe_load(ALLOWED_SKIPS.read_text()) or {})


@dataclass
class Durations:
    """Seconds of steps, and of tests."""

    steps: dict[str, float] = field(default_factory=dict)
    tests: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, *paths: Path) -> Durations:
        """Return what the files say; a later one wins, one that is missing or broken says nothing."""
        made = cls()
        for path in paths:
            try:
                content = json.loads(path.read_text())
                made.steps |= content["steps"]
                made.tests |= content["tests"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return made

    def keep(self, outcomes: Iterable[Outcome]) -> None:
        """Take over what a run has measured."""
        for outcome in outcomes:
            if not outcome.failed and outcome.seconds:
                self.steps[outcome.name] = round(outcome.seconds, 1)
                self.tests |= {test: round(seconds, 2) for test, seconds in outcome.tests.items()}

    def write(self, path: Path) -> None:
        """Write them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"steps": dict(sorted(self.steps.items())), "tests": dict(sorted(self.tests.items()))}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def slowest(outcomes: Iterable[Outcome], count: int = 15) -> list[str]:
    """Return lines that name the tests that took longest."""
    tests = {test: seconds for outcome in outcomes for test, seconds in outcome.tests.items()}
    ordered = sorted(tests.items(), key=lambda item: -item[1])[:count]
    return [f"  {seconds:6.1f} s  {test}" for test, seconds in ordered]
