"""What the callback leaves of a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import context
from ready.evidence import document as evidence

from callback_plugins.ready_fleet import CallbackModule
from tests.unit.evidence.test_fleet import inventory


def ended(monkeypatch: pytest.MonkeyPatch, root: Path, failed: bool, tags: tuple[str, ...]) -> str:
    """Run `up` over a host to its end; return how the evidence says that its last run ended."""
    hostvars = inventory(root, linux=1)
    its: Any = CallbackModule()
    monkeypatch.setattr(context, "CLIARGS", {"check": False, "tags": tags})
    manager = SimpleNamespace(get_vars=lambda **_: {"hostvars": hostvars})
    its._playbook, its._play, its._seen = "up", SimpleNamespace(get_variable_manager=lambda: manager), {"srv1"}
    failures = {"srv1": 1} if failed else {}
    its.v2_playbook_on_stats(SimpleNamespace(processed={"srv1": 1}, dark={}, failures=failures, changed={}))
    return str(evidence.read(evidence.path_of(root, "ready", "srv1", "run")).evidence["results"]["outcome"])


def test_a_part_of_a_run_says_nothing_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that failed is no good one after its report alone, nor is a good one bad after a tag that is none."""
    assert ended(monkeypatch, tmp_path, True, ("all",)) == "failed"
    assert ended(monkeypatch, tmp_path, False, ("report",)) == "failed"
    assert ended(monkeypatch, tmp_path, False, ("all",)) == "ok"
    assert ended(monkeypatch, tmp_path, True, ("reprot",)) == "ok"
    assert ended(monkeypatch, tmp_path, True, ()) == "failed"
