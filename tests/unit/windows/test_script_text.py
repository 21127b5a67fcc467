"""What a script for Windows is sent as: one text, with its functions in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ready.windows.script_text import text_of

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "windows"
FUNCTIONS = sorted((SCRIPTS / "functions").glob("*.ps1"))


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.ps1")), ids=lambda path: path.stem)
def test_nothing_is_left_to_be_read_on_the_host(path: Path) -> None:
    """There is no disk with our files on it: a dot-sourced file would end the script."""
    assert "$PSScriptRoot\\functions" not in text_of(path)


def test_every_file_of_functions_is_sent() -> None:
    """In the place of the line that names it, and as it is."""
    assert FUNCTIONS
    sent = "".join(text_of(path) for path in SCRIPTS.glob("*.ps1"))
    for path in FUNCTIONS:
        assert path.read_text().rstrip("\n") in sent, path.stem
