"""Evidence: written whole or not at all, and never believed blindly."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import ready
import tomllib
from ready.evidence import document as evidence

STARTED = "2026-01-31T10:00:00Z"
SERVICE: dict[str, Any] = {
    "state": "healthy",
    "seconds": 1.5,
    "image": "ready/redis:7",
    "image_id": "sha256:0",
    "source": "build",
    "engine_version": "7.0.15",
    "detail": "",
}


def health(host: str = "pc1", **changes: Any) -> evidence.Evidence:
    """Return good evidence of health, with changes to its envelope."""
    document = evidence.make("health", "ready", host, "pass", {"services": {"redis": dict(SERVICE)}}, STARTED)
    document.update(changes)  # type: ignore[typeddict-item]
    return document


def test_write_and_read_agree(tmp_path: Path) -> None:
    """What is read is what was written, at the place that the contract names, readable to all."""
    path = evidence.write(tmp_path, health())
    assert path == tmp_path / "ready" / "pc1" / "health.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert evidence.read(path).evidence == health(finished_at=json.loads(path.read_text())["finished_at"])
    assert [item.name for item in path.parent.iterdir()] == ["health.json"], "a temporary file was left"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"verdict": "fine"}, 'verdict: found "fine", expected one of pass, fail'),
        ({"provenance": "guessed"}, "provenance: found"),
        ({"started_at": "yesterday"}, "started_at: found"),
        ({"started_at": "2026-01-31T10:00:00+02:00"}, "started_at: found"),
        ({"finished_at": "2026-01-30T10:00:00Z"}, "no earlier than started_at"),
        ({"finished_at": "2026-13-30T10:00:00Z"}, "month must be"),
        ({"schema": "ready/weather/1"}, "schema: found"),
        ({"schema": "ready/health/2"}, "schema: found"),
        ({"results": {"services": {"redis": {**SERVICE, "state": "fine"}}}}, "results.services.redis.state: found"),
        ({"results": {}}, "results: found"),
        ({"password": "x"}, "password"),
        ({"host": "../../etc"}, "expected a name of a stack or host"),
        ({"host": "pc1/pc2"}, "expected a name of a stack or host"),
        ({"host": ".."}, "expected a name of a stack or host"),
        ({"results": {"services": {"redis": {**SERVICE, "more": float("nan")}}}}, "could not be written"),
        ({"results": {"services": {"redis": {**SERVICE, "more": object()}}}}, "could not be written"),
    ],
)
def test_what_does_not_fit_leaves_the_former_file(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    """A bad document is refused with its place, and the good one stays, byte for byte."""
    path = evidence.write(tmp_path, health())
    before = path.read_bytes()
    with pytest.raises(evidence.EvidenceError, match=re.escape(expected)):
        evidence.write(tmp_path, health(**changes))
    assert path.read_bytes() == before
    assert [item.relative_to(tmp_path).as_posix() for item in tmp_path.rglob("*.json*")] == ["ready/pc1/health.json"]


def test_crash_while_replacing_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads finds the old file whole, and no rubbish stays."""
    path = evidence.write(tmp_path, health())
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(evidence.EvidenceError, match="No space left"):
        evidence.write(tmp_path, health(verdict="fail"))
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_evidence_about_the_whole_stack_lies_beside_the_hosts(tmp_path: Path) -> None:
    """It can't be taken for a host's."""
    assert evidence.path_of(tmp_path, "ready", evidence.ALL_HOSTS, "readiness") == tmp_path / "ready" / "readiness.json"


@pytest.mark.parametrize(
    ("place", "content", "expected"),
    [
        ("pc1/health.json", "{", "unreadable"),
        ("pc1/health.json", "[]", "expected evidence"),
        ("pc1/health.json", json.dumps(health(verdict="fine")), "invalid"),
        ("pc1/health.json", json.dumps(health(host="pc2")), "foreign: it says ready/pc2/health"),
        ("pc1/health.json", json.dumps(health(stack="other")), "foreign"),
        ("pc1/latency.json", json.dumps(health()), "foreign"),
        ("pc1/notes.json", json.dumps(health()), "foreign"),
    ],
)
def test_what_may_not_be_believed_is_reported(tmp_path: Path, place: str, content: str, expected: str) -> None:
    """A bad or moved file is named and left out; the good ones are read."""
    evidence.write(tmp_path, health("pc9"))
    path = tmp_path / "ready" / place
    path.parent.mkdir()
    path.write_text(content)
    found = evidence.read_all(tmp_path, "ready")
    assert list(found.hosts) == ["pc9"]
    assert len(found.faults) == 1
    assert f"ready/{place}: " in found.faults[0]
    assert expected in found.faults[0]


def test_no_directory_is_no_evidence(tmp_path: Path) -> None:
    """Before the first verb there is nothing, which is no fault."""
    assert evidence.read_all(tmp_path / "absent", "ready") == evidence.Found()


def test_version_stands_once() -> None:
    """Evidence carries the package's version, and pyproject.toml names none of its own."""
    project = tomllib.loads((Path(__file__).resolve().parents[3] / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert "version" not in project
    assert health()["ready_version"] == ready.__version__


def test_documented_names_of_the_package() -> None:
    """docs/evidence.md names three functions of `ready.evidence`; no other name is there by chance."""
    import ready.evidence as package

    assert (package.write, package.read, package.read_all) == (evidence.write, evidence.read, evidence.read_all)
    assert not hasattr(package, "no_such_function")
