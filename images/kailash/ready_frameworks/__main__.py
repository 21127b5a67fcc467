# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m ready_frameworks run` exercises the frameworks; `clean` removes what an interrupted run left.

Reads /run/ready/job.json and writes /run/ready/out/results.json after every part, so that what was found stays when
the run is ended. Exits with 0 when everything that was asked for was looked at, whatever was found.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from ready_frameworks.apart import Ended, adopt, apart
from ready_frameworks.context import FAIL, MORE_TIME, PASS, Context

JOB, RESULTS = Path("/run/ready/job.json"), Path("/run/ready/out/results.json")
#: Part -> its share of the time that the whole run may take. Together they are more than one: few parts need theirs.
PARTS = {"core": 0.2, "dataflow": 0.3, "nexus": 0.3, "mcp": 0.4, "workflow": 0.3}
CLEAN = "clean"
#: Seconds for removing, before the parts and after them, and what of the run's time is no part's.
CLEANING, KEPT = 40.0, 60.0


def read(path: Path) -> tuple[Context, list[str]]:
    """Return what a run is given, and the parts that are asked for."""
    job = json.loads(path.read_text(encoding="utf-8"))
    context = Context(
        settings=job["settings"],
        prefix=job["prefix"],
        word=job["word"],
        deadline=time.monotonic() + float(job["seconds"]),
        tokens=int(job["tokens"]),
        seed=int(job["seed"]),
    )
    return context, [part for part in PARTS if part in job["parts"]]


class Results:
    """What is known so far, in a file that is whole at any moment."""

    def __init__(self, path: Path, context: Context) -> None:
        self.path, self.context = path, context
        self.found: dict[str, Any] = {}

    def add(self, name: str, found: dict[str, Any]) -> None:
        """Keep what a part found, and show it."""
        self.found[name] = found
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(self.found, ensure_ascii=False), encoding="utf-8")
        beside.replace(self.path)
        for each in [*found.get("findings", []), found | {"id": name}]:
            said = "" if each["verdict"] == PASS else f": {each.get('detail', '')}"
            self.context.say(f"{name}: {each['id']}: {each['verdict']}{said}")


def ended(number: int, frame: FrameType | None) -> None:
    """End the run: whoever started it wants it to be over."""
    raise Ended


def _lost(why: str) -> dict[str, Any]:
    return {"verdict": FAIL, "detail": why, "findings": []}


def spent(found: dict[str, Any]) -> int:
    """Return the tokens that a part has used: what is left is for the parts after it."""
    agent = found.get("agent")
    return int(agent.get("tokens") or 0) if isinstance(agent, dict) else 0


def run(context: Context, parts: list[str], results: Results, look: Callable[..., dict[str, Any]] = apart) -> int:
    """Clean, do every part in a separate process, clean again. Returns the exit code."""
    whole = max(1.0, context.left - KEPT)
    doing = CLEAN
    try:
        before = look(CLEAN, context, min(CLEANING, context.left))
        ends = time.monotonic() + whole
        for doing in parts:
            left = min(ends - time.monotonic(), context.left - CLEANING)
            limit = min(max(PARTS[doing], 1 / len(parts)) * whole, max(1.0, left))
            found = look(doing, context, limit)
            results.add(doing, found)
            context.tokens = max(0, context.tokens - spent(found))
        doing = CLEAN
        after = look(CLEAN, context, max(1.0, min(CLEANING, context.left)))
    except Ended:
        if doing != CLEAN:
            why = f"found it unfinished when the run was ended; expected its end within {whole:.0f} s"
            results.add(doing, _lost(f"{why}. {MORE_TIME}, or a host that is less busy"))
        return 1
    results.add("cleanup", {**after, "before": before.get("removed", {}), "removed": after.get("removed", {})})
    return 0


def main(words: list[str]) -> int:
    """Do what the command line says."""
    if words not in (["run"], [CLEAN]):
        sys.stderr.write("usage: python -m ready_frameworks run|clean\n")
        return 2
    signal.signal(signal.SIGTERM, ended)
    adopt()
    context, parts = read(JOB)
    os.environ.update(context.settings)  # what the frameworks and the application read
    results = Results(RESULTS, context)
    if words == [CLEAN]:
        results.add("cleanup", apart(CLEAN, context, context.left))
        return 0
    return run(context, parts, results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
