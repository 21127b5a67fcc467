# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write what verbs produce to standard output or into a file of mode 0600. Controller only.

In a file each stack of each host has a separate block, which the next run replaces: no old password stays.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..common.files import write_bytes

#: The launcher's own file, for what it prints afterwards: each host adds its part.
PRINTED = "READY_PRINTED"
_OTHERS = 0o077


class OutputError(OSError):
    """The file can't be written; the message names it."""


def replace_block(content: str, text: str, name: str) -> str:
    """Return a file's content with the block `name` replaced, or added at its end."""
    first, last = f"# BEGIN {name}", f"# END {name}"
    block = f"{first}: ./ready replaces what is between these lines\n{text.rstrip()}\n{last}\n"
    pattern = re.compile(rf"^{re.escape(first)}: .*?^{re.escape(last)}\n?", re.MULTILINE | re.DOTALL)
    if pattern.search(content):
        kept = iter([block])
        return pattern.sub(lambda _: next(kept, ""), content)
    return f"{content}{'' if not content or content.endswith(chr(10)) else chr(10)}{block}"


def variables_outside_blocks(content: str, text: str) -> list[str]:
    """Return "PGPASSWORD (line 3)" for each variable of `text` that a dotenv file has outside of Ready's blocks."""
    names = {line.partition("=")[0] for line in text.splitlines() if "=" in line}
    found, inside = [], False
    for number, line in enumerate(content.splitlines(), 1):
        inside = not line.startswith("# END ready ") and (inside or line.startswith("# BEGIN ready "))
        name = line.strip().removeprefix("export ").partition("=")[0].strip()
        if not inside and name in names:
            found.append(f"{name} (line {number})")
    return found


def _is_readys(content: str) -> bool:
    """Return whether a file has nothing but what `env --format json` or `secrets show` wrote."""
    from ..connections.settings import VARIABLES  # with every service's connection: the launcher starts without

    try:
        found = json.loads(content)
    except ValueError:
        return False
    if not isinstance(found, dict):
        return False
    shown = [entry for its in found.values() if isinstance(its, dict) for entry in its.values()]
    return all(VARIABLES.fullmatch(name) and isinstance(value, str) for name, value in found.items()) or (
        all(isinstance(its, dict) and its for its in found.values())
        and all(isinstance(entry, dict) and set(entry) == {"login", "password"} for entry in shown)
    )


@contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    """Open a file, made for its owner where there is none, when no other process has it: other hosts of this run."""
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as stream:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat()):  # else replaced meanwhile
                yield stream
                return


def _replace(path: Path, stream: IO[str], text: str) -> None:
    """Put a text in place of an open file's, whole or not at all: a full disk takes nothing away."""
    its = os.fstat(stream.fileno())
    if not stat.S_ISREG(its.st_mode):
        stream.write(text)
        return
    write_bytes(path, text.encode("utf-8"), 0o600, (its.st_uid, its.st_gid))


def write_output(path: Path, text: str, name: str, hosts: int, *, whole: bool) -> str:
    """Write `text` for its owner alone, mode 0600, and return a line on what needs a look, "" for none.

    Args:
        path: the file; what others wrote into it stays.
        text: the settings.
        name: of the block, which the next run replaces: "ready STACK on HOST".
        hosts: how many hosts write there in this run.
        whole: whether the file is `text`, as JSON, and nothing else.

    Raises:
        OutputError: it can't be written, or should not be.
    """
    if str(path) == os.environ.get(PRINTED):
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
        return ""
    if whole and hosts > 1:
        raise OutputError(
            f"{path}: found {hosts} hosts, expected one for a JSON file. Next: --limit, a file for each host"
        )
    try:
        path = path.resolve()
        with _locked(path) as stream:
            before = stream.read() if stat.S_ISREG(os.fstat(stream.fileno()).st_mode) else ""
            if whole and before.strip() and not _is_readys(before):
                raise OutputError(
                    f"{path}: found something else than what Ready wrote as JSON, expected settings to replace. "
                    "Next: another file"
                )
            _replace(path, stream, text if whole else replace_block(before, text, name))
    except OutputError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path}: can't be written: {error}. Next: another file for --output") from error
    more = [] if whole else variables_outside_blocks(before, text)
    if not more:
        return ""
    return (
        f"{path}: found {', '.join(more)} outside of Ready's block, expected them in it alone. Next: remove those lines"
    )


def write_document(path: Path, text: str) -> None:
    """Write `text` for its owner alone, mode 0600, in place of whatever the file had. Raises OutputError."""
    try:
        path = path.resolve()
        with _locked(path) as stream:
            _replace(path, stream, text)
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error}. Next: another file for --output") from error


def warn_of_readable_output(stream: IO[str]) -> str:
    """Return a line, with its end, if what was written to a stream of this process lies open to others, else ""."""
    try:
        descriptor = stream.fileno()
    except OSError:  # none of the system's
        return ""
    its = os.fstat(descriptor)
    if not stat.S_ISREG(its.st_mode) or not its.st_mode & _OTHERS:
        return ""
    path = os.readlink(f"/proc/self/fd/{descriptor}") if Path("/proc/self/fd").is_dir() else "FILE"
    return (
        f"ready: secrets were written to {path}: found mode {stat.S_IMODE(its.st_mode):04o}, expected 0600. "
        f"Next: chmod 600 {shlex.quote(path)}; --output FILE makes it so\n"
    )
