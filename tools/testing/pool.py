# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Steps side by side: what each needs first, what it may not share, and which starts next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.testing.results import Outcome

WORKERS = 4
#: Resource -> how many steps may use it at a time; any other: one.
CAPACITY = {"whole stack": 2}


@dataclass(frozen=True)
class Step:
    """One command of a run.

    `needs` names steps that must have passed before, `after` steps that must have ended, `takes` what few may use
    at once.
    """

    name: str
    command: tuple[str, ...]
    stage: str
    needs: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    #: Lower ones start first; among equals those that most seconds of other steps wait for.
    turn: int = 5
    #: It runs when nothing else does, after all others.
    alone: bool = False
    junit: Path | None = None
    environment: tuple[tuple[str, str], ...] = ()


def chain_seconds(steps: Iterable[Step], seconds: Mapping[str, float], usual: float = 30.0) -> dict[str, float]:
    """Return step -> seconds until the last step that waits for it can have ended: those with most start first."""
    by_name = {step.name: step for step in steps}
    followers: dict[str, list[str]] = {name: [] for name in by_name}
    for step in by_name.values():
        for need in (step.needs | step.after) & by_name.keys():
            followers[need].append(step.name)
    found: dict[str, float] = {}

    def chain(name: str) -> float:
        if name not in found:
            found[name] = 0.0  # a circle would be a mistake of the catalogue; it ends here
            found[name] = seconds.get(name, usual) + max(map(chain, followers[name]), default=0.0)
        return found[name]

    for name in by_name:
        chain(name)
    return found


def pick(waiting: Sequence[Step], running: Sequence[Step], free: int) -> Step | None:
    """Return the first step, in the order given, that may start now; None where none may."""
    if free <= 0 or any(step.alone for step in running):
        return None
    names = {step.name for step in waiting} | {step.name for step in running}
    for step in waiting:
        if (step.needs | step.after) & names:
            continue
        if step.alone:
            if not running and all(item.alone for item in waiting):
                return step
            continue
        if all(sum(taken in item.takes for item in running) < CAPACITY.get(taken, 1) for taken in step.takes):
            return step
    return None


class Pool:
    """Runs steps, `workers` at a time; a step whose need has failed is a failure itself and is not run."""

    def __init__(self, run: Callable[[Step], Outcome], say: Callable[[str], None], workers: int = WORKERS) -> None:
        self._run, self._say, self._workers = run, say, workers

    def __call__(self, steps: Sequence[Step], seconds: Mapping[str, float]) -> list[Outcome]:
        """Run all steps and return their outcomes, in the order in which they ended."""
        chains = chain_seconds(steps, seconds)
        waiting = sorted(steps, key=lambda step: (step.turn, -chains[step.name]))
        running: list[Step] = []
        done: dict[str, Outcome] = {}
        changed = threading.Condition()

        def work(step: Step) -> None:
            try:
                outcome = self._run(step)
            except BaseException as error:
                self._say(f"  {step.name}: the runner itself failed: {error!r}")
                outcome = Outcome(step.name, 0, 1)
            with changed:
                running.remove(step)
                done[step.name] = outcome
                changed.notify()

        def failed(name: str) -> bool:
            return name in done and done[name].failed > 0

        with ThreadPoolExecutor(self._workers) as pool, changed:
            while waiting or running:
                while broken := next(((step, need) for step in waiting for need in step.needs if failed(need)), None):
                    step, need = broken
                    self._say(f"  {step.name}: not run, for {need} failed")
                    waiting.remove(step)
                    done[step.name] = Outcome(step.name, 0, 1)
                while step_now := pick(waiting, running, self._workers - len(running)):
                    waiting.remove(step_now)
                    running.append(step_now)
                    pool.submit(work, step_now)
                if running:
                    changed.wait()
                elif waiting:
                    raise RuntimeError(f"nothing can start: {', '.join(step.name for step in waiting)}")
        return list(done.values())
