"""Ports for stacks under test: two processes that take some at the same time never get the same."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tools.ports import FIRST, free_ports

ROOT = Path(__file__).resolve().parents[3]


def test_no_port_is_given_twice() -> None:
    """Neither here nor to another process while this one lives, though nobody listens there."""
    mine = free_ports(150)
    ask = "from tools.ports import free_ports; print(*free_ports(150))"
    theirs = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert len({*mine, *map(int, theirs.split())}) == 300
    lowest_of_the_kernel = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert FIRST <= min(mine) <= max(mine) < lowest_of_the_kernel


def test_a_port_in_use_is_passed_over() -> None:
    """Whoever has it."""
    following = free_ports(1)[0] + 1
    with socket.create_server(("127.0.0.1", following)):
        assert following not in free_ports(3)
