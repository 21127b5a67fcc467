"""A task that fails tells no secret that it was given: Ansible prints the message, `no_log` or not."""

from __future__ import annotations

import base64
import json
import os
import runpy
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ansible.module_utils.basic
import pytest
from ansible.errors import AnsibleActionFail
from ansible.module_utils.ready.backups.restic import repository
from ansible.module_utils.ready.docker import readback
from ansible.module_utils.ready.docker import state as docker_state
from ansible.module_utils.ready.secrets import redaction
from ansible.plugins.action import ActionBase
from ready.common.config_file import File
from ready.secrets.file_transfer import pack_files
from ready.secrets.search import Search

from action_plugins.windows_script import ActionModule

ROOT = Path(__file__).resolve().parents[3]
MODULES = [path.stem for path in sorted((ROOT / "library").glob("*.py")) if "\ndef main(" in path.read_text()]
SECRET = "Hunter2-is-my/own+secret"
SEARCH = Search({"services": {}}, {"given": {"secret": SECRET}})
#: What a driver says that quotes its input, in each form.
QUOTED = f"cannot read {SECRET!r} nor {base64.b64encode(SECRET.encode()).decode()}"
FILES = {
    "redis": [File("redis.conf", b"port 6379"), File("secrets/app", SECRET.encode()), File("tls/server.key", b"a\nb")]
}
ENCODED = {
    name: base64.b64encode(text.encode()).decode()
    for name, text in {"key": f"{SECRET}\n", "environment.json": json.dumps({"AWS_SECRET_ACCESS_KEY": SECRET})}.items()
}
STACK = {"name": "s", "services": {"redis": {"image": {"user": "0:0"}, "config_volume": "s_redis_config"}}}
#: Module -> what it gets of secrets, and the function in it that then fails.
GIVEN: dict[str, tuple[dict[str, Any], str]] = {
    "volume_files": (
        {"files": pack_files(FILES), "create": [], "services": ["redis"], "keep": [], "reload": []},
        "write_volume",
    ),
    "stack_trial": (
        {"files": pack_files(FILES), "host": "h", "services": ["redis"], "specs": {"redis": {"memory": 0}}},
        "try_out",
    ),
    "backup_settings": ({"files": json.dumps(ENCODED), "runner": ""}, "apply"),
    "image_sources": (
        {key: {} for key in ("wanted", "mirror", "lock", "archives", "archive_reason", "recipes", "held")}
        | {"password": SECRET, "username": "u", "timeout": 1},
        "choose_all",
    ),
    "stack_secrets": ({}, "read_secrets"),
}


class FailedError(BaseException):
    """A module ended by fail_json."""


def run(
    name: str, monkeypatch: pytest.MonkeyPatch, params: Any, fails: str = "", error: Exception | None = None
) -> str:
    """Run a module as Ansible does; return all that it says when the function `fails` of it raises `error`."""

    class Stub:
        check_mode = False

        def __init__(self, **_: Any) -> None:
            if isinstance(params, Exception):
                raise params
            self.params = {"stack": STACK, "images": {"redis": {"id": "x"}}} | params

        def fail_json(self, **said: Any) -> None:
            raise FailedError(json.dumps(said)) from None

    def fail(*_: Any, **__: Any) -> None:
        raise error or AssertionError

    monkeypatch.setattr(ansible.module_utils.basic, "AnsibleModule", Stub)
    path = ROOT / "library" / f"{name}.py"
    if fails:  # what the module imports by name is replaced where it comes from
        source = runpy.run_path(str(path))[fails]
        monkeypatch.setattr(sys.modules[source.__module__], fails, fail)
        monkeypatch.setattr(docker_state, "connect", lambda *_, **__: None)
    with pytest.raises((FailedError, redaction.UnexpectedError)) as caught:
        runpy.run_path(str(path), run_name="__main__")
    assert caught.value.__cause__ is None
    return "".join(traceback.format_exception(caught.value, limit=0))


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin as a process does."""
    monkeypatch.setattr(redaction, "_held", set())


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("kind", [RuntimeError, docker_state.EngineError, OSError])
def test_modules_tell_nothing_of_what_they_got(name: str, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether they caught it or not."""
    params, fails = GIVEN[name]
    if name == "stack_secrets":  # which gets its secrets from the containers
        redaction.register_secrets([SECRET])
    monkeypatch.setenv("DOCKER_HOST", "tcp://nowhere:1")  # so that no memory is looked at
    monkeypatch.setattr(repository, "program", lambda: None)
    said = run(name, monkeypatch, params, fails, kind(QUOTED))
    assert "cannot read" in said
    assert SEARCH.text(said, name) == []


@pytest.mark.parametrize("name", MODULES)
def test_every_module_ends_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was read before, from a container or from a file."""
    redaction.register_secrets([SECRET])
    said = run(name, monkeypatch, RuntimeError(QUOTED))
    assert "RuntimeError: cannot read" in said
    assert "test_redaction.py, line" in said
    assert SEARCH.text(said, name) == []


def test_script_of_windows_quotes_no_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    """PowerShell does; the orders for a distro hold its proxy, and the task that sends them is in no_log."""
    orders = base64.b64encode(f"file 0600 /etc/ready/windows-proxy.env {SECRET}".encode()).decode()
    args = {"id": "native_run", "parameters": {"Program": "wsl", "Stdin": orders}}
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", lambda *_: (None, args))
    action = object.__new__(ActionModule)
    action._task = SimpleNamespace(check_mode=False, no_log=True)
    said = f'Cannot convert value "{orders}" of parameter Stdin for wsl'
    action._execute_module = lambda *_, **__: {"failed": True, "msg": said}
    with pytest.raises(AnsibleActionFail) as caught:
        action.run(None, {"inventory_hostname": "pc1"})
    assert 'Cannot convert value "***" of parameter Stdin for wsl' in str(caught.value)
    assert SEARCH.text(str(caught.value), "windows_script") == []


def test_no_module_warns() -> None:
    """Warnings of a task are printed in full, and nothing takes secrets out of them."""
    texts = {path: path.read_text() for top in ("library", "module_utils") for path in (ROOT / top).rglob("*.py")}
    assert [str(path) for path, text in texts.items() if ".warn(" in text] == []


def test_passwords_that_are_read_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the containers, by whoever reads them."""
    monkeypatch.setattr(readback, "_ours", lambda *_: [("redis", None)])
    monkeypatch.setattr(readback, "read_files", lambda *_: [("app", 0, "", SECRET.encode())])
    readback.read_secrets(None, {"services": {"redis": {"accounts": {"app": {}}}}})
    assert SEARCH.text(redaction.redacted(QUOTED), "here") == []


def test_short_texts_are_no_secrets() -> None:
    """Else a message would lose its words."""
    redaction.register_secrets(["", "red"])
    assert redaction.redacted("redis is red") == "redis is red"


def test_whole_output_of_ansible(tmp_path: Path) -> None:
    """A module that fails with what it has read, and one that does so without the guard, to see that it counts."""
    code = (
        "from ansible.module_utils.basic import AnsibleModule\n"
        "from ansible.module_utils.ready.secrets.redaction import redacting, register_secrets\n"
        "def main():\n"
        "    secret = AnsibleModule(argument_spec={'given': {'no_log': True}}).params['given'].swapcase()\n"
        "    register_secrets([secret])\n"
        "    raise ValueError('cannot read ' + secret)\n"
    )
    (tmp_path / "guarded.py").write_text(f"{code}redacting(main)()\n")
    (tmp_path / "bare.py").write_text(f"{code}main()\n")
    tasks = "".join(
        f"    - {{{name}: {{given: {SECRET.swapcase()}}}, no_log: true, ignore_errors: true}}\n"
        for name in ("guarded", "bare")
    )
    (tmp_path / "play.yml").write_text(f"- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", "-vvv"),
            str(tmp_path / "play.yml"),
        ],
        env=os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LIBRARY": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    guarded, _, bare = (done.stdout + done.stderr).partition("TASK [bare]")
    assert "ValueError: cannot read ***" in guarded, done
    assert SEARCH.text(guarded, "guarded") == []
    assert SEARCH.text(bare, "bare"), "Ansible hides it itself now"
