"""What travels between the connection plugin wsl_psrp and a WSL distro: command texts, records, what failures mean."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from . import wsl_errors

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?\Z")
TOKEN = re.compile(r"[0-9a-f]{32}\Z")
#: Bytes of a pipeline input record around its text: PSRP's fragment and message headers (21 + 40), the CLIXML.
_RECORD_OVERHEAD = 200
#: Bytes of standard output that are kept to understand a failure.
_KEPT_OUTPUT = 4096
#: wsl.exe's own failures end with -1; a Linux status is 0 to 255.
_OWN_FAILURE = (-1, 0xFFFFFFFF)
_USER_MISSING = "0x80040308"


def encode(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode("ascii")


def command_text(command: str, token: str) -> str:
    """Return what the Linux shell is to run: the command, with its processes marked by the token.

    The marker also names the session (/proc/self/stat, field 6), so that what has begun a session of its own is not
    taken for a leftover, and the shell itself, whose own environment does not show it. Undone first is what the shell
    needed to read this text as one word (wsl_exec.ps1).
    """
    return (
        "set +f;unset IFS;read -r c </proc/self/stat;set -- ${c##*) };"
        f"export READY_WSL={token}.$4.$$;set --;unset c\n{command}\n"
    )


#: What ansible.builtin.reboot tells boots apart by. All distros share a kernel, whose id outlives their restarts.
_BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
#: The kernel's id, and when the distro's first process began, in ticks since then: /proc/1/stat, field 22.
_BOOT = f"{_BOOT_ID} && sed 's/.*) //' /proc/1/stat | cut -d' ' -f20"


def boot_command(command: str) -> str:
    """Return a command as it is to run in a distro: reboot's question for the boot is asked about the distro."""
    return _BOOT if _BOOT_ID in command else command


def password_prompt_fault(method: str, prompt: object, user: str) -> str:
    """Return why a command would read what follows it as a password, "" when it would not.

    Nobody is there to type one, and the first line of standard input is the module's. Root is not asked by sudo and su.
    """
    if not prompt or (user == "root" and method in ("sudo", "su")):
        return ""
    return (
        f"found become_method {method}, which asks {user} for a password, expected one that asks for none: it would"
        " take the module's text for it. Next: become_method: wsl_user, which needs no password; or for sudo a rule"
        " NOPASSWD, and no ansible_become_password"
    )


def stop_command(script: str, tokens: Iterable[str], seconds: int) -> str:
    """Return the command that ends leftovers: scripts/linux/stop_leftover.sh with its arguments."""
    return f"set -- {int(seconds)} {' '.join(shlex.quote(token) for token in tokens)}\n{script}"


def timeout_message(where: str, left: str, timeout: int) -> str:
    """Return the message about a command that ran too long; `left` is stop_leftover.sh's answer: ended or stopped."""
    if left == "ended":
        return (
            f"{where}: wsl.exe did not end within {timeout} s and was killed; no process of the command was left in the"
            " distro. Next: run again; if it happens again, wsl.exe --terminate for this distro."
        )
    return (
        f"{where}: a command ran for more than {timeout} s and was stopped. Next: see why it takes so long, or raise"
        " ansible_wsl_command_timeout."
    )


def chunk_size(max_payload: int) -> int:
    """Return how many bytes of a file fit in one Send: base64 in a record, and the record's own length."""
    return (max_payload - _RECORD_OVERHEAD) // 4 * 3


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    """Yield data in pieces."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


class CommandEnd(NamedTuple):
    """How a command ended."""

    code: int
    why: Literal["exit", "timeout", "start"]
    message: str


@dataclass
class Records:
    """Takes the records of wsl_exec.ps1 in; standard output goes to `out` as it comes."""

    out: Callable[[bytes], Any]
    head: bytearray = field(default_factory=bytearray)  # where standard output begins: wsl.exe's own words may be there
    err: bytearray = field(default_factory=bytearray)
    other: list[str] = field(default_factory=list)
    end: CommandEnd | None = None

    def _print(self, data: bytes) -> None:
        self.head += data[: _KEPT_OUTPUT - len(self.head)]
        self.out(data)

    def take_all(self, waiting: list[Any]) -> None:
        """Take in all that a pipeline has written so far, and keep none of it there."""
        for item in waiting:
            self.take(str(item))
        waiting.clear()

    def take(self, record: str) -> None:
        """Take one record in. What is none of the script's is kept for the message."""
        kind, text = record[:1], record[1:]
        try:
            if kind == "O":
                self._print(base64.b64decode(text, validate=True))
                return
            if kind == "E":
                self.err += base64.b64decode(text, validate=True)
                return
            if kind == "X":
                last: Mapping[str, Any] = json.loads(text)
                out, err = base64.b64decode(last.get("out") or ""), base64.b64decode(last.get("err") or "")
                self.end = CommandEnd(int(last["rc"]), last["why"], str(last.get("msg") or ""))
                if out:
                    self._print(out)
                self.err += err
                return
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        self.other.append(record)


class WslFailure(NamedTuple):
    """Why wsl.exe could not run a command."""

    cause: str
    next_step: str
    user_missing: bool


def wsl_failure(code: int, output: bytes) -> WslFailure | None:
    """Return what wsl.exe's own failure means, or None when a Linux command ended.

    It speaks UTF-8 with WSL_UTF8=1, and UTF-16 in versions older than 0.64: then every other byte is NUL.
    """
    if code not in _OWN_FAILURE:
        return None
    text = output.replace(b"\0", b"").decode("utf-8", "replace").strip()
    if (found := wsl_errors.find(text)).error is not None:
        missing = found.code == _USER_MISSING
        return WslFailure(f"{found.error.cause} ({found.shown})", f"{found.error.next}.", missing)
    return WslFailure(
        f"wsl.exe failed; it printed: {text[:500] or 'nothing'}",
        "run the same wsl.exe on the Windows host under the account that Ansible connects as.",
        False,
    )
