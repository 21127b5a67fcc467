"""The connection plugin wsl_psrp over the real wire, into a real Linux."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.windows.play import NAME, Site

MIB = 1024 * 1024
#: Text that any quoting on the way would spoil.
ODD = "a'b\"c`d$HOME *  \\ %PATH% ^& é ✓ \t end"


def task(module: str, _args: Any = None, **keywords: Any) -> dict[str, Any]:
    """Return a task."""
    return {f"ansible.builtin.{module}": _args, **keywords}


def await_true(what: str, test: Any, seconds: float = 90) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_modules_run_as_the_user_asked_for(site: Site, inventory: Path) -> None:
    """Root by default; another user by wsl.exe's -u, or by sudo; a module that does not exist on Windows."""
    site.distro().sh("useradd -m app")
    result = site.run(
        inventory,
        "pc1-wsl",
        task("command", "id -un"),
        task("command", "id -un", become=True, become_user="app", become_method="wsl_user"),
        task("command", "id -un", become=True, become_user="app", become_method="sudo"),
        task("setup", {"gather_subset": "min"}),
    )
    assert [found["hosts"]["pc1-wsl"].get("stdout") for found in result.tasks[:3]] == ["root", "app", "app"]
    assert result.of("pc1-wsl")["ansible_facts"]["ansible_distribution"] == "Debian"
    assert [shown["User"] for shown in scripts(site)] == ["root", "app", "root", "root"]


def scripts(site: Site, name: str = "pc1") -> list[dict[str, Any]]:
    """Return the parameters of the scripts that a host ran."""
    return [action.detail for action in site.fleet.servers[name].record if action.kind == "script"]


def test_any_text_reaches_the_command_as_it_is(site: Site, inventory: Path) -> None:
    """Arguments, a shell's text, standard input and a very long command."""
    long = "x" * 100_000
    result = site.run(
        inventory,
        "pc1-wsl",
        task("command", {"argv": ["printf", "%s", ODD], "expand_argument_vars": False}),
        task("shell", {"cmd": "cat", "stdin": ODD, "stdin_add_newline": False}),
        task("raw", f"printf %s '{long}' | wc -c"),
        task("raw", "echo ${IFS+set} | od -c; set -- *; test $# -gt 5 && echo globs"),
    )
    found = [item["hosts"]["pc1-wsl"] for item in result.tasks]
    assert found[0]["stdout"] == ODD
    assert found[1]["stdout"] == ODD
    assert found[2]["stdout"].strip() == "100000"
    assert "globs" in found[3]["stdout"]


def test_bytes_pass_both_ways(site: Site, inventory: Path, tmp_path: Path) -> None:
    """Every byte value, by copy and by fetch; and what is printed keeps apart from errors."""
    content = bytes(range(256)) * 100
    (tmp_path / "in.bin").write_bytes(content)
    result = site.run(
        inventory,
        "pc1-wsl",
        task("copy", {"src": str(tmp_path / "in.bin"), "dest": "/root/b.bin"}),
        task("fetch", {"src": "/root/b.bin", "dest": str(tmp_path / "out.bin"), "flat": True}),
        task("slurp", {"src": "/root/b.bin"}),
        task("shell", "echo to-err >&2; echo to-out; exit 3", register="ended", failed_when="ended.rc != 3"),
    )
    assert (tmp_path / "out.bin").read_bytes() == content
    assert base64.b64decode(result.tasks[2]["hosts"]["pc1-wsl"]["content"]) == content
    last = result.of("pc1-wsl")
    assert (last["stdout"], last["stderr"], last["rc"]) == ("to-out", "to-err", 3)


def test_a_large_file_goes_in_and_comes_back(site: Site, inventory: Path, tmp_path: Path) -> None:
    """Twenty megabytes that do not compress."""
    data = os.urandom(20 * MIB)
    (tmp_path / "large").write_bytes(data)
    site.run(
        inventory,
        "pc1-wsl",
        task("copy", {"src": str(tmp_path / "large"), "dest": "/root/large", "mode": "0640"}),
        task("fetch", {"src": "/root/large", "dest": str(tmp_path / "back"), "flat": True}),
    )
    assert hashlib.sha256((tmp_path / "back").read_bytes()).digest() == hashlib.sha256(data).digest()
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_finds_no_room_is_no_success(site: Site, tmp_path: Path) -> None:
    """All of it passed, but not all of it was written."""
    inventory = site.inventory(tmp_path / "hosts.yml", ansible_remote_tmp="/dev/shm/tmp")
    (tmp_path / "f").write_bytes(os.urandom(3 * MIB))
    site.distro().sh("dd if=/dev/zero of=/dev/shm/fill bs=1M count=62")
    try:
        copy = task("copy", {"src": str(tmp_path / "f"), "dest": "/root/f"})
        assert "could not be written" in site.run(inventory, "pc1-wsl", copy, code=2).message("pc1-wsl")
        assert site.distro().sh("test -e /root/f")[0] == 1
    finally:
        site.distro().sh("rm -r /dev/shm/*")


def test_a_file_of_another_user(site: Site, inventory: Path) -> None:
    """Files go in as the login user and end as the user that the task becomes."""
    site.distro().sh("id app || useradd -m app")
    copy = task(
        "copy", {"content": "x", "dest": "/home/app/x"}, become=True, become_user="app", become_method="wsl_user"
    )
    site.run(inventory, "pc1-wsl", copy)
    assert site.distro().sh("stat -c %U /home/app/x")[1].strip() == "app"


def test_a_second_copy_changes_nothing(site: Site, inventory: Path) -> None:
    """Idempotent, and predicted in check mode."""
    copy = task("copy", {"content": ODD, "dest": "/root/again"})
    assert site.run(inventory, "pc1-wsl", copy | {"check_mode": True}).of("pc1-wsl")["changed"]
    assert site.distro().sh("test -e /root/again")[0] == 1
    result = site.run(inventory, "pc1-wsl", copy, copy)
    assert [item["hosts"]["pc1-wsl"]["changed"] for item in result.tasks] == [True, False]


def test_async_tasks_outlive_their_connection(site: Site, inventory: Path) -> None:
    """The job goes on between the polls."""
    result = site.run(inventory, "pc1-wsl", task("shell", "sleep 2; echo done", **{"async": 30, "poll": 1}))
    assert result.of("pc1-wsl")["stdout"] == "done"


def test_a_module_costs_five_round_trips(site: Site, inventory: Path) -> None:
    """Open, wait for it, command, its end, close; standard input goes with the command."""
    site.run(inventory, "pc1-wsl", task("ping"))
    server = site.fleet.servers["pc1"]
    assert server.trips["Create"] == server.trips["Command"] == server.trips["Delete"] == 1
    assert server.trips["Send"] == 0
    assert sum(server.trips.values()) <= 6  # the end may come apart from the last output


def test_no_secret_is_in_a_windows_command_line(site: Site, inventory: Path) -> None:
    """The command goes by standard input: argv of wsl.exe is fixed, and environment variables are not in it."""
    site.run(inventory, "pc1-wsl", task("command", "env", environment={"TOKEN": "hunter2"}, no_log=True))
    shown = scripts(site)
    assert shown
    for parameters in shown:
        assert "hunter2" not in str({key: parameters[key] for key in ("Wsl", "Distro", "User", "Timeout")})


@pytest.mark.parametrize("method", ["basic", "negotiate"])
def test_both_kinds_of_logon(site: Site, inventory: Path, method: str) -> None:
    """Basic and NTLM, over TLS."""
    changed = yaml.safe_load(inventory.read_text())
    changed["all"]["children"]["windows"]["vars"] = {}
    changed["all"]["children"]["windows"]["hosts"]["pc1"]["ansible_psrp_auth"] = method
    inventory.write_text(yaml.safe_dump(changed))
    assert site.run(inventory, "pc1-wsl", task("ping")).of("pc1-wsl")["ping"] == "pong"
    logons = [action.detail for action in site.fleet.servers["pc1"].record if action.kind == "logon"]
    assert bool(logons) == (method == "negotiate")


def test_two_hosts_at_once(site: Site, inventory: Path) -> None:
    """Each twin reaches its own Windows host's distro."""
    result = site.run(inventory, "wsl", task("command", "hostname"))
    names = {host: result.of(host)["stdout"] for host in ("pc1-wsl", "pc2-wsl")}
    assert names == {f"{name}-wsl": site.distro(name).container for name in ("pc1", "pc2")}


def test_a_command_that_takes_too_long_is_stopped_in_the_distro(site: Site, tmp_path: Path) -> None:
    """Also when it has become another user by sudo."""
    inventory = site.inventory(tmp_path / "hosts.yml", ansible_wsl_command_timeout=3)
    sudo = {"become": True, "become_user": "app", "become_method": "sudo"}
    site.distro().sh("id app || useradd -m app")
    for keywords in ({}, sudo):
        result = site.run(inventory, "pc1-wsl", task("command", "sleep 4321", **keywords), code=2)
        assert "pc1" in result.message("pc1-wsl")
        assert "more than 3 s and was stopped" in result.message("pc1-wsl")
        assert not site.processes("sleep 4321")


def test_what_a_lost_connection_left_running_is_stopped_by_the_next_run(site: Site, tmp_path: Path) -> None:
    """The Linux process is found, told to end, and only then the next command runs; others are left alone."""
    inventory = site.inventory(tmp_path / "hosts.yml", ansible_wsl_leftover_wait=2)
    site.distro().sh("(setsid sleep 5555 >/dev/null 2>&1 &)")
    process = site.popen(inventory, "pc1-wsl", [task("shell", "sleep 6543; echo late >/root/late")])
    await_true("it never ran", lambda: site.processes("sleep 6543"))
    site.fleet.servers["pc1"].cut()
    site.fleet.servers["pc1"].stop()
    result = site.finish(process)
    try:
        assert result.code == 4
        assert "connection to Windows was lost while a command ran" in result.message("pc1-wsl")
        assert site.processes("sleep 6543"), "the fault was not made: nothing was left running"
    finally:
        site.fleet.revive("pc1")
    again = site.run(site.inventory(inventory, ansible_wsl_leftover_wait=2), "pc1-wsl", task("command", "true"))
    assert "left 1 command(s) running" in again.text
    assert not site.processes("sleep 6543")
    assert site.processes("sleep 5555")
    assert site.distro().sh("test ! -e /root/late && pkill -f '[s]leep 5555'")[0] == 0
    assert "command(s) running" not in site.run(inventory, "pc1-wsl", task("command", "true")).text


def test_what_a_killed_run_left_gets_time_to_end(site: Site, tmp_path: Path) -> None:
    """A leftover that ends by itself is waited for: nothing is cut off half way."""
    inventory = site.inventory(tmp_path / "hosts.yml", ansible_wsl_leftover_wait=30)
    site.distro().sh("rm -f /root/whole")
    process = site.popen(inventory, "pc1-wsl", [task("shell", "sleep 6; echo yes >/root/whole")])
    await_true("it never ran", lambda: site.processes("sleep 6;"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for one in [*children, str(process.pid)]:
        os.kill(int(one), 9)
    process.communicate()
    result = site.run(inventory, "pc1-wsl", task("command", "cat /root/whole"))
    assert result.of("pc1-wsl")["stdout"] == "yes"


def test_a_stopped_distro_is_started(site: Site, inventory: Path) -> None:
    """By wsl.exe, with the first command."""
    site.distro().terminate()
    assert not site.distro().running
    assert site.run(inventory, "pc1-wsl", task("ping")).of("pc1-wsl")["ping"] == "pong"


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({"ansible_wsl_distribution": "Nowhere"}, 4, ["Nowhere on pc1", "no WSL distro of that name", "wsl.exe -l -q"]),
        ({"ansible_wsl_distribution": "a b;c"}, 2, ["'a b;c'", "expected letters", "correct the name"]),
        ({"ansible_wsl_user": "nobody-there"}, 4, [f"{NAME} on pc1", "nobody-there", "no such Linux user", "make the"]),
        ({"ansible_wsl_user": "a b"}, 2, ["'a b' is not a name of a Linux user"]),
        ({"ansible_wsl_windows_host": "pc9"}, 2, ["pc1-wsl", "'pc9', which is not in the inventory"]),
    ],
)
def test_a_wrong_name_is_named(
    site: Site, inventory: Path, variables: dict[str, str], code: int, words: list[str]
) -> None:
    """Host, what was found, what was expected, and the next step."""
    content = yaml.safe_load(inventory.read_text())
    content["all"]["children"]["wsl"]["hosts"]["pc1-wsl"] |= variables
    inventory.write_text(yaml.safe_dump(content))
    result = site.run(inventory, "pc1-wsl", task("command", "true"), code=None)
    for word in words:
        assert word in result.text
    assert result.code == code, result.text
    assert "Traceback" not in result.text


def test_an_unknown_become_user_fails_the_task_alone(site: Site, inventory: Path) -> None:
    """The host is well, so it is not called unreachable."""
    become = {"become": True, "become_user": "ghost", "become_method": "wsl_user"}
    result = site.run(inventory, "pc1-wsl", task("command", "true", **become), code=2)
    assert "as ghost: the distro has no such Linux user" in result.message("pc1-wsl")


def test_a_wrong_password_is_named_and_not_shown(site: Site, inventory: Path) -> None:
    """The Windows logon."""
    content = yaml.safe_load(inventory.read_text())
    content["all"]["children"]["windows"]["hosts"]["pc1"]["ansible_password"] = "not-it-7781"
    inventory.write_text(yaml.safe_dump(content))
    result = site.run(inventory, "pc1-wsl", task("command", "true"), code=4)
    assert "pc1: Windows refused the logon" in result.message("pc1-wsl")
    assert "ansible_password" in result.message("pc1-wsl")
    assert "not-it-7781" not in result.text


def test_a_host_that_is_down_is_named_and_the_rest_goes_on(site: Site, inventory: Path) -> None:
    """One bad host does not stop the other."""
    content = yaml.safe_load(inventory.read_text())
    content["all"]["children"]["windows"]["hosts"]["pc1"]["ansible_port"] = 9
    content["all"]["children"]["windows"]["hosts"]["pc1"]["ansible_psrp_connection_timeout"] = 2
    inventory.write_text(yaml.safe_dump(content))
    result = site.run(inventory, "wsl", task("command", "true"), code=4)
    assert "pc1: Windows does not answer PSRP" in result.message("pc1-wsl")
    assert "5986" in result.message("pc1-wsl")
    assert result.of("pc2-wsl")["rc"] == 0
