# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A part in a separate process: what crashes or hangs in it is its own fault, and takes no other part with it."""

from __future__ import annotations

import ctypes
import dataclasses
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from ready_frameworks.context import FAIL, MORE_TIME, Context, finding, worst

VERDICTS = ("pass", "fail", "insufficient_data")
#: Bytes of a part's result at most.
_LARGEST = 8 * 2**20
#: prctl's PR_SET_CHILD_SUBREAPER.
_SUBREAPER = 36
_adopts = False


class Ended(BaseException):
    """The whole run is to end; no part may take it for its own fault."""


def adopt() -> None:
    """Become the parent of whatever a part leaves running, so that it ends with the part, also in another session."""
    global _adopts
    _adopts = ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0) == 0


def apart(name: str, context: Context, seconds: float) -> dict[str, Any]:
    """Return what `ready_frameworks.<name>.run` found; it is killed, with all it has started, after so many seconds.

    What it returns is checked for the form that all parts share, so that none can be taken for more than it says.
    """
    within = dataclasses.replace(context, deadline=min(context.deadline, time.monotonic() + seconds))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(name, within, writing)
    os.close(writing)
    try:
        text, in_time = _answer(reading, within.deadline)
    finally:
        os.close(reading)
        status = _end(child)
    if not in_time:
        why = f"found no end after {seconds:.0f} s; expected a result by then"
        return _failed(context, f"{why}. {MORE_TIME}, or look for what it waits for")
    if not text:
        return _failed(context, f"found its process ended ({_how(status)}); expected a result. Next: --only {name}")
    return checked(context, name, json.loads(text))


def checked(context: Context, name: str, found: Any) -> dict[str, Any]:
    """Return a part's result if it has the form of one, else the fault that it has not.

    The verdict is never better than the worst of its findings.
    """
    findings = found.get("findings") if isinstance(found, dict) else None
    every = [found, *findings] if isinstance(findings, list) else []
    if not every or not all(isinstance(each, dict) and each.get("verdict") in VERDICTS for each in every):
        return _failed(context, f"found a result without verdicts from {name}; expected one for each finding")
    if len(every) == 1:
        return _failed(context, f"found no finding from {name}; expected at least one")
    verdict = worst(each["verdict"] for each in every)
    return {"detail": "", **found, "verdict": verdict}


def _child(name: str, context: Context, writing: int) -> None:
    """Run the part, hand its result over, and never come back."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        try:
            found = importlib.import_module(f"ready_frameworks.{name}").run(context)
        except Exception as error:  # whatever a framework raises
            _trace(context, -6)
            found = _failed(context, f"found {type(error).__name__}: {error}; expected no exception")
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(json.dumps(found, default=str, allow_nan=False) + "\n")
        code = 0
    except BaseException:  # a child must not go on as its parent
        _trace(context, -3)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _trace(context: Context, limit: int) -> None:
    """Print where an exception was raised: its text may hold a password, and Docker keeps what is printed."""
    for line in traceback.format_exc(limit=limit).splitlines():
        context.say(line)


def _answer(reading: int, ends: float) -> tuple[str, bool]:
    """Return the line that comes through a pipe, "" if its end comes first, and whether that came in time.

    The end itself may not come: a process that the part has started may hold the pipe as well.
    """
    content = bytearray()
    while (left := ends - time.monotonic()) > 0 and len(content) <= _LARGEST:
        ready, _, _ = select.select([reading], [], [], left)
        if ready:
            chunk = os.read(reading, 65536)
            content += chunk
            if content.endswith(b"\n"):
                return content.decode(errors="replace"), True
            if not chunk:
                return "", True
    return "", False


def _end(child: int) -> int:
    """Kill a part with what it has started, and return how its process ended."""
    family = _family(child) | {child}  # before it ends: then its children are somebody else's
    with suppress(ProcessLookupError, PermissionError):  # nothing of it is left, or it has no group yet
        os.killpg(child, signal.SIGKILL)
    for number in sorted(family):
        _kill(number)
    status = os.waitpid(child, 0)[1]
    while _adopts and (left := _family(os.getpid())):  # what it had started is this process's now
        for number in left:
            _kill(number)
        with suppress(ChildProcessError):
            while os.waitpid(-1, 0)[0]:
                pass
    return status


def _kill(number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(number, signal.SIGKILL)


def _family(root: int) -> set[int]:
    """Return the processes that descend from one."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    while more := {number for number, parent in parents.items() if parent in {root, *found}} - found:
        found |= more
    return found


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"


def _failed(context: Context, detail: str) -> dict[str, Any]:
    detail = context.clean(detail)
    return {"verdict": FAIL, "detail": detail, "findings": [finding("run", FAIL, detail)]}
