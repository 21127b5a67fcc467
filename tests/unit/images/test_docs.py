# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/images.md and the contract tests name each other completely."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_line_of_the_contract_has_its_test() -> None:
    """A line's test exists, and a contract test has its line."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/images.md").read_text(encoding="utf-8")))
    written = {
        name
        for path in (ROOT / "tests/images").glob("test_contract_*.py")
        for name in re.findall(r"(?m)^def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert named == written


def test_pins_are_named_as_they_are() -> None:
    """The table of pins says what the recipes say."""
    text = (ROOT / "docs/images.md").read_text(encoding="utf-8")
    pom = (ROOT / "images/neo4j/pom.xml").read_text(encoding="utf-8")
    chroma = (ROOT / "images/chromadb/requirements.txt").read_text(encoding="utf-8")
    ai = (ROOT / "images/ai/requirements.txt").read_text(encoding="utf-8")
    jars = [line for line in (ROOT / "images/neo4j/artifacts.sha256").read_text().splitlines() if line[0] != "#"]
    assert f"Neo4j {re.findall(r'<neo4j.version>(.+?)<', pom)[0]}" in text
    assert f"chromadb {re.findall(r'chromadb==([0-9.]+)', chroma)[0]}" in text
    assert f"{len(jars)} jars" in text
    assert f"xllamacpp {re.findall(r'xllamacpp==([0-9.]+)', ai)[0]}" in text
