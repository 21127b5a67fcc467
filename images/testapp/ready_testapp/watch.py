# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running the command: a test that hangs is killed, one that ends pytest is named, and the others run after it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

#: How often pytest is started again after a test that hung or ended it.
RESTARTS = 25
#: Seconds beyond a test's limit for pytest-timeout to end it, seconds between two looks.
GRACE, LOOK = 10.0, 0.2
#: What each pytest is called with: one that ends at the first fault would leave tests unseen.
OPTIONS = "-p ready_testapp.plugin --continue-on-collection-errors --maxfail=0"
#: Lines of output that are kept, and characters of each.
LINES, WIDTH = 400, 500


@dataclass
class Events:
    """The file of events, read as it grows, and what they say about where pytest is."""

    path: Path
    at: int = 0
    rest: bytes = b""
    current: tuple[str, str] | None = None  #: `test` or `file`, and which
    since: float = 0.0
    done: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)

    def write(self, event: str, **values: Any) -> None:
        """Add an event of the runner itself."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"e": event, **values}) + "\n")

    def read(self) -> None:
        """Take in what is new."""
        with self.path.open("rb") as stream:
            stream.seek(self.at)
            new = stream.read()
        self.at += len(new)
        *lines, self.rest = (self.rest + new).split(b"\n")
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError):  # the line at which a process was killed
                continue

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["e"]
        if kind == "start":
            self._now(("test", event["id"]))
        elif kind == "collecting":
            self._now(("file", event["file"]))
        elif kind == "end":
            self.done.add(event["id"])
            self._now(None)
        elif kind == "collected":
            self._now(None)

    def _now(self, current: tuple[str, str] | None) -> None:
        self.current, self.since = current, time.monotonic()

    def blame(self, why: str, code: int | None) -> None:
        """Note that the test or file at which pytest is has ended it, or has to be ended."""
        assert self.current
        kind, which = self.current
        took = round(time.monotonic() - self.since, 1)
        self.write("blamed", kind=kind, what=which, why=why, code=code, seconds=took)
        (self.done if kind == "test" else self.ignored).add(which)
        self.current = None


class Output:
    """The end of what a process prints."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.lines: deque[str] = deque(maxlen=LINES)
        self.thread = threading.Thread(target=self._read, args=[stream], daemon=True)
        self.thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            self.lines.append(line.decode(errors="replace").rstrip()[:WIDTH])


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def shims(layer: str) -> str:
    """Return a PATH whose first directory has `python` and `pytest`, whatever the image calls them."""
    place = Path(tempfile.mkdtemp(prefix="ready-testapp-"))
    for name, text in {"python": "", "python3": "", "pytest": " -m pytest"}.items():
        (place / name).write_text(f'#!/bin/sh\nexec {sys.executable}{text} "$@"\n', encoding="ascii")
        (place / name).chmod(0o755)
    return f"{place}:{layer}/bin:{os.environ.get('PATH', '/usr/bin:/bin')}"


def environment(job: Mapping[str, Any], library: str, events: Path, state: Path) -> dict[str, str]:
    """Return the environment of the command: the settings, and what lets each pytest in it record."""
    root, layer = job["root"], os.environ.get("READY_TESTAPP_LAYER", "/nonexistent")
    source = [f"{root}/src"] if Path(root, "src").is_dir() else []
    paths = [root, *source, layer, *filter(None, [os.environ.get("PYTHONPATH")]), library]
    own = {
        "PATH": shims(layer),
        "PYTHONPATH": ":".join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTEST_ADDOPTS": OPTIONS,
        "PYTEST_TIMEOUT": f"{job['timeout']:g}",
        "HOME": tempfile.mkdtemp(prefix="ready-testapp-home-"),
        "READY_TESTAPP_EVENTS": str(events),
        "READY_TESTAPP_STATE": str(state),
        "READY_TESTAPP_ROOT": root,
    }
    return {**os.environ, **job["settings"], **own}


def once(command: Sequence[str], env: Mapping[str, str], root: str, events: Events, ends: float, limit: float) -> Any:
    """Run the command once; return (exit code or None where it was killed, why, the output's end)."""
    try:
        process = subprocess.Popen(  # noqa: S603  # the inventory's own command
            command,
            cwd=root,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return 127, "", [f"{command[0]}: {error.strerror}"]
    assert process.stdout
    output, why = Output(process.stdout), ""
    while process.poll() is None:
        time.sleep(LOOK)
        events.read()
        now = time.monotonic()
        if now > ends:
            why = "deadline"
        elif events.current and now - events.since > limit + GRACE:
            why = "timeout"
        if why:
            break
    _kill(process)  # also what a test left running
    output.thread.join(timeout=5)
    events.read()
    return (None if why else process.returncode), why, list(output.lines)


def run(job: Mapping[str, Any], library: str, out: Path) -> dict[str, Any]:
    """Run the command until every test has had its turn; return how it went. The events are in their file."""
    events, state = Events(out / "events.jsonl"), out / "state.json"
    events.path.touch(mode=0o600)
    ends, limit = time.monotonic() + job["deadline"], float(job["timeout"])
    env = environment(job, library, events.path, state)
    codes: list[int | None] = []
    lines: list[str] = []
    timed_out = False
    while len(codes) <= RESTARTS:
        state.write_text(json.dumps({"done": sorted(events.done), "ignored": sorted(events.ignored)}), encoding="utf-8")
        code, why, lines = once(job["command"], env, job["root"], events, ends, limit)
        codes.append(code)
        timed_out = why == "deadline"
        if not events.current or timed_out:
            if events.current:
                events.blame("deadline", code)
            break
        slow = time.monotonic() - events.since >= limit
        events.blame(why or ("timeout" if slow else "crash"), code)
    return {"codes": codes, "timed_out": timed_out, "restarts": len(codes) - 1, "output": lines}
