"""The action gold_standards: what it compares with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ready.evidence import document as evidence

from tests.unit.actions import Asked, run


def judged(project: Path, stack: dict[str, Any], monkeypatch: pytest.MonkeyPatch, **other: Any) -> dict[str, Any]:
    """Judge a project; return the results of its evidence."""
    found = run("gold_standards", Asked(), monkeypatch, path=str(project), stack=stack, **other)
    return dict(found["results"])


def test_a_trend_is_since_the_stacks_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this host and the same project; of other files there is none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stack, project = {"name": "ready", "evidence_dir": str(tmp_path / "evidence")}, tmp_path / "shop"
    project.mkdir()
    (project / "flows.py").write_text('from kailash.workflow.builder import WorkflowBuilder\nKEY = "a"\n')
    first = judged(project, stack, monkeypatch)
    assert first["trend"] is None
    document = evidence.make("gold_standards", "ready", "pc1", "pass", first, "2026-01-01T00:00:00Z")
    evidence.write(tmp_path / "evidence", document)
    (project / "more.py").write_text("import fcntl\nfrom kailash.runtime.local import LocalRuntime\n")
    trend = judged(project, stack, monkeypatch)["trend"]
    assert trend["new"] > 0
    assert trend["fixed"] == 0
    assert judged(project, {**stack, "name": "other"}, monkeypatch)["trend"] is None
    assert judged(project, stack, monkeypatch, exclude=["more.py"])["trend"] is None


def test_a_report_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next step is the end of the message; Ansible adds what one is raised from, which says the same again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stack, project = {"name": "ready", "evidence_dir": str(tmp_path / "evidence")}, tmp_path / "shop"
    project.mkdir()
    (project / "flows.py").write_text("import fcntl\n")
    with pytest.raises(AnsibleActionFail, match=r"/flows\.py: found file exists; .*Next: see to it, or name another$"):
        judged(project, stack, monkeypatch, output=str(project / "flows.py" / "report"))
