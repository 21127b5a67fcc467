"""A terminal as a user has it: a program runs on it, and keys are typed when it asks."""

from __future__ import annotations

import os
import pty
import select
import signal
import termios
import time
from collections.abc import Mapping, Sequence

#: Seconds without output until keys are typed again: a prompt drops what was typed before it was ready.
AGAIN = 5


def _waits(terminal: int) -> bool:
    """Tell whether a program reads single keys. Before, Ctrl-C is a signal and no key."""
    return not termios.tcgetattr(terminal)[3] & termios.ICANON


def typed(
    command: Sequence[str], environment: Mapping[str, str], answers: Mapping[bytes, bytes], seconds: float = 240
) -> tuple[int, str]:
    """Run a program on a terminal, and answer it: what it asks -> the keys, in this order.

    Return the exit code, negative after a signal, and all that was shown.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], list(command), dict(environment))  # noqa: S606
    shown, waiting, ends = b"", dict(answers), time.monotonic() + seconds
    keys, last = b"", time.monotonic()
    while time.monotonic() < ends:
        asked = next(iter(waiting), None)
        if asked and asked in shown and _waits(terminal):
            keys, last = waiting.pop(asked), time.monotonic()
            os.write(terminal, keys)
        elif keys and time.monotonic() - last > AGAIN and _waits(terminal):
            last = time.monotonic()
            os.write(terminal, keys)
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            more = os.read(terminal, 4096)
        except OSError:  # nobody has the terminal open any more
            break
        shown, last = shown + more, time.monotonic()
    else:
        os.killpg(child, signal.SIGKILL)  # a hanging prompt outlives its terminal
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode(errors="replace")
