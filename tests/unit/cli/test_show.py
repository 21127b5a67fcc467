"""What is printed is in the result as well: events and callbacks hold nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from tests.unit.project.test_modules import load

ROOT = Path(__file__).resolve().parents[3]


def action(name: str, args: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an action that was given these options."""
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", lambda *_: (None, args))
    return object.__new__(load(ROOT / "action_plugins" / f"{name}.py").ActionModule)


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is printed from here on."""
    texts: list[str] = []
    monkeypatch.setattr(Display, "display", lambda _, text, *__, **___: texts.append(text))
    return texts


def test_a_table_is_in_the_result(monkeypatch: pytest.MonkeyPatch, printed: list[str]) -> None:
    """With the values by their keys, not as they were laid out."""
    columns = [{"key": "service", "title": "Service", "style": None}]
    args = {"title": "pc1", "columns": columns, "rows": [{"service": "redis"}], "lines": ["1 service"]}
    result = action("show", args, monkeypatch).run(None, {})
    assert result == {"changed": False, "title": "pc1", "rows": [{"service": "redis"}], "lines": ["1 service"]}
    assert all(word in printed[0] for word in ("pc1", "redis", "1 service"))


def test_a_watch_returns_its_lines(monkeypatch: pytest.MonkeyPatch, printed: list[str]) -> None:
    """Those of the rounds and the summary."""
    args = {"stack": {"external": {}}, "interval": 0.0, "count": 1, "level": "probe", "deadline": 1.0}
    watch = action("service_watch", args, monkeypatch)
    watch._templar = SimpleNamespace(template=lambda value: value)
    monkeypatch.setitem(type(watch).run.__globals__, "packed_external", lambda *_: "")
    services = {"redis": {"verdict": "pass", "seconds": 0.1, "checks": {}}}
    watch._execute_module = lambda *_, **__: {"services": services}
    result = watch.run(None, {"inventory_hostname": "pc1"})
    assert result["watched"]["rounds"] == 1
    assert result["lines"] == "\n".join(printed).split("\n")
    assert all(line.startswith("pc1: ") for line in result["lines"])


def test_a_build_returns_its_progress(monkeypatch: pytest.MonkeyPatch, printed: list[str]) -> None:
    """As it came, in two portions."""
    build = action("image_build", {}, monkeypatch)
    monkeypatch.setattr("time.sleep", lambda _: None)
    portions = iter(["step 1\nstep 2\n", "redis: built in 3 s\n", ""])
    build._low_level_execute_command = lambda _: {"stdout": next(portions)}
    build._status = lambda *_: {"finished": 1, "image": {}} if len(printed) == 3 else {}
    assert build._follow("1", "/p", {})["lines"] == ["step 1", "step 2", "redis: built in 3 s"]
    assert printed == ["  step 1", "  step 2", "  redis: built in 3 s"]
