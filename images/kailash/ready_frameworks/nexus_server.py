# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A worker of the example's Nexus application: started on free ports, its sockets looked at, always ended."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

from ready_frameworks.nexus_channels import HOST, Api, Cli, Mcp

START, STOP, TRIES = 40.0, 5.0, 3
_LISTEN = "0A"
_LOG_BYTES = 200_000
#: What a process keeps of this one's environment.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
PYTHON = {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONWARNINGS": "ignore"}


class ServerError(Exception):
    """A worker doesn't serve; the message has the form of a finding's detail."""


def listening(table: str) -> dict[str, tuple[str, int]]:
    """Read /proc/net/tcp or tcp6: the inode of each listening socket -> its address and port."""
    found = {}
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > 9 and words[3] == _LISTEN:
            address, _, port = words[1].partition(":")
            found[words[9]] = (_address(address), int(port, 16))
    return found


def _address(written: str) -> str:
    """Return an address that /proc writes as words of the host's byte order."""
    packed = b"".join(struct.pack("=I", int(written[at : at + 8], 16)) for at in range(0, len(written), 8))
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def open_ports(group: int) -> set[tuple[str, int]]:
    """Return where the processes of a group listen."""
    tables: dict[str, tuple[str, int]] = {}
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # a kernel without IPv6
            tables |= listening(Path("/proc/net", name).read_text())
    inodes = {inode for process in _members(group) for inode in _sockets(process)}
    return {tables[inode] for inode in inodes & tables.keys()}


def _members(group: int) -> Iterable[Path]:
    for path in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if path.name.isdigit() and int((path / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                yield path


def _sockets(process: Path) -> Iterable[str]:
    with contextlib.suppress(OSError):
        for each in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(each)
                if target.startswith("socket:["):
                    yield target[8:-1]


def used(group: int) -> float:
    """Return the seconds of processor time that the processes of a group have used."""
    ticks = 0
    for process in _members(group):
        with contextlib.suppress(OSError, ValueError, IndexError):
            ticks += sum(int(word) for word in (process / "stat").read_text().rpartition(")")[2].split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def elsewhere(found: Iterable[tuple[str, int]]) -> list[str]:
    """Return the addresses that others than this machine reach."""
    return sorted(f"{address}:{port}" for address, port in found if not address.startswith("127.") and address != "::1")


def free_ports() -> tuple[int, int]:
    """Return two ports of the loopback address that nobody has at this moment."""
    with socket.socket() as one, socket.socket() as other:
        one.bind((HOST, 0))
        other.bind((HOST, 0))
        return one.getsockname()[1], other.getsockname()[1]


def environment(settings: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return the environment of a worker: the settings, and what a Python process needs. No proxy: all is near."""
    values = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {"CATALOGUE_PREFIX": prefix, "KAILASH_ENCRYPTION_KEY": secrets.token_hex(32)}
    return values | dict(settings) | PYTHON | own


class Worker:
    """One process that serves API and MCP; `with Worker(...) as worker` starts and ends it."""

    def __init__(self, settings: Mapping[str, str], prefix: str, clean: Callable[[object], str]) -> None:
        self._environment = environment(settings, prefix)
        self._clean = clean
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._opened: list[Api | Mcp] = []
        self.ports = (0, 0)
        self.found: set[tuple[str, int]] = set()
        self.started_ms = 0.0

    def __enter__(self) -> Worker:
        """Start; another worker may take a port before this one has it, so try again with others."""
        try:
            for attempt in range(1, TRIES + 1):
                self._start()
                if self._ready():
                    return self
                ended, reason = self._process.poll() if self._process else None, self.said()
                self.stop()
                if attempt == TRIES or "address already in use" not in reason.lower():
                    break
        except BaseException:
            self.stop()
            raise
        what = f"no server after {START:.0f} s" if ended is None else f"a server that ended with exit code {ended}"
        raise ServerError(
            f"Nexus: found {what} ({reason}); expected API and MCP on two ports. "
            "Next: run python -m catalogue.server in the image and read its log"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, whatever happened."""
        self.stop()

    def _start(self) -> None:
        self.ports, self.found = free_ports(), set()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - the process writes to it until it is stopped
        command = [sys.executable, "-m", "catalogue.server"]
        command += [f"--api-port={self.ports[0]}", f"--mcp-port={self.ports[1]}"]
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            command,
            env=self._environment,
            cwd="/",  # `-m` looks into the working directory first
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _ready(self) -> bool:
        """Wait until the process itself listens on both ports: somebody else's server is none of ours."""
        assert self._process is not None
        begun = time.monotonic()
        while time.monotonic() < begun + START and self._process.poll() is None:
            self.found = open_ports(self._process.pid)
            if {port for _, port in self.found} >= set(self.ports):
                self.started_ms = round((time.monotonic() - begun) * 1000, 1)
                return True
            time.sleep(0.1)
        return False

    def used(self) -> float:
        """Return the seconds of processor time that the worker has used."""
        return used(self._process.pid) if self._process is not None else 0.0

    def api(self) -> Api:
        """Return a client of the API."""
        self._opened.append(client := Api(self.ports[0]))
        return client

    def mcp(self) -> Mcp:
        """Return a client of the MCP channel."""
        self._opened.append(client := Mcp(self.ports[1]))
        return client

    def cli(self) -> Cli:
        """Return the CLI. It gets no secrets: it needs the API's address alone."""
        kept = (*KEPT, *PYTHON)
        return Cli(self.ports[0], {name: self._environment[name] for name in kept if name in self._environment})

    def mark(self) -> int:
        """Return how long the log is now."""
        return os.fstat(self._log.fileno()).st_size if self._log is not None else 0

    def said(self, since: int | None = None) -> str:
        """Return the last error in the log, without secrets: since a mark, or else of all, or its last line."""
        if self._log is None:
            return ""
        begin = max(since or 0, self.mark() - _LOG_BYTES)
        written = os.pread(self._log.fileno(), _LOG_BYTES, begin)  # a seek would move where the process writes
        lines = [line.strip() for line in written.decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()]
        return self._clean((errors or (lines if since is None else []) or [""])[-1])

    def stop(self) -> None:
        """End the process and what it started, and every connection to it."""
        while self._opened:
            with contextlib.suppress(Exception):  # it may be broken already
                self._opened.pop().close()
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # also whatever it left
            process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None
