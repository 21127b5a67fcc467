# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet costs: `PYTHONPATH=.:module_utils .venv/bin/python bench/fleet.py [--pcs 50] [--forks 20,50]`.

So many simulated PCs that are as the roles leave them are asked again at once by playbooks/windows.yml, which changes
nothing. The simulator is a separate process, and its CPU is counted apart. For each number of forks a line: wall time
and the controller's CPU in all and per PC, the share of the one process that leads the others, the most memory
(proportional set size, so that what forks share counts once), and what limits. It fails when a PC fails or changes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
#: Above this share of its time a process, or all processors together, are busy: no more can be had from them.
BUSY = 0.8
MIB = 2**20


@dataclass(frozen=True)
class Cost:
    """What one run cost the controller: seconds, and bytes."""

    wall: float
    cpu: float
    leader: float  # CPU of ansible-playbook's first process alone
    simulator: float
    memory: int
    processes: int


def cpu_of(pid: int, *, children: bool = False) -> float:
    """Return the CPU seconds of a process, with those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, fields[11 : 15 if children else 13])) / TICKS


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it, as far as they are there still."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def memory_of(pid: int) -> tuple[int, int]:
    """Return the proportional set size of a tree of processes, and how many they are."""
    pids, total = tree(pid), 0
    for one in pids:
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{one}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) * 1024 if found else 0
    return total, len(pids)


class Watch:
    """Looks at a process and its children until it is to stop: the most memory, and the leader's own CPU."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self.leader, self.memory, self.processes = 0.0, 0, 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.5):
            with contextlib.suppress(OSError):
                self.leader = cpu_of(self._pid)
            memory, processes = memory_of(self._pid)
            self.memory, self.processes = max(self.memory, memory), max(self.processes, processes)

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join()


@contextlib.contextmanager
def simulated(directory: Path, pcs: int) -> Iterator[tuple[Path, int]]:
    """Give an inventory of simulated PCs, and the simulator's process."""
    words = [f"pc{number}=ready" for number in range(1, pcs + 1)]
    process = subprocess.Popen([sys.executable, "-m", "tests.simulator", str(directory), *words], cwd=ROOT)  # noqa: S603
    try:
        inventory = directory / "hosts.yml"
        while not inventory.exists():
            if process.poll() is not None:
                raise SystemExit(f"the simulator ended with {process.returncode}, expected it to serve {pcs} PCs")
            time.sleep(0.2)
        yield inventory, process.pid
    finally:
        process.terminate()
        process.wait()


def run(inventory: Path, simulator: int, forks: int, output: Path) -> Cost:
    """Run the playbook once and return what it cost. Raises SystemExit when a host failed."""
    playbook, evidence = ROOT / "playbooks" / "windows.yml", output.parent / "evidence"
    command: list[str | Path] = [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, playbook]
    command += ["-e", f"ready_evidence_dir={evidence}", "--forks", str(forks)]
    environment = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    before, begin, served = os.times(), time.monotonic(), cpu_of(simulator)
    with output.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)  # noqa: S603
        watch = Watch(process.pid)
        code = process.wait()
    watch.stop()
    wall, after = time.monotonic() - begin, os.times()
    if code:
        raise SystemExit(f"the run ended with {code}, expected 0:\n{output.read_text()[-3000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, cpu, watch.leader, cpu_of(simulator) - served, watch.memory, watch.processes)


def changed(output: Path) -> int:
    """Return how many tasks changed something, by the recap."""
    return sum(map(int, re.findall(r"^pc\d+\s*:.*\bchanged=(\d+)", output.read_text(), re.MULTILINE)))


def bottleneck(cost: Cost, processors: int) -> str:
    """Name what limits: a process that does one thing after another, the processors, or those that are asked."""
    if cost.leader / cost.wall > BUSY:
        return "the one process that leads the forks"
    if (cost.cpu + cost.simulator) / (cost.wall * processors) > BUSY:
        return "the processors" + (", the simulator's work among it" if cost.simulator > cost.cpu / 4 else "")
    return "waiting: forks, or the PCs' answers"


def row(cost: Cost, forks: int, pcs: int, processors: int) -> str:
    """Return a line of the table."""
    return (
        f"| {forks} | {cost.wall:.1f} s, {cost.wall / pcs:.2f} s | {cost.cpu:.1f} s, {cost.cpu / pcs:.2f} s |"
        f" {cost.leader / cost.wall:.0%} | {cost.simulator:.1f} s |"
        f" {cost.memory / MIB:.0f} MiB, {cost.processes} processes | {bottleneck(cost, processors)} |"
    )


def main() -> int:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pcs", type=int, default=50)
    parser.add_argument("--forks", default="20,50")
    asked = parser.parse_args()
    processors = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="ready-bench-") as name:
        directory = Path(name)
        with simulated(directory / "fleet", asked.pcs) as (inventory, simulator):
            run(inventory, simulator, max(map(int, asked.forks.split(","))), directory / "first")
            print(f"{asked.pcs} PCs, {processors} processors, load {os.getloadavg()[0]:.1f}\n")
            print(
                "| forks | wall, per PC | controller's CPU, per PC | leading process | simulator's CPU | memory |"
                " limit |\n|---|---|---|---|---|---|---|"
            )
            for forks in map(int, asked.forks.split(",")):
                output = directory / f"forks{forks}"
                cost = run(inventory, simulator, forks, output)
                if count := changed(output):
                    raise SystemExit(f"{count} tasks changed something, expected a run that changes nothing")
                print(row(cost, forks, asked.pcs, processors), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
