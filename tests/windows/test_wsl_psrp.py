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

from tests.windows.play import NAME, Answers, Case, Site

MIB = 1024 * 1024
#: Text that any quoting on the way would spoil.
ODD = "a'b\"c`d$HOME *  \\ %PATH% ^& é ✓ \t end"
#: Every byte value.
BYTES = bytes(range(256)) * 100
#: What does not compress.
LARGE = os.urandom(20 * MIB)
AS_APP = {"become": True, "become_user": "app", "become_method": "wsl_user"}
BY_SUDO = {"become": True, "become_user": "app", "become_method": "sudo"}


def task(module: str, _args: Any = None, **keywords: Any) -> dict[str, Any]:
    """Return a task."""
    return {f"ansible.builtin.{module}": _args, **keywords}


def await_true(what: str, test: Any, seconds: float = 90) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def asked_for(files: Path) -> dict[str, Case]:
    """Return the cases of the one run; `files` is where what goes in comes from, and what comes out goes to."""
    again = task("copy", {"content": ODD, "dest": "/root/again"})
    true = [task("command", "true")]
    return {
        "stopped": Case([task("ping")]),  # the first, for the distro is stopped before the run
        "modules": Case(
            [
                task("command", "id -un"),
                task("command", "id -un", **AS_APP),
                task("command", "id -un", **BY_SUDO),
                task("setup", {"gather_subset": "min"}),
            ]
        ),
        "text": Case(
            [
                task("command", {"argv": ["printf", "%s", ODD], "expand_argument_vars": False}),
                task("shell", {"cmd": "cat", "stdin": ODD, "stdin_add_newline": False}),
                task("raw", f"printf %s '{'x' * 100_000}' | wc -c"),
                task("raw", "echo ${IFS+set} | od -c; set -- *; test $# -gt 5 && echo globs"),
            ]
        ),
        "bytes": Case(
            [
                task("copy", {"src": str(files / "in.bin"), "dest": "/root/b.bin"}),
                task("fetch", {"src": "/root/b.bin", "dest": str(files / "out.bin"), "flat": True}),
                task("slurp", {"src": "/root/b.bin"}),
                task("shell", "echo to-err >&2; echo to-out; exit 3", register="ended", failed_when="ended.rc != 3"),
            ]
        ),
        "large": Case(
            [
                task("copy", {"src": str(files / "large"), "dest": "/root/large", "mode": "0640"}),
                task("fetch", {"src": "/root/large", "dest": str(files / "back"), "flat": True}),
            ]
        ),
        "room": Case(
            [
                task("raw", "dd if=/dev/zero of=/dev/shm/fill bs=1M count=62"),
                task("copy", {"src": str(files / "three"), "dest": "/root/three"}),
                task("raw", "rm -r /dev/shm/*"),
            ],
            distro={"ansible_remote_tmp": "/dev/shm/tmp"},  # the distro's
        ),
        "other": Case([task("copy", {"content": "x", "dest": "/home/app/x"}, **AS_APP)]),
        "again": Case([again | {"check_mode": True}, task("stat", {"path": "/root/again"}), again, again]),
        "async": Case([task("shell", "sleep 2; echo done", **{"async": 30, "poll": 1})]),
        "trips": Case([task("ping")]),
        "secret": Case([task("command", "env", environment={"TOKEN": "hunter2"}, no_log=True)]),
        "basic": Case([task("ping")], windows={"ansible_psrp_auth": "basic"}),
        "negotiate": Case([task("ping")], windows={"ansible_psrp_auth": "negotiate"}),
        "late": Case([task("command", "sleep 4321")], distro={"ansible_wsl_command_timeout": 3}),
        "late-sudo": Case([task("command", "sleep 4321", **BY_SUDO)], distro={"ansible_wsl_command_timeout": 3}),
        "ghost": Case([task("command", "true", **(AS_APP | {"become_user": "ghost"}))]),
        "password": Case(true, windows={"ansible_password": "not-it-7781"}),
    } | {name: Case(true, distro=variables) for name, (variables, _, _) in WRONG.items()}


#: Case -> variables of the distro, whether the host is not reachable then, and words of the message.
WRONG: dict[str, tuple[dict[str, str], bool, list[str]]] = {
    "nowhere": (
        {"ansible_wsl_distribution": "Nowhere"},
        True,
        ["Nowhere on nowhere", "no WSL distro of that name", "wsl.exe -l -q"],
    ),
    "letters": ({"ansible_wsl_distribution": "a b;c"}, False, ["'a b;c'", "expected letters", "correct the name"]),
    "nobody": (
        {"ansible_wsl_user": "nobody-there"},
        True,
        [f"{NAME} on nobody", "nobody-there", "no such Linux user", "make the"],
    ),
    "spaces": ({"ansible_wsl_user": "a b"}, False, ["'a b' is not a name of a Linux user"]),
    "unknown": ({"ansible_wsl_windows_host": "pc9"}, False, ["unknown-wsl", "'pc9', which is not in the inventory"]),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where files come from and go to."""
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def answers(site: Site, files: Path) -> Answers:
    """Every case, in one run."""
    for name, content in (("in.bin", BYTES), ("large", LARGE), ("three", LARGE[: 3 * MIB])):
        (files / name).write_bytes(content)
    site.distro().sh("useradd -m app")
    site.distro().terminate()
    assert not site.distro().running
    return site.run_cases(files, asked_for(files))


def scripts(site: Site, name: str) -> list[dict[str, Any]]:
    """Return the parameters of the scripts that a host ran."""
    return [action.detail for action in site.fleet.servers[name].record if action.kind == "script"]


def test_a_stopped_distro_is_started(answers: Answers) -> None:
    """By wsl.exe, with the first command."""
    assert answers.last("stopped")["ping"] == "pong"


def test_modules_run_as_the_user_asked_for(site: Site, answers: Answers) -> None:
    """Root by default; another user by wsl.exe's -u, or by sudo; a module that does not exist on Windows."""
    found = answers.of("modules")
    assert [item.get("stdout") for item in found[:3]] == ["root", "app", "app"]
    assert found[3]["ansible_facts"]["ansible_distribution"] == "Debian"
    assert [shown["User"] for shown in scripts(site, "modules")] == ["root", "app", "root", "root"]


def test_any_text_reaches_the_command_as_it_is(answers: Answers) -> None:
    """Arguments, a shell's text, standard input and a very long command."""
    found = answers.of("text")
    assert found[0]["stdout"] == ODD
    assert found[1]["stdout"] == ODD
    assert found[2]["stdout"].strip() == "100000"
    assert "globs" in found[3]["stdout"]


def test_bytes_pass_both_ways(answers: Answers, files: Path) -> None:
    """Every byte value, by copy and by fetch; and what is printed keeps apart from errors."""
    found = answers.of("bytes")
    assert (files / "out.bin").read_bytes() == BYTES
    assert base64.b64decode(found[2]["content"]) == BYTES
    assert (found[3]["stdout"], found[3]["stderr"], found[3]["rc"]) == ("to-out", "to-err", 3)


def test_a_large_file_goes_in_and_comes_back(answers: Answers, files: Path) -> None:
    """Twenty megabytes that do not compress."""
    answers.of("large")
    assert hashlib.sha256((files / "back").read_bytes()).digest() == hashlib.sha256(LARGE).digest()
    assert not list(files.glob("*.part"))


def test_a_file_that_finds_no_room_is_no_success(site: Site, answers: Answers) -> None:
    """All of it passed, but not all of it was written."""
    assert "could not be written" in answers.fault("room")
    assert site.distro().sh("test -e /root/three")[0] == 1


def test_a_file_of_another_user(site: Site, answers: Answers) -> None:
    """Files go in as the login user and end as the user that the task becomes."""
    answers.of("other")
    assert site.distro().sh("stat -c %U /home/app/x")[1].strip() == "app"


def test_a_second_copy_changes_nothing(answers: Answers) -> None:
    """Idempotent, and predicted in check mode."""
    predicted, found, first, second = answers.of("again")
    assert [item["changed"] for item in (predicted, first, second)] == [True, True, False]
    assert not found["stat"]["exists"]


def test_async_tasks_outlive_their_connection(answers: Answers) -> None:
    """The job goes on between the polls."""
    assert answers.last("async")["stdout"] == "done"


def test_a_module_costs_five_round_trips(site: Site, answers: Answers) -> None:
    """Open, wait for it, command, its end, close; standard input goes with the command."""
    answers.of("trips")
    trips = site.fleet.servers["trips"].trips
    assert trips["Create"] == trips["Command"] == trips["Delete"] == 1, trips
    assert trips["Send"] == 0, trips
    assert sum(trips.values()) <= 6, trips  # the end may come apart from the last output


def test_no_secret_is_in_a_windows_command_line(site: Site, answers: Answers) -> None:
    """The command goes by standard input: argv of wsl.exe is fixed, and environment variables are not in it."""
    answers.of("secret")
    shown = scripts(site, "secret")
    assert shown
    for parameters in shown:
        assert "hunter2" not in str({key: parameters[key] for key in ("Wsl", "Distro", "User", "Timeout")})


@pytest.mark.parametrize("method", ["basic", "negotiate"])
def test_both_kinds_of_logon(site: Site, answers: Answers, method: str) -> None:
    """Basic and NTLM, over TLS."""
    assert answers.last(method)["ping"] == "pong"
    logons = [action.detail for action in site.fleet.servers[method].record if action.kind == "logon"]
    assert bool(logons) == (method == "negotiate")


@pytest.mark.parametrize("case", ["late", "late-sudo"])
def test_a_command_that_takes_too_long_is_stopped_in_the_distro(site: Site, answers: Answers, case: str) -> None:
    """Also when it has become another user by sudo."""
    message = answers.fault(case)
    assert f"{case}-wsl" in message or f"on {case}" in message
    assert "more than 3 s and was stopped" in message
    assert not site.processes("sleep 4321")


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_name_is_named(answers: Answers, case: str) -> None:
    """Host, what was found, what was expected, and the next step."""
    _, unreachable, words = WRONG[case]
    message = answers.fault(case, unreachable=unreachable)
    assert [word for word in words if word not in message] == [], message
    assert "Traceback" not in answers.text


def test_an_unknown_become_user_fails_the_task_alone(answers: Answers) -> None:
    """The host is well, so it is not called unreachable."""
    assert "as ghost: the distro has no such Linux user" in answers.fault("ghost")


def test_a_wrong_password_is_named_and_not_shown(answers: Answers) -> None:
    """The Windows logon."""
    message = answers.fault("password", unreachable=True)
    assert "password: Windows refused the logon" in message
    assert "ansible_password" in message
    assert "not-it-7781" not in answers.text


def test_each_distro_is_its_own_and_a_host_that_is_down_stops_nobody(site: Site, tmp_path: Path) -> None:
    """Three at once: two reach the distro of their Windows host, and the third one's does not answer."""
    inventory = site.inventory(tmp_path / "hosts.yml")
    content = yaml.safe_load(inventory.read_text())["all"]["children"]
    content["windows"]["hosts"]["down"] = content["windows"]["hosts"]["pc1"] | {
        "ansible_port": 9,
        "ansible_psrp_connection_timeout": 2,
    }
    content["wsl"]["hosts"]["down-wsl"] = {"ansible_wsl_windows_host": "down"}
    inventory.write_text(yaml.safe_dump({"all": {"children": content}}))
    result = site.run(inventory, "pc1-wsl,pc2-wsl,down-wsl", task("command", "hostname"), code=4)
    names = {host: result.of(host)["stdout"] for host in ("pc1-wsl", "pc2-wsl")}
    assert names == {f"{name}-wsl": site.distro(name).container for name in ("pc1", "pc2")}
    assert "down: Windows does not answer PSRP" in result.message("down-wsl")
    assert "5986" in result.message("down-wsl")


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
