# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ports for stacks under test, which several processes start side by side, and take from time to time anew."""

from __future__ import annotations

import errno
import socket
import threading

#: Below those that the kernel gives to whoever asks for any: a port between two lives of its container stays free.
FIRST, LAST = 10_000, 32_000
#: Ports that a process keeps for itself at a time, until it ends.
BLOCK = 100

_held: list[socket.socket] = []
_spare: list[int] = []
_one_at_a_time = threading.Lock()


def _take_block() -> None:
    for start in range(FIRST, LAST, BLOCK):
        # A name that one process of this machine can have at a time, and that goes with the process: no file is left.
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0ready-test-ports-{start}")
        except OSError as error:
            mark.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        _held.append(mark)
        _spare.extend(range(start, start + BLOCK))
        return
    raise OSError(errno.EADDRINUSE, f"no block of ports between {FIRST} and {LAST} is free")


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, and that no other process which asks here is given while this one lives."""
    found: list[int] = []
    with _one_at_a_time:
        while len(found) < count:
            if not _spare:
                _take_block()
            port = _spare.pop(0)
            if _is_free(port):
                found.append(port)
    return found
