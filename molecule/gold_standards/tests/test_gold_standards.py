"""The evidence that the scenario leaves, as the report reads it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ready.evidence import document as evidence

PLACE = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "evidence" / "molecule-gold-standards" / "localhost"


def test_evidence() -> None:
    """It fits its schema, passes, and names what ADR-009's rows are made of."""
    document = json.loads((PLACE / "gold_standards.json").read_text())
    assert evidence.check(document) == []
    found = document["results"]
    assert document["verdict"] == "pass"
    assert (found["registered_percent"], found["parameter_security_percent"], found["nodes"], found["parameters"]) == (
        100,
        100,
        2,
        2,
    )
    assert found["mocking_violations"] == found["import_violations"] == found["unix_only_imports"] == 0


def test_a_pass_takes_its_figures() -> None:
    """Evidence that claims more than it shows fits no schema."""
    document = json.loads((PLACE / "gold_standards.json").read_text())
    for name, value in {
        "score": 94.9,
        "mocking_violations": 1,
        "registered_percent": None,
        "unix_only_imports": 1,
        "sdk_files": 0,
        "without_allowances": document["results"]["without_allowances"] | {"windows": "waived"},
    }.items():
        assert evidence.check(document | {"results": document["results"] | {name: value}}), name
