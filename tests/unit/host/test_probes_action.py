"""The action probes_environment: what the controller knows goes to the module, the package where it is needed alone."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from ready.cli import wheel
from ready.host import installed

from tests.unit.actions import Asked, run
from tests.unit.conftest import resolved_stack

ROOT = Path(__file__).resolve().parents[3]


def test_a_look_sends_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what the environment must be of, and describes the stack when there is one."""
    lock = (ROOT / "requirements-probes.txt").read_text(encoding="utf-8")
    asked, stack = Asked(probes_environment={"changed": False, "complete": True}), resolved_stack()
    result = run("probes_environment", asked, monkeypatch, directory="/x", resolved=stack, adopt=True)
    assert result == {"changed": False, "complete": True}
    assert asked.args["probes_environment"] == {
        "directory": "/x",
        "adopt": True,
        "mark": installed.environment_mark(lock, wheel.fingerprint()),
        "stack": "ready",
        "description": installed.stack_description(stack),
    }
    run("probes_environment", asked, monkeypatch, directory="/x")
    assert set(asked.args["probes_environment"]) == {"directory", "adopt", "mark"}


def test_an_environment_is_made_of_lock_and_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the Python that is given."""
    asked = Asked(probes_environment={"changed": True, "complete": True})
    run("probes_environment", asked, monkeypatch, directory="/x", python="/usr/bin/python3")
    sent = asked.args["probes_environment"]
    lock = (ROOT / "requirements-probes.txt").read_text(encoding="utf-8")
    assert (sent["python"], sent["requirements"], sent["wheel_name"]) == ("/usr/bin/python3", lock, wheel.WHEEL)
    assert base64.b64decode(sent["wheel"]) == wheel.wheel()
    assert sent["mark"] == installed.environment_mark(sent["requirements"], sent["package"])
    assert "stack" not in sent


def test_paths_of_the_host_are_expanded_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The controller's home and environment are another account's."""
    monkeypatch.setenv("HOME", "/home/controller")
    asked = Asked(probes_environment={"changed": True, "complete": True})
    run("probes_environment", asked, monkeypatch, directory="~/probes", python="$HOME/bin/python3")
    sent = asked.args["probes_environment"]
    assert (sent["directory"], sent["python"]) == ("~/probes", "$HOME/bin/python3")
