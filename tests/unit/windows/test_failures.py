"""The table of failures in docs/windows.md is kept: each row names simulated PCs or tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.windows.test_plans import MODES
from tests.windows.test_misfits import FAILURES, MISFITS

ROOT = Path(__file__).resolve().parents[3]


def test_each_failure_names_what_shows_it() -> None:
    """All but the last, which needs a Windows."""
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", (ROOT / "docs" / "windows.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 28))
    sources = "".join(path.read_text() for path in ROOT.glob("tests/unit/windows/test_*.py"))
    sources += "".join(path.read_text() for path in ROOT.glob("tests/windows/test_*.py"))
    there = {*MISFITS, *FAILURES, *(mode[0] for mode in MODES), *re.findall(r"^def (test_\w+)", sources, re.MULTILINE)}
    for number, shown in rows[:-1]:
        names = re.findall(r"`([^`]+)`", shown)
        assert names, number
        assert set(names) <= there, (number, set(names) - there)
