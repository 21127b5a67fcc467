"""Command texts, records and failures of the connection plugin wsl_psrp; the texts run in a real shell."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from ready.windows import wsl_protocol

ROOT = Path(__file__).resolve().parents[3]
#: What wsl_exec.ps1 gives to wsl.exe after --exec; the test of the scripts compares it.
SHELL = ["/bin/sh", "-c", "set -f;IFS=;read -r c;eval $(echo $c|base64 -d)"]
STOP = (ROOT / "scripts" / "linux" / "stop_leftover.sh").read_text()
ODD = "a'b\"c`d$HOME *  \\ %PATH% ^& é ✓ \t\n end"


def run(command: str, stdin: bytes = b"", token: str | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a command text as the distro's shell does."""
    text = wsl_protocol.command_text(command, token or uuid.uuid4().hex)
    data = wsl_protocol.encode(text.encode()).encode() + b"\n" + stdin
    return subprocess.run(SHELL, input=data, capture_output=True, timeout=60, check=False)


def test_the_shell_is_the_one_of_the_script() -> None:
    """One place says it: wsl_exec.ps1."""
    assert f'--exec /bin/sh -c "{SHELL[2]}"' in (ROOT / "scripts" / "windows" / "wsl_exec.ps1").read_text()


def test_a_command_keeps_its_text_input_and_code() -> None:
    """Whatever is in them."""
    done = run(f"printf %s {shlex.quote(ODD)}; cat; exit 7", bytes(range(256)))
    assert done.stdout == ODD.encode() + bytes(range(256))
    assert done.returncode == 7
    assert done.stderr == b""


def test_a_command_finds_the_shell_as_usual() -> None:
    """Words are split, names are expanded, there are no arguments; its processes carry the token and the session."""
    token = uuid.uuid4().hex
    done = run('a="1 2"; set -- $a /et*; echo $# $2 $3; env | grep READY_WSL', token=token)
    first, second = done.stdout.decode().split()[:3], done.stdout.decode().split()[3]
    assert first == ["3", "2", "/etc"]
    assert second.startswith(f"READY_WSL={token}.{os.getsid(0)}.")


def test_a_very_long_command_passes() -> None:
    """Windows' limit of 32 K for a command line does not apply."""
    assert run(f"printf %s {'x' * 200_000} | wc -c").stdout.strip() == b"200000"


@pytest.fixture
def left() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A command of a lost connection: it ignores TERM and has a child that lost the mark, as sudo's has."""
    token = uuid.uuid4().hex
    command = "trap '' TERM; env -i sleep 987 & setsid sleep 30 & while :; do sleep 1; done"
    data = wsl_protocol.encode(wsl_protocol.command_text(command, token).encode()) + "\n"
    process = subprocess.Popen(SHELL, stdin=subprocess.PIPE, start_new_session=True)
    assert process.stdin
    process.stdin.write(data.encode())
    process.stdin.close()
    time.sleep(0.5)
    yield token, process
    process.kill()
    process.wait()
    subprocess.run(["pkill", "-s", str(process.pid)], check=False)


def marked(token: str) -> list[int]:
    """Return the processes that carry a token."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"READY_WSL={token}.".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


def stop(token: str, seconds: int) -> str:
    """Run the stop script."""
    return run(wsl_protocol.stop_command(STOP, [token], seconds)).stdout.decode().strip()


def test_leftovers_are_stopped(left: tuple[str, subprocess.Popen[bytes]]) -> None:
    """By TERM, then by KILL; a child in a separate session stays when it is nobody's child any more."""
    token, process = left
    assert len(marked(token)) >= 2
    assert stop(token, 0) == "stopped"
    assert process.wait(5) == -9
    assert not [pid for pid in marked(token) if os.getsid(pid) == process.pid]


def test_what_began_a_session_of_its_own_is_left() -> None:
    """As Ansible's async wrapper does."""
    token = uuid.uuid4().hex
    run("setsid sleep 30 >/dev/null 2>&1 </dev/null &", token=token)
    time.sleep(0.3)
    (kept,) = marked(token)
    assert stop(token, 0) == "ended"
    assert marked(token) == [kept]
    os.kill(kept, 9)


def test_a_leftover_gets_time_to_end() -> None:
    """It is waited for, no longer than needed."""
    token = uuid.uuid4().hex
    run("sleep 2 >/dev/null 2>&1 </dev/null &", token=token)
    started = time.monotonic()
    assert stop(token, 30) == "ended"
    assert 1 < time.monotonic() - started < 10


def record(**values: object) -> str:
    """Return a last record."""
    return "X" + json.dumps({"rc": 0, "why": "exit", "msg": "", "out": "", "err": ""} | values)


def test_records_are_put_together() -> None:
    """In order; the last one may carry the rest."""
    out = bytearray()
    records = wsl_protocol.Records(out.extend)
    for line in (
        "O" + wsl_protocol.encode(b"\0\xff"),
        "E" + wsl_protocol.encode(b"e1"),
        record(rc=3, out=wsl_protocol.encode(b"end"), err="ZTI="),
    ):
        records.take(line)
    assert bytes(out) == b"\0\xffend"
    assert bytes(records.err) == b"e1e2"
    assert records.end == wsl_protocol.CommandEnd(3, "exit", "")
    assert not records.other


@pytest.mark.parametrize("line", ["", "hello", "O???", "X{", "X{}", 'X{"rc": "a"}', "X[]", "Q"])
def test_what_is_no_record_is_kept_for_the_message(line: str) -> None:
    """Such as what PowerShell itself has to say."""
    records = wsl_protocol.Records(lambda _: None)
    records.take(line)
    assert records.other == [line]
    assert records.end is None


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("找不到。\r\nError code: Wsl/Service/WSL_E_DISTRO_NOT_FOUND\r\n", "no WSL distro of that name"),
        ("Error code: Wsl/Service/0x80040302", "no WSL distro of that name"),
        ("getpwnam(x) failed 0\n找不到用户。\n错误代码: Wsl/WSL_E_USER_NOT_FOUND", "no such Linux user"),
        ("Running WSL as local system is not supported.\r\nError code: Wsl/WSL_E_LOCAL_SYSTEM_NOT_SUPPORTED", "SYSTEM"),
        ("Error code: Wsl/Service/CreateInstance/CreateVm/HCS/0x80370102", "virtualization is off"),
        ("Error code: Wsl/Service/CreateInstance/CreateVm/HCS/HCS_E_HYPERV_NOT_INSTALLED", "virtualization is off"),
        ("Error code: Wsl/Service/CreateInstance/CreateVm/HCS/0x80070569", "Log on as a service"),
        ("Error code: Wsl/0x80070422", "stopped and disabled"),
        ("something else", "it printed: something else"),
        ("", "it printed: nothing"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("code", [-1, 4294967295])
def test_failures_of_wsl_are_explained_by_their_code(said: str, words: str, encoding: str, code: int) -> None:
    """In any language, and from versions that know no WSL_UTF8."""
    found = wsl_protocol.wsl_failure(code, said.encode(encoding))
    assert found
    assert words in found.cause
    assert found.next_step
    assert found.user_missing == ("USER_NOT_FOUND" in said)


@pytest.mark.parametrize("code", [0, 1, 127, 255])
def test_a_linux_status_is_no_failure_of_wsl(code: int) -> None:
    """Whatever the command printed."""
    assert wsl_protocol.wsl_failure(code, b"Error code: Wsl/Service/WSL_E_DISTRO_NOT_FOUND") is None


@pytest.mark.parametrize("payload", [100_000, 384_000, 500_001])
def test_a_piece_fits_in_one_send(payload: int) -> None:
    """Base64 in its record stays below the payload, and pieces need no padding but the last."""
    size = wsl_protocol.chunk_size(payload)
    assert size % 3 == 0
    assert payload - 600 < len(base64.b64encode(b"x" * size)) + 200 <= payload
    assert b"".join(wsl_protocol.chunks(b"abcdefg", 3)) == b"abcdefg"


@pytest.mark.parametrize("name", ["Ubuntu-22.04", "a", "my_distro.1"])
def test_names_that_pass(name: str) -> None:
    """As wsl.exe allows them."""
    assert wsl_protocol.NAME.match(name)


@pytest.mark.parametrize("name", ["", "-d", "a b", "a;b", 'a"b', "a\nb", "a\n", "ü"])
def test_names_that_do_not(name: str) -> None:
    """Nothing that would need quoting, nor a word that looks like an option."""
    assert not wsl_protocol.NAME.match(name)
    assert not wsl_protocol.USER.match(name)


def test_boot_of_a_distro_is_its_first_process(tmp_path: Path) -> None:
    """Run here by a shell: the kernel's id, and the start of process 1 in ticks, the 22nd field of its stat."""
    asked = wsl_protocol.boot_command("/bin/sh -c 'cat /proc/sys/kernel/random/boot_id'")
    done = subprocess.run(["sh", "-c", asked], check=True, capture_output=True, text=True, cwd=tmp_path)
    boot, start = done.stdout.split()
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert start == Path("/proc/1/stat").read_text().rpartition(") ")[2].split()[19]
    assert wsl_protocol.boot_command("uptime") == "uptime"
