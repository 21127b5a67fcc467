"""Secrets in whole runs: what stops a rotation, and what is written where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ready.secrets.vault import SecretStore
from ready.stack.argument_specs import role_specs

from tests.unit.conftest import resolved_stack

ROOT = Path(__file__).resolve().parents[3]


def run(
    directory: Path, passwords: dict[str, Any], tasks: list[dict[str, Any]], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run tasks for a host whose secrets file has these passwords."""
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (directory / "hosts.yml").write_text(json.dumps({"ready": {"hosts": {"localhost": host}}}))
    store = SecretStore.open(directory / "host_vars" / "localhost" / "ready_secrets.vault", directory / "key")
    store.data["stacks"]["ready"] = {
        name: {account: {"password": its} for account, its in accounts.items()} for name, accounts in passwords.items()
    }
    store.save()
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks, "environment": {"DOCKER_HOST": "unix:///none"}}
    (directory / "play.yml").write_text(json.dumps([play]))
    names = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOG_PATH": str(directory / "log")}
    return subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", *arguments, "play.yml"],
        cwd=directory,
        env=os.environ | names | {"READY_VAULT_KEY_FILE": str(store.key_file)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("services", "fits"), [("neo4j", False), ("neo4j,redis", True)])
def test_refused_passwords_of_other_services(tmp_path: Path, services: str, fits: bool) -> None:
    """They were found when the new passwords had been saved, and the step then lost those that the stores have."""
    role = {"import_role": {"name": "stack", "tasks_from": "rotate"}, "vars": {"ready_service": services}}
    refused = {name: {"admin": "test_password"} for name in ("redis", "gone")}
    done = run(tmp_path, refused, [role])
    shown = done.stdout + done.stderr
    assert (done.returncode == 0) is fits, shown
    assert ("the password of redis's account admin" in shown) is not fits, shown
    assert "gone" not in shown, shown
    assert "test_password" not in shown


def test_what_is_printed_is_not_logged(tmp_path: Path) -> None:
    """A password that somebody asks for is printed; Ansible's log, and arguments with -vvvv, have none."""
    secret, variable = "Xk3vQ9mT2bLw7RzN5cHs8JdF4gYp6AeU", "hunter2-registry-secret"
    usual = role_specs()["stack"]["main"]["options"]["ready_services"]["default"]
    accounts = {name: its["accounts"] for name, its in resolved_stack(ready_services=usual)["services"].items()}
    passwords = {name: {account: f"{secret}.{account}" for account in its} for name, its in accounts.items()}
    role = {"import_role": {"name": "stack"}}
    show = {"stack_secrets": {"stack": "{{ ready_stack }}", "action": "show"}}
    done = run(tmp_path, passwords, [role, show], "-vvvv", "-e", f"registry_password={variable}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert secret in done.stdout
    log = (tmp_path / "log").read_text()
    assert "PLAY RECAP" in log
    assert secret not in log
    assert variable not in done.stdout + done.stderr + log
    assert "arguments: -i hosts.yml -vvvv -e …" in done.stdout
