"""Role container_service, run with the state of a host made up: of which containers its evidence of health is."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ready.evidence import document as evidence

from tests.unit.checks.test_actions import checked, health_evidence, resolved
from tests.unit.tools.warmed import program

ROOT = Path(__file__).resolve().parents[3]
PLAY = """
- hosts: pc1
  gather_facts: false
  roles: [container_service]
"""
#: Stands for all tasks that compare, change and wait.
APPLY = """
- name: Recreate the container
  ansible.builtin.set_fact:
    running: c2
    _container_service_waited: {redis: {healthy: true, state: healthy, seconds: 1.0, detail: "", logs: []}}
"""
ACTION = """
from ansible.plugins.action import ActionBase, VariableLayer

class ActionModule(ActionBase):
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        found = {"exists": True, "ours": True, "running": True, "status": "running", "health": "starting",
                 "id": str(task_vars["running"]), "started_at": "2026-01-01T00:00:00Z", "image": None, "config": {}}
        state = {"services": {"redis": found}, "volumes": {}, "others": []}
        if self._task.action == "stack_state":
            self.register_host_variables({"ready_state": state}, VariableLayer.EPHEMERAL_FACT)
        return super().run(tmp, task_vars) | {"changed": False}
"""


def test_what_was_checked_of_a_replaced_container_is_not_said_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `up --verify` would check nothing after a change, and the report would be of what is gone."""
    kept = tmp_path / "evidence"
    health_evidence(kept, monkeypatch)
    checked(kept)
    shutil.copytree(ROOT / "roles" / "container_service", tmp_path / "roles" / "container_service")
    (tmp_path / "roles" / "container_service" / "tasks" / "apply.yml").write_text(APPLY)
    (tmp_path / "action_plugins").mkdir()
    for name in ("stack_state", "stack_definition"):
        (tmp_path / "action_plugins" / f"{name}.py").write_text(ACTION)
    (tmp_path / "play.yml").write_text(PLAY)
    given = {"ready_stack": resolved(kept), "ansible_connection": "local"}
    (tmp_path / "given.json").write_text(json.dumps(given))
    (tmp_path / "hosts.yml").write_text("ready: {hosts: {pc1: {running: c1}}}\n")
    command = [
        program(),
        "-i",
        str(tmp_path / "hosts.yml"),
        "-e",
        f"@{tmp_path}/given.json",
        str(tmp_path / "play.yml"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    its = evidence.read(evidence.path_of(kept, "ready", "pc1", "health")).evidence["results"]["services"]["redis"]
    assert (its["container_id"], its["state"], its.get("checks")) == ("c2", "healthy", None)
