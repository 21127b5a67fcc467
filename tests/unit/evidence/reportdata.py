"""Evidence for the tests of the report: left in a directory, and looked at."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from ready.common.clock import timestamp
from ready.evidence import document as evidence
from ready.evidence import readiness, requirements
from ready.stack import schema

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=timezone.utc)
DATA = yaml.safe_load(requirements.FILE.read_text())
ROWS = {entry["id"]: entry for section in DATA["sections"] for entry in section["requirements"]}
SMALL = {
    "evidence": {
        "upgrade": {"verb": "check", "max_age_days": 7},
        "gold_standards": {"verb": "gold", "max_age_days": 7},
    },
    "sections": [
        {
            "id": "R2",
            "title": "Services",
            "source": "a test",
            "weight": 60,
            "requirements": [
                {
                    "id": "R2.redis",
                    "title": "Redis is fast",
                    "weight": 60,
                    "evidence": "upgrade",
                    "predicates": [
                        {"what": "p95", "path": "results.p95", "is": "<", "value": 1, "unit": "ms"},
                        {"what": "measurement", "path": "results.verdict", "is": "==", "value": "pass"},
                    ],
                }
            ],
        },
        {
            "id": "R1",
            "title": "Code",
            "source": "a test",
            "weight": 40,
            "requirements": [
                {
                    "id": "R1.code",
                    "title": "No mocks",
                    "weight": 40,
                    "evidence": "gold_standards",
                    "scope": "any",
                    "application": True,
                    "predicates": [{"what": "mocks", "path": "results.mocks", "is": "==", "value": 0}],
                }
            ],
        },
    ],
    "gates": [{"id": "gate", "title": "Gate", "requirements": ["R2.redis", "R1.code"]}],
}
FAST = {"p95": 0.5, "verdict": "pass"}


@pytest.fixture(autouse=True)
def small_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let evidence hold a figure or two: what it must hold is the schemas' business, and their tests'."""
    faults = schema.faults

    def envelope_alone(document: Any, name: str) -> list[str]:
        return faults(document, name if name == "evidence/readiness.schema.json" else "envelope.schema.json")

    monkeypatch.setattr(evidence, "faults", envelope_alone)


def leave(
    root: Path,
    results: dict[str, Any],
    *,
    name: str = "upgrade",
    host: str = "pc1",
    verdict: str = "pass",
    age: timedelta = timedelta(),
    provenance: str = "real",
) -> None:
    """Leave evidence of some age."""
    stamp = timestamp(NOW - age)
    evidence.write(root, evidence.make(name, "ready", host, verdict, results, stamp, provenance, stamp))


def look(root: Path, **options: Any) -> tuple[str, dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the verdict of the whole, the results, and the rows by id, for the small requirements."""
    data = options.pop("data", SMALL)
    assert requirements.check(data) == []
    parsed = requirements.parse(data, ["check"], ["redis"])
    options = {"hosts": ["pc1"], "now": NOW, **options}
    verdict, results = readiness.evaluate(parsed, evidence.read_all(root, "ready"), root, **options)
    document = evidence.make("readiness", "ready", "all", verdict, results, timestamp(NOW), finished_at=timestamp(NOW))
    assert evidence.check(document) == []
    return verdict, results, {row["id"]: row for row in results["requirements"]}
