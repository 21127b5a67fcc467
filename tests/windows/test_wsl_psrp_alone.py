"""The connection plugin against hosts whose wsl.exe misbehaves: over the real wire, without a start of Ansible."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import become_loader, connection_loader, get_shell_plugin, init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig

from tests.simulator import session
from tests.simulator.fleet import Fleet
from tests.simulator.host import ScriptCall
from tests.simulator.plain import PlainHost

ROOT = Path(__file__).resolve().parents[2]
#: Bytes of standard input: many pieces, and more than the wire keeps when nobody fetches what comes back.
LARGE = 4 * 2**20
#: What wsl_exec.ps1 holds before it writes a record.
RECORD = 196605


class OddHost(PlainHost):
    """Its wsl.exe does what `behaves` says; what it is asked to run is kept."""

    def __init__(self, behaves: Callable[[ScriptCall], Iterator[str]]) -> None:
        super().__init__("pc1", {"owner": "Sesame 42!"})
        self.behaves = behaves
        self.commands: list[str] = []

    def script(self, call: ScriptCall) -> Iterator[str]:
        """Answer wsl_exec."""
        self.commands.append(base64.b64decode(call.parameters["Command"]).decode())
        return self.behaves(call)


def end(why: str = "exit", code: int = 0, out: bytes = b"") -> str:
    """Return the last record of wsl_exec."""
    return "X" + json.dumps({"rc": code, "why": why, "msg": "", "out": base64.b64encode(out).decode(), "err": ""})


def echo(call: ScriptCall) -> Iterator[str]:
    """Write each piece while it is read, as `tee` would, in records of the script's size."""
    for line in call.input:
        data = base64.b64decode(line)
        for start in range(0, len(data), RECORD):
            yield "O" + base64.b64encode(data[start : start + RECORD]).decode()
    yield end()


def silent(call: ScriptCall) -> Iterator[str]:
    """Never answer: wsl.exe asks something, and is killed when its time is over.

    Report: microsoft/WSL#8529, where each call of wsl.exe waits for ever.
    """
    assert int(call.parameters["Timeout"]) > 0, "without a limit this would never end"
    yield end("timeout", -1)


def late(said: bytes) -> Callable[[ScriptCall], Iterator[str]]:
    """Return a wsl.exe whose first command takes too long, and stop_leftover.sh then says this."""

    def behaves(call: ScriptCall) -> Iterator[str]:
        stopping = b"session_of" in base64.b64decode(call.parameters["Command"])
        yield end(out=said) if stopping else end("timeout", -1)

    return behaves


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Any, OddHost]]]:
    """Give connections to hosts, by what their wsl.exe does."""
    monkeypatch.setenv("ANSIBLE_CONFIG", str(ROOT / "ansible.cfg"))
    fleets: list[Fleet] = []
    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader()

    def make(behaves: Callable[[ScriptCall], Iterator[str]], become: str = "", **options: Any) -> tuple[Any, OddHost]:
        host = OddHost(behaves)
        fleets.append(Fleet(tmp_path / f"fleet{len(fleets)}", [host], ("basic",), secure=False))
        connection_loader.add_directory(str(ROOT / "connection_plugins"))
        connection = connection_loader.get("wsl_psrp", PlayContext(), shell=get_shell_plugin(shell_type="sh"))
        given = {"ansible_wsl_windows_host": "pc1", "ansible_wsl_distribution": "Ubuntu"} | options
        connection.set_options(var_options=given | {"ansible_wsl_state_dir": str(tmp_path / "state")})
        connection._windows_vars = fleets[-1].variables("pc1") | {"ansible_psrp_message_encryption": "never"}
        if become:
            become_loader.add_directory(str(ROOT / "become_plugins"))
            plugin = become_loader.get(become)
            plugin.set_options(var_options={}, direct=options.get("direct") or {})
            connection.set_become_plugin(plugin)
        return connection, host

    yield make
    for fleet in fleets:
        fleet.stop()


def test_writing_while_reading_does_not_wait_for_ever(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends hold back what nobody takes: who only sends, and fetches at the end, would never get there.

    Windows' own limits are not known; small ones show the same with less.
    """
    monkeypatch.setattr(session, "INPUT_LIMIT", 2)
    monkeypatch.setattr(session, "OUTPUT_LIMIT", 2 * session.FRAGMENT)
    connection, _ = connect(echo)
    found: list[tuple[int, bytes, bytes]] = []
    thread = threading.Thread(target=lambda: found.append(connection.exec_command("tee /dev/stderr", b"x" * LARGE)))
    thread.daemon = True
    thread.start()
    thread.join(240)
    assert not thread.is_alive(), "it waits, and so does the command"
    assert [(code, len(out)) for code, out, _ in found] == [(0, LARGE)]
    connection.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"stopped\n", "a command ran for more than 3 s and was stopped"),
        (b"ended\n", "wsl.exe did not end within 3 s and was killed; no process of the command was left"),
    ],
)
def test_too_late_names_the_right_program(connect: Any, said: bytes, words: str) -> None:
    """The command, where it ran; wsl.exe, where nothing of the command was there."""
    connection, _ = connect(late(said), ansible_wsl_command_timeout=3)
    with pytest.raises(AnsibleError, match=words):
        connection.exec_command("sleep 60")


def test_silent_wsl_exe_is_not_waited_for_twice(connect: Any) -> None:
    """Stopping what is left asks wsl.exe as well, and has a limit too."""
    connection, _ = connect(silent, ansible_wsl_command_timeout=3)
    with pytest.raises(AnsibleConnectionFailure, match=r"wsl\.exe did not answer within 120 s .* asks something"):
        connection.exec_command("true")
    assert len(connection._running_commands().leftovers()) == 1, "the next connection would not know of it"


BECOME = {"become_user": "app", "become_pass": "Pw-77"}


@pytest.mark.parametrize(
    ("method", "user", "direct"),
    [("sudo", "anna", BECOME), ("su", "anna", BECOME), ("su", "anna", {"become_user": "app"})],
)
def test_no_module_is_taken_for_a_password(connect: Any, method: str, user: str, direct: dict[str, str]) -> None:
    """The first line of what follows is the module's text: refused before anything is sent."""
    connection, host = connect(echo, method, ansible_wsl_user=user, direct=direct)
    command = connection.become.build_become_command("/usr/bin/python3", connection._shell)
    with pytest.raises(
        AnsibleError, match=f"become_method {method}, which asks anna for a password.* wsl_user"
    ) as caught:
        connection.exec_command(command, b"import os")
    assert "Pw-77" not in str(caught.value)
    assert not host.commands


@pytest.mark.parametrize(
    ("method", "user", "direct"),
    [
        ("sudo", "root", BECOME),
        ("su", "root", BECOME),
        ("sudo", "anna", {"become_user": "app"}),
        ("wsl_user", "anna", {}),
    ],
)
def test_who_is_not_asked_is_not_refused(connect: Any, method: str, user: str, direct: dict[str, str]) -> None:
    """Root never is; sudo without a password gets -n and says so itself."""
    connection, host = connect(echo, method, ansible_wsl_user=user, direct=direct)
    command = connection.become.build_become_command("/usr/bin/python3", connection._shell)
    assert connection.exec_command(command, b"import os")[0] == 0
    assert len(host.commands) == 1


def test_boot_of_the_distro_is_told_by_its_first_process(connect: Any) -> None:
    """All distros share the kernel, whose id stays when one is restarted: ansible.builtin.reboot would wait in vain."""
    connection, host = connect(echo)
    connection.exec_command("/bin/sh -c 'cat /proc/sys/kernel/random/boot_id'")
    connection.exec_command("/usr/bin/python3", b"open('cat /proc/sys/kernel/random/boot_id')")
    assert "/proc/1/stat" in host.commands[0]
    assert "/proc/1/stat" not in host.commands[1]
