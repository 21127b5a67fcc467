"""Renamed variables are understood under their former names, with a note."""

from __future__ import annotations

from pathlib import Path

import pytest
from ready.stack.argument_specs import known_variables
from ready.stack.former_names import FORMER_NAMES, notes

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("former", "name"), FORMER_NAMES.items())
def test_default_reads_the_former_name(former: str, name: str) -> None:
    """A value under the former name counts where none has the name; the former one is documented nowhere."""
    assert name in known_variables()
    assert former not in known_variables()
    defaults = "".join(path.read_text() for path in ROOT.glob("roles/*/defaults/main.yml"))
    assert f'{name}: "{{{{ {former} | default(' in defaults


def test_note_names_both() -> None:
    """Who uses a former name reads the name in the run's output."""
    assert notes(["check_count", "stack_name"]) == []
    assert notes(["stack_name", "check_rounds"]) == [
        "variable check_rounds: found a former name. Next: rename it to check_count; the next release refuses it"
    ]
