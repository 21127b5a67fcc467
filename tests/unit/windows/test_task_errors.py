"""What a refused task says: its causes apart, and never the password."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ready.secrets.search import secret_forms
from ready.windows import task_errors

from tests.simulator.conditions import host_in
from tests.simulator.handlers.modules import win_scheduled_task
from tests.simulator.host import ModuleCall
from tests.simulator.inventory import DISTRO
from tests.simulator.model import Windows
from tests.unit.windows.test_plans import WSL, state_of
from tests.unit.windows.test_scripts import ROOT

NAME = f"keep {DISTRO}"


def make(host: Windows, password: str = "Pw-of-ready-1") -> dict[str, Any]:  # noqa: S107
    """Return what the module says when role wsl2 makes its task."""
    args = {
        "name": NAME,
        "username": host.account,
        "password": password,
        "actions": [{"path": "C:\\Program Files\\WSL\\wsl.exe", "arguments": f"-d {DISTRO}"}],
        "triggers": [{"type": "boot"}],
        "execution_time_limit": "PT0S",
    }
    return win_scheduled_task(host, ModuleCall("win_scheduled_task", args, False, False, None, {}))


def refused(host: Windows, result: dict[str, Any], password: str = "Pw-of-ready-1", **other: str) -> str:  # noqa: S107
    """Return the message about it."""
    account = state_of(host)["account"] | other
    given = {"task": NAME, "variable": "wsl2_owner_password", "host": host.name}
    return task_errors.refusal(result, account, password=password, **given)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("0x8007052E", ["password is wrong", "correct wsl2_owner_password", "a PIN alone"]),
        ("0x80070520", ["DisableDomainCreds is 1", "Do not allow storage of passwords"]),
        ("0x80070569", ["may not log on as a batch job", "SeBatchLogonRight"]),
        ("0x80070534", ["no account of that name", "ansible_user"]),
        ("0x800710DD", ["0x800710DD", "see wsl2_owner_password and docs/windows.md"]),
    ],
)
def test_each_cause_has_its_words(code: str, words: list[str]) -> None:
    """By its code, as the rest is in German here."""
    host = host_in("with-wsl")
    host.faults["task_refused"] = code
    message = refused(host, make(host))
    assert [word for word in words if word not in message] == [], message
    assert message.startswith(f"pc1: task Ready\\{NAME}: found that Windows refuses it")
    assert "; expected a task that runs as PC1\\ready with its password stored. Next: " in message


def test_task_that_was_taken_says_nothing() -> None:
    """As it is made, and as it is there already."""
    host = host_in("with-wsl")
    assert [refused(host, make(host)), refused(host, make(host))] == ["", ""]
    assert refused(host, {"skipped": True, "skip_reason": "x"}) == ""


def test_account_of_entra_is_named() -> None:
    """Its right password is refused with the same code as a wrong one."""
    host = host_in("with-wsl")
    message = refused(host, make(host, "wrong"), sid="S-1-12-1-1-2-3-4", name="AzureAD\\anna")
    assert "Microsoft Entra account" in message
    assert "connect as a local or a domain account" in message


@pytest.mark.parametrize("text", ["bad: {0}", "XML: <p>{0}</p> (0x8007052E)", "{0}"])
def test_password_stands_in_no_message(text: str) -> None:
    """Whatever Windows quotes; win_scheduled_task cleans nothing out of it."""
    host = host_in("with-wsl")
    secret = "It's%20 4-Secret"
    for form in secret_forms(secret):
        if secret_forms(secret)[form] != "utf-16":
            message = refused(host, {"msg": text.format(form.decode())}, secret)
            assert form.decode() not in message
            assert "***" in message


def test_failure_without_a_message_is_one() -> None:
    """Such as an exception that nobody gave words to."""
    assert "(no answer)" in refused(host_in("with-wsl"), {"failed_when_suppressed_exception": "x"})


def test_half_made_task_is_made_right_by_the_next_run() -> None:
    """Windows refused the password, and the module had registered the task without it."""
    from ready.windows import wsl

    host = host_in("with-distro")
    del host.tasks[NAME]
    host.faults["task_refused"] = "0x80070520"
    make(host)
    assert NAME in host.tasks
    assert wsl.plan(state_of(host), **WSL)["keepalive_task"]["needed"]


def tasks_of(items: list[dict[str, Any]]) -> list[tuple[dict[str, Any], bool]]:
    """Return each task of a file, with whether a rescue follows it."""
    found: list[tuple[dict[str, Any], bool]] = []
    for item in items:
        inner = tasks_of(item.get("block", [])) + tasks_of(item.get("rescue", []))
        found += [(task, rescued or "rescue" in item) for task, rescued in inner] or [(item, False)]
    return found


def test_no_task_for_windows_hides_why_it_failed() -> None:
    """Each with no_log keeps its failure for a message of ours: by failed_when, or by a rescue."""
    roles = ("wsl2", "docker_desktop", "windows_network", "windows_preflight", "windows_task")
    paths = [path for role in roles for path in sorted((ROOT / "roles" / role / "tasks").glob("*.yml"))]
    paths += sorted((ROOT / "playbooks").glob("windows*.yml"))
    paths = [path for path in paths if not path.name.endswith(".meta.yml")]
    hidden = []
    for path in paths:
        content = yaml.safe_load(path.read_text())
        plays = [play["tasks"] for play in content if "tasks" in play] or [content]
        for task, rescued in [entry for play in plays for entry in tasks_of(play)]:
            if task.get("no_log") and not rescued and not (task.get("failed_when") is False and task.get("register")):
                hidden.append(f"{path.name}: {task['name']}")
    assert hidden == []
