# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of bench/README.md about the gold standards: `.venv/bin/python bench/gold_standards.py [DIRECTORY]`.

Without DIRECTORY it judges the standard library of this Python. Times are of CPU for the lines per second of one core,
and of the clock for the rest; nothing else should run meanwhile.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "module_utils")]

from ready.gold.engine import analyse  # noqa: E402


def one_core(directory: Path) -> dict[str, float]:
    """Return lines, lines per second of CPU, and the most memory in MiB, of one process."""
    before = time.process_time()
    result = analyse([directory], jobs=1)
    seconds = time.process_time() - before
    return {
        "files": len(result.judged),
        "lines": result.lines,
        "lines_per_cpu_second": round(result.lines / seconds),
        "memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "findings": sum(len(item.findings) for item in result.judged),
    }


def all_cores(directory: Path) -> dict[str, float]:
    """Return the seconds of a first run over all cores, and of a second one that finds everything in the cache."""
    with tempfile.TemporaryDirectory() as place:
        kept = Path(place) / "kept.sqlite"
        first, second = (analyse([directory], kept=kept) for _ in range(2))
    return {
        "first_seconds": round(first.seconds, 2),
        "cached_seconds": round(second.seconds, 2),
        "cached_files": second.cached,
        "ratio": round(first.seconds / second.seconds, 1),
    }


def main() -> int:
    """Print the figures as JSON; each measurement has a separate process."""
    if len(sys.argv) > 2:
        print(json.dumps({"one": one_core, "all": all_cores}[sys.argv[2]](Path(sys.argv[1]))))
        return 0
    directory = sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("stdlib")
    for what in ("one", "all"):
        subprocess.run([sys.executable, __file__, directory, what], check=True)  # noqa: S603
    return 0


if __name__ == "__main__":
    sys.exit(main())
