# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put a thread into a network namespace: a new one, or another process's. Linux, root. See setns(2)."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def unshare() -> None:
    """Give the calling thread a separate network namespace, which ends with it. Raises OSError."""
    _call("unshare", _CLONE_NEWNET)


@contextmanager
def in_namespace_of(pid: int | None) -> Iterator[None]:
    """Have what the calling thread connects meanwhile come from where a process is; None leaves it where it is.

    A connection stays where it was made, so requests on it need no more than that. Raises OSError.
    """
    if pid is None:
        yield
        return
    with open("/proc/thread-self/ns/net", "rb") as own, open(f"/proc/{pid}/ns/net", "rb") as other:
        _call("setns", other.fileno(), _CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", own.fileno(), _CLONE_NEWNET)
