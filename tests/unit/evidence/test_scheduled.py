"""Evidence of runs by timer: what is newer than the controller's, and what is no evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.evidence import document as evidence
from ready.evidence.scheduled import newer_outcomes

from tests.unit.actions import Asked, run

BEGAN, ENDED = "2026-11-24T21:00:00Z", "2026-11-24T21:00:09Z"
WHY = {"error": "no restic"}
OF_IT = {"started_at": BEGAN, "finished_at": ENDED, "verdict": "fail"}
RAN: list[dict[str, Any]] = [{"name": name, "results": WHY, **OF_IT} for name in ("backup", "drill")]
DAMAGED: list[dict[str, Any]] = [
    {"name": "backup"},
    {"name": "wal", **OF_IT},
    {},
    {"finished_at": ENDED},
    {**RAN[0], "finished_at": 7},
    {key: its for key, its in RAN[0].items() if key != "finished_at"},
    {"name": "drill", "results": {"of": "another version"}, **OF_IT},
]


def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *outcomes: Any, check_mode: bool = False) -> dict[str, Any]:
    """Run the action that writes it."""
    stack = {"name": "ready", "evidence_dir": str(tmp_path)}
    return run("scheduled_evidence", Asked(), monkeypatch, check_mode, stack=stack, outcomes=list(outcomes))


def test_a_state_has_what_the_controller_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is evidence, the next state is without it; one that failed to be read becomes no variable."""
    modules = Asked(stack_state={"state": {"outcomes": RAN, "reachable": True}})
    stack = {"name": "ready", "evidence_dir": str(tmp_path)}
    for expected in (RAN, []):
        run("stack_state", modules, monkeypatch, stack=stack)
        assert modules.args["registered"]["ready_state"] == {"outcomes": expected, "reachable": True}
        left(tmp_path, monkeypatch, *expected)
    broken = Asked(stack_state={"failed": True, "msg": "the journal is damaged"})
    assert run("stack_state", broken, monkeypatch, stack=stack)["failed"]
    assert "registered" not in broken.args


def test_a_timers_failure_becomes_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, in check mode not; what is older than the controller's is left out."""
    found = left(tmp_path, monkeypatch, *RAN, check_mode=True)
    assert found["written"] == ["backup: fail", "drill: fail"]
    assert newer_outcomes(RAN, tmp_path, "ready", "pc1") == RAN
    assert left(tmp_path, monkeypatch, *RAN) == found
    assert newer_outcomes(RAN, tmp_path, "ready", "pc1") == []
    document = evidence.read(evidence.path_of(tmp_path, "ready", "pc1", "drill")).evidence
    assert (document["finished_at"], document["verdict"], document["results"]) == (ENDED, "fail", WHY)
    later = RAN[0] | {"finished_at": "2026-11-25T21:00:09Z"}
    assert newer_outcomes([later, RAN[1]], tmp_path, "ready", "pc1") == [later]
    assert newer_outcomes(RAN, tmp_path, "ready", "pc2") == RAN


@pytest.mark.parametrize("damaged", DAMAGED)
def test_what_is_no_evidence_is_said(damaged: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the others are written all the same."""
    assert newer_outcomes([damaged], tmp_path, "ready", "pc1") == [damaged]
    found = left(tmp_path, monkeypatch, damaged, RAN[0])
    assert found["written"] == ["backup: fail"]
    (warning,) = found["warnings"]
    assert warning.startswith(f"pc1: the outcome of the {damaged.get('name', 'run')} by timer is no evidence: ")
    assert [path.name for path in tmp_path.glob("*/*/*")] == ["backup.json"]
