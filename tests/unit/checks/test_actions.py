"""The actions around a check: what they read of earlier evidence, and what they leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ready.docker.wait import Readiness
from ready.evidence import document as evidence
from ready.stack.definitions import load_definitions, resolve_stack

from tests.unit.actions import Asked, run

CHECK = {"verdict": "pass", "seconds": 0.01, "detail": "", "figures": {}}


def resolved(directory: Path) -> dict[str, Any]:
    """Return a stack of Redis alone, whose evidence lies there."""
    variables = {"stack_name": "ready", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    return resolve_stack(load_definitions(), variables) | {"evidence_dir": str(directory)}


def health_evidence(directory: Path, monkeypatch: pytest.MonkeyPatch, **other: Any) -> dict[str, Any]:
    """Run the action for a Redis that is well."""
    found = {"exists": True, "ours": True, "running": True, "status": "running", "health": "healthy", "id": "c1",
             "started_at": "2026-01-01T00:00:00Z", "image": None, "config": {}}  # fmt: skip
    state = {"services": {"redis": found}, "volumes": {}, "others": []} | other.pop("state", {})
    return run("health_evidence", Asked(), monkeypatch, stack=resolved(directory), state=state, **other)


def checked(directory: Path) -> None:
    """Leave evidence of health as `check` does after that: with what Redis answered."""
    document: Any = evidence.read(evidence.path_of(directory, "ready", "pc1", "health")).evidence
    document["results"]["services"]["redis"]["checks"] = {"key_value": CHECK}
    evidence.write(directory, document)


def test_up_verifies_until_everything_was_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the evidence as it is after this task, and only where it was asked for; a failed part is checked again."""
    assert health_evidence(tmp_path, monkeypatch)["check_needed"] is False
    assert health_evidence(tmp_path, monkeypatch, verify=True)["check_needed"] is True
    checked(tmp_path)
    assert health_evidence(tmp_path, monkeypatch, verify=True)["check_needed"] is False
    other = {"state": {"others": [{"name": "ready-old"}]}}
    assert health_evidence(tmp_path, monkeypatch, verify=True, **other)["check_needed"] is True
    assert health_evidence(tmp_path, monkeypatch, **other)["check_needed"] is False
    row = {"service": "redis", "title": "x", "cis": "5.1", "found": "x", "expected": "y", "how": "docker inspect",
           "id": "S1", "verdict": "fail", "waiver": None}  # fmt: skip
    found = {"checks": [row], "seconds": 0.0, "docker_version": "29"}
    evidence.write(tmp_path, evidence.make("security", "ready", "pc1", "fail", found, "2026-01-01T00:00:00Z"))
    assert health_evidence(tmp_path, monkeypatch, verify=True)["check_needed"] is True


def test_evidence_that_cannot_be_written_hides_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk must not be the only thing that a user reads of a service that does not start."""
    (tmp_path / "evidence").write_text("a file is no directory")
    waited = {"redis": vars(Readiness("redis", state="exited", detail="the container is exited (exit code 1)"))}
    with pytest.raises(AnsibleActionFail) as failed:
        health_evidence(tmp_path / "evidence", monkeypatch, waited=waited)
    assert "redis is exited" in str(failed.value)
    assert "no evidence of health was written" in str(failed.value)


def test_health_is_left_unless_a_check_said_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In check mode nothing is; what a check found of the same containers stays."""
    path = evidence.path_of(tmp_path, "ready", "pc1", "health")
    health_evidence(tmp_path, monkeypatch, check_mode=True)
    assert not path.exists()
    health_evidence(tmp_path, monkeypatch)
    checked(tmp_path)
    before = path.read_text()
    health_evidence(tmp_path, monkeypatch)
    assert path.read_text() == before
    waited = {"redis": {"healthy": True, "state": "starting", "seconds": 1.0, "detail": "", "logs": []}}
    health_evidence(tmp_path, monkeypatch, waited=waited)
    assert path.read_text() != before


@pytest.mark.parametrize(("accept", "asked"), [(False, {"results": {"services": {"redis": 1}}}), (True, None)])
def test_latency_is_measured_against_its_evidence(
    accept: bool, asked: dict[str, Any] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless it becomes the baseline: then nothing is compared."""
    places = []

    def earlier(*place: Any) -> dict[str, Any]:
        places.append(place)
        return {"results": {"services": {"redis": 1}}}

    monkeypatch.setattr(evidence, "earlier", earlier)
    monkeypatch.setattr("ready.secrets.inventory_store.packed_external", lambda *_: "packed")
    modules = Asked(stack_check={"latency": {}})
    run("stack_check", modules, monkeypatch, stack=resolved(tmp_path), parts=["latency"], accept=accept)
    given = modules.args["stack_check"]
    assert given.get("previous") == asked
    assert places == ([] if accept else [(tmp_path, "ready", "pc1", "latency")])
    assert (given["external"], "accept" in given) == ("packed", False)
