"""What a cheap round of all services costs: `.venv/bin/python bench/probe.py ENV_FILE`.

ENV_FILE is what `./ready env --secrets` wrote. It prints CPU and elapsed milliseconds of the first round, which
connects, and of those after it.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))

from ready.checks.make_probes import make_probes
from ready.checks.probe import cheap_health
from ready.connections.environment import read_env_file, services_in_settings

ROUNDS = 50
PAUSE = 0.2


def main() -> int:
    """Measure and print a table in Markdown; return 0 when every service answered in every round."""
    settings = services_in_settings(read_env_file(Path(sys.argv[1])))
    probes = make_probes({"services": settings.services}, settings.passwords, 5.0, settings.authorities)
    processor, elapsed, failed = [], [], 0
    for _ in range(ROUNDS + 1):
        before = time.process_time(), time.monotonic()
        found = cheap_health(probes, 10.0)
        processor.append((time.process_time() - before[0]) * 1000)
        elapsed.append((time.monotonic() - before[1]) * 1000)
        failed += any(item["verdict"] != "pass" for item in found.values())
        time.sleep(PAUSE)
    for probe in probes.values():
        probe.close()
    print(f"| {', '.join(probes)} | CPU | elapsed |\n|---|---|---|")
    print(f"| first round, which connects | {processor[0]:.1f} ms | {elapsed[0]:.1f} ms |")
    rest = f"{statistics.median(processor[1:]):.1f} ms | {statistics.median(elapsed[1:]):.1f} ms"
    print(f"| median of the {ROUNDS} after it | {rest} |")
    print(f"| slowest of them | {max(processor[1:]):.1f} ms | {max(elapsed[1:]):.1f} ms |")
    print(f"\nrounds in which a service failed: {failed}")
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
