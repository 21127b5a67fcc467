"""Run an action plugin without Ansible: what it asks of modules, and what tasks get of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from tests.unit.project.test_modules import load

ROOT = Path(__file__).resolve().parents[2]
HOST = {"inventory_hostname": "pc1"}


class Asked:
    """The modules: what they were asked, and the answers that they give."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        self.answers, self.args = answers, {}  # type: dict[str, Any], dict[str, Any]

    def __call__(self, name: str, module_args: dict[str, Any], task_vars: object) -> dict[str, Any]:
        """Answer, as `_execute_module` does."""
        self.args[name] = module_args
        return dict(self.answers[name.rpartition(".")[2]])


def run(
    name: str, modules: Asked, monkeypatch: pytest.MonkeyPatch, check_mode: bool = False, **args: Any
) -> dict[str, Any]:
    """Run an action; its options are checked as Ansible does. What it registers is among what was asked."""
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})

    def validate(_: object, argument_spec: dict[str, Any], **__: Any) -> tuple[None, dict[str, Any]]:
        found = ArgumentSpecValidator(argument_spec).validate(args)
        assert found.error_messages == []
        return None, found.validated_parameters

    monkeypatch.setattr(ActionBase, "validate_argument_spec", validate)
    action = object.__new__(load(ROOT / "action_plugins" / f"{name}.py").ActionModule)
    action._task = SimpleNamespace(check_mode=check_mode, args=args)
    action._execute_module = modules
    action._templar = SimpleNamespace(template=lambda value: value)
    action.register_host_variables = lambda variables, _: modules.args.update(registered=variables)
    result: dict[str, Any] = action.run(None, HOST)
    return result
