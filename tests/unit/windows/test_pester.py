"""The suite for a real PC: it compares with what the simulator says, and each of its tests is a listed assumption."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import recorded

ROOT = Path(__file__).resolve().parents[3]
SUITE = (ROOT / "tests" / "windows" / "pester" / "Ready.Tests.ps1").read_text(encoding="utf-8")
ROWS = [
    re.split(r"(?<!\\)\|", line.strip("|"))
    for line in (ROOT / "docs" / "windows-assumptions.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| assumption")
]


def test_recorded_side_is_what_the_simulator_says() -> None:
    """Next: PYTHONPATH=.:module_utils .venv/bin/python -m tests.simulator.recorded."""
    assert recorded.FILE.read_text(encoding="utf-8") == recorded.text(), (
        test_recorded_side_is_what_the_simulator_says.__doc__
    )
    assert recorded.main(["--check"]) == 0


def test_stale_recording_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One word less, and the check fails; writing it makes it right."""
    stale = tmp_path / "recorded.json"
    stale.write_text(recorded.text().replace('"Running"', '"Gone"', 1))
    monkeypatch.setattr(recorded, "FILE", stale)
    assert recorded.main(["--check"]) == 1
    assert recorded.main([]) == 0
    assert recorded.main(["--check"]) == 0


def test_all_that_is_recorded_is_compared() -> None:
    """And nothing else is read from it."""
    said: dict[str, Any] = json.loads(recorded.text())
    assert set(re.findall(r"\$recorded\.(\w+)", SUITE)) == set(said) - {"made_by"}


def test_each_test_is_a_listed_assumption() -> None:
    """By its first word, in both directions, each once."""
    tests = re.findall(r"^ +It '([a-z0-9-]+): ", SUITE, re.MULTILINE)
    listed = [word for row in ROWS for word in re.findall(r"suite: `([a-z0-9-]+)`", row[2])]
    assert len(tests) == SUITE.count(" It '")
    assert sorted(tests) == sorted(set(tests)) == sorted(listed)


def test_each_assumption_says_where_it_is_from_and_what_decides_it() -> None:
    """Three columns, none empty."""
    assert ROWS
    assert all(len(row) == 3 and all(cell.strip() for cell in row) for row in ROWS)


def at(value: Any, path: str) -> list[Any]:
    """Return all values at a place such as tasks[].state."""
    first, _, rest = path.partition(".")
    found = value[first.removesuffix("[]")]
    items = found if first.endswith("[]") else [found]
    return [one for item in items for one in (at(item, rest) if rest else [item])]


def test_simulator_says_the_words_that_are_known() -> None:
    """Each place is there in its state, and holds one of them, or nothing, which the suite passes over."""
    state = recorded.recorded()["state"]
    for path, words in recorded.WORDS.items():
        found = [word for word in at(state, path) if word is not None]
        assert found, path
        assert set(found) <= set(words), path


def test_lists_are_where_the_suite_looks_for_them() -> None:
    """At the top or one below, as its test goes no deeper."""
    said = recorded.recorded()
    assert {"distros", "network.rules", "faults"} <= set(said["arrays"])
    for path in said["arrays"]:
        assert path.count(".") <= 1
        assert [isinstance(value, list) for value in at(said["state"], path)] == [True], path
