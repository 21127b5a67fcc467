"""What the role left on the controller."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

DIRECTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "evidence" / "molecule-readiness"


@pytest.fixture
def rows() -> dict[str, dict[str, Any]]:
    """Return the report's requirements by id."""
    document = json.loads((DIRECTORY / "readiness.json").read_text())
    return {row["id"]: row for row in document["results"]["requirements"]}


def test_only_good_evidence_was_written() -> None:
    """Whole files, readable to all; nothing of what fits no schema."""
    assert sorted(path.name for path in (DIRECTORY / "localhost").iterdir()) == ["drill.json", "preflight.json"]
    for path in DIRECTORY.rglob("*.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_verdicts(rows: dict[str, dict[str, Any]]) -> None:
    """Real figures pass, simulated ones show nothing, what is missing names its verb, a waiver is shown."""
    assert rows["B.resources"]["verdict"] == "pass"
    assert rows["O.drill"]["verdict"] == "insufficient_data"
    assert "simulated" in rows["O.drill"]["reason"]
    assert rows["R2.services"]["next"] == "./ready up"
    assert rows["R2.overhead"]["verdict"] == "waived"
    assert rows["O.backup"]["verdict"] == "insufficient_data"
    assert rows["R1.score"]["verdict"] == "not_applicable"


def test_page_names_what_it_was_made_of() -> None:
    """It stands alone and shows the score, the evidence and the waiver."""
    page = (DIRECTORY / "readiness.html").read_text()
    assert "src=" not in page
    score = '<span class="score">13</span> of 100'
    for text in ("molecule-readiness/localhost/preflight.json", "No Windows host in this fleet", score):
        assert text in page
