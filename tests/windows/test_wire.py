"""The simulator's own wire, by Ansible's psrp connection: what roles on Windows lean on."""

from __future__ import annotations

import base64
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.model import Windows
from tests.simulator.server import Server
from tests.windows.play import Answers, Case, Site


def win(module: str, _args: Any = None, **keywords: Any) -> dict[str, Any]:
    """Return a task of ansible.windows."""
    return {f"ansible.windows.{module}": _args, **keywords}


def asked_for(files: Path) -> dict[str, Case]:
    """Return the cases of the one run; `files` is where what goes in comes from, and what comes out goes to."""
    copy = win("win_copy", {"content": "hello", "dest": "C:\\ready\\x.txt"})
    folder = win("win_copy", {"src": f"{files}/tree/", "dest": "C:\\ready\\tree"})
    return {
        "files": Case(
            [
                copy,
                copy,
                folder,
                folder,
                win("win_stat", {"path": "c:/READY/x.txt"}),
                win("slurp", {"src": "C:\\ready\\tree\\deep\\é.txt"}),
                {"ansible.builtin.fetch": {"src": "C:\\ready\\x.txt", "dest": f"{files}/back", "flat": True}},
                win("win_copy", {"src": "C:\\ready\\x.txt", "dest": "C:\\ready\\y.txt", "remote_src": True}),
            ],
            on_windows=True,
        ),
        "calls": Case(
            [
                win("win_ping"),
                {"ansible.builtin.setup": {}},
                win(
                    "win_command",
                    {"argv": ["C:\\Program Files\\WSL\\wsl.exe", "--version"]},
                    become=True,
                    become_method="runas",
                    become_user="owner",
                    vars={"ansible_become_password": "x"},
                    environment={"WSL_UTF8": "1"},
                ),
                win("win_powershell", {"script": "# ready: some_state v1\nparam($A) $A", "parameters": {"A": 1}}),
            ],
            on_windows=True,
        ),
        "jobs": Case(
            [
                win("win_command", "x", **{"async": 30, "poll": 1}),
                win("win_command", "x", register="job", **{"async": 30, "poll": 0}),
                {
                    "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
                    "register": "status",
                    "until": "status.finished",
                    "delay": 1,
                    "retries": 5,
                },
            ],
            on_windows=True,
        ),
        "slow": Case([{"ansible.builtin.command": "sleep 5"}], windows={"ansible_psrp_operation_timeout": 2}),
        "reboot": Case([win("win_reboot", {"reboot_timeout": 60, "post_reboot_delay": 0})], on_windows=True),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where files come from and go to."""
    made = tmp_path_factory.mktemp("files")
    (made / "tree" / "deep").mkdir(parents=True)
    (made / "tree" / "a.txt").write_text("a")
    (made / "tree" / "deep" / "é.txt").write_text("b")
    return made


@pytest.fixture(scope="module")
def answers(site: Site, files: Path) -> Answers:
    """Every case, in one run."""
    return site.run_cases(files, asked_for(files))


def test_files_come_and_go(site: Site, answers: Answers, files: Path) -> None:
    """win_copy's protocol, a folder by zip, templates, stat, slurp, fetch: second time nothing changes."""
    found = answers.of("files")
    assert [item["changed"] for item in found[:4]] == [True, False, True, False]
    assert found[4]["stat"]["exists"]
    assert base64.b64decode(found[5]["content"]) == b"b"
    assert (files / "back").read_text() == "hello"
    assert site.hosts["files"].files["C:\\ready\\y.txt"] == b"hello"


def test_modules_are_decoded(site: Site, answers: Answers) -> None:
    """Arguments, check mode, become and environment reach the model as they were written; facts come back."""
    found = answers.of("calls")
    assert found[0]["ping"] == "pong"
    assert found[1]["ansible_facts"]["ansible_os_family"] == "Windows"
    seen = [action for action in site.fleet.servers["calls"].record if action.kind == "module"]
    assert [action.name for action in seen] == ["win_ping", "setup", "win_command", "win_powershell"]
    assert seen[2].detail["become_user"] == "owner"
    assert seen[2].detail["args"]["argv"][1] == "--version"
    assert seen[3].detail["args"]["parameters"] == {"A": 1}


def test_async_and_its_status(answers: Answers) -> None:
    """Polled by core, and by a task of its own."""
    found = answers.of("jobs")
    assert found[0]["finished"]
    assert found[2]["rc"] == 0


def test_a_reboot_is_seen_through(site: Site, answers: Answers) -> None:
    """win_reboot: the port closes, the boot time changes, the test command answers; the distro has stopped."""
    assert answers.last("reboot")["rebooted"]
    record = site.fleet.servers["reboot"].record
    assert [action.kind for action in record if action.kind in ("away", "back")] == ["away", "back"]
    assert not site.distro().running


def test_a_slow_command_outlives_the_operation_timeout(site: Site, answers: Answers) -> None:
    """Receive answers with a fault after OperationTimeout, and the client asks again."""
    assert answers.last("slow")["rc"] == 0
    assert site.fleet.servers["slow"].trips["Receive"] >= 3


def connects(port: int) -> bool:
    """Say whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


def test_a_host_that_is_away_keeps_its_port() -> None:
    """Nobody else gets it meanwhile, by chance or by name: it would never come back."""
    host = Windows("pc9")
    server = Server(host).start()
    try:
        host.go_away()
        while connects(server.port):
            time.sleep(0.02)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", server.port))
        with pytest.raises(TimeoutError, match="pc9 did not come back"):
            server.wait(0.01)
        host.come_back()
        server.wait()
        assert connects(server.port)
    finally:
        server.stop()
