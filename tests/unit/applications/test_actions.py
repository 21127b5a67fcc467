"""The action of role frameworks: it judges what the module found, by the parts that were asked for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ready.applications.frameworks import PARTS

from tests.unit.project.test_modules import load

ACTION = load(Path(__file__).resolve().parents[3] / "action_plugins" / "frameworks.py")
ANSWER = {
    "found": {},
    "run": {"seconds": 1.0, "timed_out": True, "oom_killed": False, "exit_code": None, "output": ""},
    "database": {"fault": "", "stays": "", "dropped": False},
    "out_of_reach": {},
}


@pytest.mark.parametrize("only", [list(PARTS), ["dataflow"]])
def test_what_was_found_is_judged(only: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that shows nothing has a verdict for every part that was asked for, and none passes."""
    given = {"stack": {"name": "ready"}, "image": "kailash:1", "only": only, "time_limit": 600.0, "tokens": 20000}
    asked: dict[str, Any] = {}

    def execute(name: str, module_args: dict[str, Any], task_vars: object) -> dict[str, Any]:
        asked.update(module_args)
        return dict(ANSWER)

    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(ACTION, "packed_external", lambda *_: "")
    action = object.__new__(ACTION.ActionModule)
    action._task = SimpleNamespace(check_mode=False, args=given)
    action._templar = SimpleNamespace(template=lambda value: value)
    action._execute_module = execute
    action.validate_argument_spec = lambda *_, **__: (None, dict(given))
    report = action.run(None, {"inventory_hostname": "pc1"})["report"]
    assert asked["only"] == only
    assert set(only) <= set(report["results"])
    assert report["verdict"] != "pass"
