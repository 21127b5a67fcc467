"""pre-commit runs what the lint stage runs: a check that only one of them has would be found late, or by nobody."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import yaml

from tools.testing.catalogue import BIN, ROOT, lint

CONFIG = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS = [hook for repository in CONFIG["repos"] for hook in repository["hooks"]]


def test_hooks_are_the_steps_of_the_lint_stage() -> None:
    """Same names, same commands; the programs are those of the project's environment."""
    hooks = {hook["name"]: shlex.split(hook["entry"]) for hook in HOOKS}
    steps = {step.name: list(step.command) for step in lint()}
    for command in steps.values():
        program = "python" if command[0] == sys.executable else Path(command[0]).relative_to(BIN)
        command[0] = f".venv/bin/{program}"
    assert hooks == steps


def test_hooks_see_the_whole_project() -> None:
    """A change of one file makes another one wrong: none of them looks at the files of the commit alone."""
    assert {repository["repo"] for repository in CONFIG["repos"]} == {"local"}
    for hook in HOOKS:
        assert (hook["language"], hook["pass_filenames"], hook["always_run"]) == ("system", False, True), hook["id"]


def test_hooks_run_when_git_asks() -> None:
    """`pre-commit install` without options switches all of them on."""
    asked = {stage for hook in HOOKS for stage in hook.get("stages", CONFIG["default_stages"])}
    assert set(CONFIG["default_install_hook_types"]) == asked
