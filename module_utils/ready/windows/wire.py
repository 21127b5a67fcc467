"""What travels between the connection plugin wsl_psrp and a WSL distro: command texts, records, what failures mean."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?\Z")
TOKEN = re.compile(r"[0-9a-f]{32}\Z")
#: Bytes of a pipeline input record around its text: PSRP's fragment and message headers (21 + 40), the CLIXML.
_AROUND = 200
#: Bytes of standard output that are kept to understand a failure.
_HEAD = 4096
#: wsl.exe's own failures end with -1; a Linux status is 0 to 255.
_OWN_FAILURE = (-1, 0xFFFFFFFF)


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


def stop_text(script: str, tokens: Iterable[str], seconds: int) -> str:
    """Return the command that ends leftovers: scripts/linux/stop_leftover.sh with its arguments."""
    return f"set -- {int(seconds)} {' '.join(shlex.quote(token) for token in tokens)}\n{script}"


def piece(max_payload: int) -> int:
    """Return how many bytes of a file fit in one Send: base64 in a record, and the record's own length."""
    return (max_payload - _AROUND) // 4 * 3


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Yield data in pieces."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


class Ended(NamedTuple):
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
    end: Ended | None = None

    def _print(self, data: bytes) -> None:
        self.head += data[: _HEAD - len(self.head)]
        self.out(data)

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
                self.end = Ended(int(last["rc"]), last["why"], str(last.get("msg") or ""))
                if out:
                    self._print(out)
                self.err += err
                return
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        self.other.append(record)


#: What wsl.exe said → what it means and what to do. Codes and symbolic names only: its sentences are localised.
#: The names are microsoft/WSL's; those with a number were read in its source or in reports (docs/wsl_psrp.md).
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"WSL_E_DISTRO_NOT_FOUND|0x80040302",
        "the account that Ansible connects as has no WSL distro of that name",
        "compare ansible_wsl_distribution with the output of wsl.exe -l -q under that account; distros belong to one"
        " account each.",
    ),
    (
        r"WSL_E_USER_NOT_FOUND",
        "the distro has no such Linux user",
        "make the user, or name another one in ansible_wsl_user (or become_user).",
    ),
    (
        r"LOCAL_SYSTEM_NOT_SUPPORTED|0x8004032E",
        "WSL does not run as SYSTEM",
        "connect as the account that owns WSL.",
    ),
    (
        r"0x80070422",
        "the service of WSL is stopped and disabled",
        "set the service WSLService to start by demand and run again.",
    ),
    (
        r"0x80370102|HCS_E_HYPERV_NOT_INSTALLED",
        "virtualization is off, in the firmware or by the host of this virtual machine",
        "switch it on; on Hyper-V: Set-VMProcessor -ExposeVirtualizationExtensions $true.",
    ),
    (
        r"0x80070569",
        "a policy took 'Log on as a service' from NT VIRTUAL MACHINE\\Virtual Machines",
        "give it back in the group policy.",
    ),
    (
        r"0x8004032D|0x80040321|0x80040327|WSL_E_WSL_OPTIONAL_COMPONENT_REQUIRED",
        "a Windows feature that WSL needs is missing",
        "enable VirtualMachinePlatform and reboot.",
    ),
)


class Problem(NamedTuple):
    """Why wsl.exe could not run a command."""

    cause: str
    next_step: str
    user_missing: bool


def problem(code: int, said: bytes) -> Problem | None:
    """Return what wsl.exe's own failure means, or None when a Linux command ended.

    It speaks UTF-8 with WSL_UTF8=1, and UTF-16 in versions older than 0.64: then every other byte is NUL.
    """
    if code not in _OWN_FAILURE:
        return None
    text = said.replace(b"\0", b"").decode("utf-8", "replace").strip()
    for pattern, cause, step in _CAUSES:
        if re.search(pattern, text):
            return Problem(cause, step, "USER_NOT_FOUND" in pattern)
    return Problem(
        f"wsl.exe failed; it said: {text[:500] or 'nothing'}",
        "run the same wsl.exe on the Windows host under the account that Ansible connects as.",
        False,
    )
