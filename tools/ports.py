# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ports for stacks under test, which several processes start side by side, and take again from time to time.

`python -m tools.ports` prints the inventory variables of a stack's ports as JSON: what READY_PORT_* name, or else ports
for a stack that is tested by hand.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from pathlib import Path

import yaml

#: Below those that the kernel gives to whoever asks for any: a port between two lives of its container stays free.
FIRST, LAST = 10_000, 32_000
#: What is added to a container's port where no free one is named: the default stack may run beside it.
BY_HAND = 30_000
#: Ports that a process keeps for itself at a time, until it ends.
BLOCK = 100

SERVICES = Path(__file__).resolve().parents[1] / "services"

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


def port_variables() -> dict[str, tuple[str, int]]:
    """Return inventory variable -> (the environment variable that names its port, the port without that)."""
    found = {}
    for path in sorted(SERVICES.glob("*.yml")):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        for port in definition["ports"]:
            variable = f"{definition['name']}_{port['variable']}"
            found[variable] = f"READY_PORT_{variable.removesuffix('_port').upper()}", BY_HAND + port["container"]
    return found


def named_ports() -> dict[str, int]:
    """Return inventory variable -> port, as this process's environment names them."""
    return {name: int(os.environ.get(variable) or port) for name, (variable, port) in port_variables().items()}


if __name__ == "__main__":
    print(json.dumps(named_ports()))
