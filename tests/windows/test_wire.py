"""The simulator's own wire, by Ansible's psrp connection: what roles on Windows lean on."""

from __future__ import annotations

import base64
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.simulator.model import Windows
from tests.simulator.server import Server
from tests.windows.play import Site


def win(module: str, _args: Any = None, **keywords: Any) -> dict[str, Any]:
    """Return a task of ansible.windows."""
    return {f"ansible.windows.{module}": _args, **keywords}


def results(site: Site, inventory: Path, *tasks: dict[str, Any]) -> list[dict[str, Any]]:
    """Run tasks on pc1 and return what each returned."""
    return [item["hosts"]["pc1"] for item in site.run(inventory, "pc1", *tasks).tasks]


def test_files_come_and_go(site: Site, inventory: Path, tmp_path: Path) -> None:
    """win_copy's protocol, a folder by zip, templates, stat, slurp, fetch: second time nothing changes."""
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "a.txt").write_text("a")
    (tmp_path / "tree" / "deep" / "é.txt").write_text("b")
    copy = win("win_copy", {"content": "hello", "dest": "C:\\ready\\x.txt"})
    folder = win("win_copy", {"src": f"{tmp_path}/tree/", "dest": "C:\\ready\\tree"})
    found = results(
        site,
        inventory,
        copy,
        copy,
        folder,
        folder,
        win("win_stat", {"path": "c:/READY/x.txt"}),
        win("slurp", {"src": "C:\\ready\\tree\\deep\\é.txt"}),
        {"ansible.builtin.fetch": {"src": "C:\\ready\\x.txt", "dest": f"{tmp_path}/back", "flat": True}},
        win("win_copy", {"src": "C:\\ready\\x.txt", "dest": "C:\\ready\\y.txt", "remote_src": True}),
    )
    assert [item["changed"] for item in found[:4]] == [True, False, True, False]
    assert found[4]["stat"]["exists"]
    assert base64.b64decode(found[5]["content"]) == b"b"
    assert (tmp_path / "back").read_text() == "hello"
    assert site.hosts["pc1"].files["C:\\ready\\y.txt"] == b"hello"


def test_modules_are_decoded(site: Site, inventory: Path) -> None:
    """Arguments, check mode, become and environment reach the model as they were written; facts come back."""
    found = results(
        site,
        inventory,
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
    )
    assert found[0]["ping"] == "pong"
    assert found[1]["ansible_facts"]["ansible_os_family"] == "Windows"
    seen = [action for action in site.fleet.servers["pc1"].record if action.kind == "module"]
    assert [action.name for action in seen] == ["win_ping", "setup", "win_command", "win_powershell"]
    assert seen[2].detail["become_user"] == "owner"
    assert seen[2].detail["args"]["argv"][1] == "--version"
    assert seen[3].detail["args"]["parameters"] == {"A": 1}


def test_async_and_its_status(site: Site, inventory: Path) -> None:
    """Polled by core, and by a task of its own."""
    found = results(
        site,
        inventory,
        win("win_command", "x", **{"async": 30, "poll": 1}),
        win("win_command", "x", register="job", **{"async": 30, "poll": 0}),
        {
            "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "register": "status",
            "until": "status.finished",
            "delay": 1,
            "retries": 5,
        },
    )
    assert found[0]["finished"]
    assert found[2]["rc"] == 0


def test_a_reboot_is_seen_through(site: Site, inventory: Path) -> None:
    """win_reboot: the port closes, the boot time changes, the test command answers; the distro has stopped."""
    found = results(site, inventory, win("win_reboot", {"reboot_timeout": 60, "post_reboot_delay": 0}))
    assert found[0]["rebooted"]
    record = site.fleet.servers["pc1"].record
    assert [action.kind for action in record if action.kind in ("away", "back")] == ["away", "back"]
    assert not site.distro().running


def test_a_slow_command_outlives_the_operation_timeout(site: Site, tmp_path: Path) -> None:
    """Receive answers with a fault after OperationTimeout, and the client asks again."""
    inventory = site.inventory(tmp_path / "hosts.yml")
    content = yaml.safe_load(inventory.read_text())
    for name in ("pc1", "pc2"):
        content["all"]["children"]["windows"]["hosts"][name]["ansible_psrp_operation_timeout"] = 2
    inventory.write_text(yaml.safe_dump(content))
    result = site.run(inventory, "pc1-wsl", {"ansible.builtin.command": "sleep 5"})
    assert result.of("pc1-wsl")["rc"] == 0
    assert site.fleet.servers["pc1"].trips["Receive"] >= 3


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
