"""The figures of a run of the frameworks, as a table: what its evidence says.

`./ready frameworks`, then `PYTHONPATH=module_utils .venv/bin/python bench/frameworks.py EVIDENCE`, where EVIDENCE is
frameworks.json below the directory of the inventory's evidence. Only a whole run has all figures.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ready.applications.frameworks import CHANNELS, LIMIT_MS
from ready.evidence.document import check

#: Seconds that a run may take with its image in place.
GOAL_SECONDS = 180


def rows(results: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield figure, value and goal; what a run has not measured is left out."""
    seconds = results["run"]["seconds"]
    missed = "" if seconds <= GOAL_SECONDS else ": **missed**"
    yield "`./ready frameworks`, the container from start to end", f"{seconds:.0f} s{missed}", f"≤ {GOAL_SECONDS} s"
    if "p50_ms" in (its := results.get("dataflow", {})):
        what = f"{its['executed']} of {its['expected']} nodes, p50, p95, max"
        yield what, ", ".join(f"{its[key]} ms" for key in ("p50_ms", "p95_ms", "max_ms")), ""
    for name in CHANNELS:
        if its := results.get("nexus", {}).get(name):
            missed = "" if its["p95_ms"] is not None and its["p95_ms"] < LIMIT_MS else ": **missed**"
            value = ", ".join(f"{its[key]} ms" for key in ("p50_ms", "p95_ms", "max_ms"))
            yield f"Nexus, {name}, {its['requests']} requests, p50, p95, max", value + missed, f"p95 < {LIMIT_MS} ms"
    if its := results.get("mcp", {}).get("agent"):
        figures = {key: value for key, value in its.items() if key.endswith("_ms") or key == "tokens"}
        said = "".join(f", {key} {value}" for key, value in figures.items())
        yield "agent, right answers", f"{its.get('right')} of {its.get('of')}{said}", f"≥ {its.get('needed')}"
    for step in results.get("workflow", {}).get("steps", []):
        yield f"end to end, {step['step']}", f"{step['ms']} ms", ""


def main() -> None:
    """Print the table."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if faults := check(document):
        sys.exit(f"{sys.argv[1]}: found {'; '.join(faults)}. Next: ./ready frameworks")
    print(f"{document['finished_at']}, {document['verdict']}\n\n| figure | value | goal |\n|---|---|---|")
    for figure, value, goal in rows(document["results"]):
        print(f"| {figure} | {value} | {goal} |")


if __name__ == "__main__":
    main()
