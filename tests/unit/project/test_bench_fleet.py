"""What bench/fleet.py reads and concludes: its figures are worth what these are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import fleet


@pytest.mark.parametrize(
    ("cost", "named"),
    [
        (fleet.Cost(10, 9, 8.5, 0.1, 0, 1), "the one process that leads the forks"),
        (fleet.Cost(10, 18, 4, 1, 0, 1), "the processors"),
        (fleet.Cost(10, 10, 4, 8, 0, 1), "the processors, the simulator's work among it"),
        (fleet.Cost(10, 4, 2, 1, 0, 1), "waiting: forks, or the PCs' answers"),
    ],
)
def test_what_limits_is_named(cost: fleet.Cost, named: str) -> None:
    """Of two processors, by whose time is used up."""
    assert fleet.bottleneck(cost, 2) == named


def test_row_is_per_pc_as_well() -> None:
    """A table that can be pasted."""
    shown = fleet.row(fleet.Cost(100, 50, 10, 5, 300 * fleet.MIB, 21), 20, 50, 2)
    assert shown.startswith("| 20 | 100.0 s, 2.00 s | 50.0 s, 1.00 s | 10% | 5.0 s | 300 MiB, 21 processes |")


def test_changes_are_counted_from_the_recap(tmp_path: Path) -> None:
    """Of the PCs alone."""
    recap = tmp_path / "output"
    recap.write_text("pc1 : ok=3 changed=2 unreachable=0\npc10   : ok=3   changed=1\nlocalhost : ok=1 changed=9\n")
    assert fleet.changed(recap) == 3


def test_memory_is_of_all_that_descend_from_a_process() -> None:
    """Each with its share of what they share, so it is less than their sizes together."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert child.pid in fleet.tree(os.getpid())
        memory, processes = fleet.memory_of(os.getpid())
        assert memory > fleet.MIB
        assert processes >= 2
        assert fleet.cpu_of(os.getpid()) > 0
    finally:
        child.communicate(b"\n")
    assert child.pid not in fleet.tree(os.getpid())
