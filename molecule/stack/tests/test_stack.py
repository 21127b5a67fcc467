"""The whole stack: data through a restart of every container, evidence and report on disk."""

from __future__ import annotations

import json

from tests.hardening import assert_hardened
from tests.stack import molecule_stack

SERVICES = ["postgresql", "neo4j", "chromadb", "redis", "gateway"]
STACK = molecule_stack(SERVICES)
EVIDENCE = STACK.key_file.parent / "evidence" / STACK.name


def test_data_in_all_four() -> None:
    """Data go in, and are there, also on the second verify after the idempotence run."""
    STACK.write()
    STACK.check()


def test_hardened() -> None:
    """Every container is."""
    for service in SERVICES:
        assert_hardened(STACK, service)


def test_evidence_and_report() -> None:
    """Preflight and health passed on disk; the report is made of them, as data and as a page."""
    for name in ("preflight", "health"):
        evidence = json.loads((EVIDENCE / "localhost" / f"{name}.json").read_text())
        assert evidence["provenance"] == "real"
        assert evidence["verdict"] in {"pass", "insufficient_data" if name == "preflight" else "pass"}, evidence
    health = json.loads((EVIDENCE / "localhost" / "health.json").read_text())
    assert {name: item["state"] for name, item in health["results"]["services"].items()} == dict.fromkeys(
        SERVICES, "healthy"
    )
    assert json.loads((EVIDENCE / "readiness.json").read_text())["schema"].startswith("ready/readiness/")
    assert "<html" in (EVIDENCE / "readiness.html").read_text()


def test_no_secret_in_evidence() -> None:
    """No file of evidence or report holds a password."""
    text = "".join(path.read_text() for path in EVIDENCE.rglob("*") if path.is_file())
    for service in SERVICES:
        for password in STACK.passwords(service).values():
            assert password not in text
