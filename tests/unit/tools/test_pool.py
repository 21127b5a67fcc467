"""When steps of `./ready test` start: needs, limits, longest first, alone at the end; and what a failure keeps back."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from tools.testing.pool import CAPACITY, WORKERS, Pool, Step, chain_seconds, pick
from tools.testing.results import Outcome


def step(name: str, *needs: str, takes: tuple[str, ...] = (), after: tuple[str, ...] = (), alone: bool = False) -> Step:
    """Return a step."""
    return Step(name, ("true",), "system", frozenset(needs), frozenset(after), frozenset(takes), alone=alone)


class Watch:
    """Runs nothing; notes what ran, and beside what."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.order: list[str] = []
        self.now: Counter[str] = Counter()
        self.beside: dict[str, set[str]] = {}
        self.most: Counter[str] = Counter()
        self.lines: list[str] = []
        self._lock = threading.Lock()
        self._enough = threading.Semaphore(0)

    def run(self, item: Step) -> Outcome:
        """Stay until as many others have come as can be, so that what may run side by side does."""
        with self._lock:
            self.order.append(item.name)
            self.now += Counter({item.name: 1, **dict.fromkeys(item.takes, 1)})
            self.beside[item.name] = {name for name in self.now if name != item.name}
            self.most |= self.now
        self._enough.acquire(timeout=0.02)
        with self._lock:
            self.now -= Counter({item.name: 1, **dict.fromkeys(item.takes, 1)})
        return Outcome(item.name, 1, int(item.name in self.failing))

    def __call__(self, *steps: Step, seconds: dict[str, float] | None = None) -> dict[str, Outcome]:
        """Run steps through the pool."""
        return {its.name: its for its in Pool(self.run, self.lines.append)(steps, seconds or {})}


def test_needs_come_first_and_the_longest_chain_before_others() -> None:
    """A short step that a long one waits for starts before a step of medium length."""
    steps = [step("medium"), step("long", "short"), step("short")]
    seconds = {"medium": 50.0, "long": 100.0, "short": 1.0}
    assert chain_seconds(steps, seconds) == {"medium": 50.0, "long": 100.0, "short": 101.0}
    watch = Watch()
    watch(*steps, seconds=seconds)
    assert watch.order[0] == "short"
    assert watch.order.index("short") < watch.order.index("long")


def test_at_most_so_many_at_a_time() -> None:
    """Of anything the workers, of whole stacks two, of other resources one; all of them ran."""
    watch = Watch()
    steps = [step(f"stack {at}", takes=("whole stack",)) for at in range(6)]
    steps += [step(f"one {at}", takes=("shared stack",)) for at in range(4)] + [step(f"free {at}") for at in range(8)]
    done = watch(*steps)
    assert done.keys() == {its.name for its in steps}
    assert watch.most["whole stack"] <= CAPACITY["whole stack"] == 2
    assert watch.most["shared stack"] == 1
    names = {its.name for its in steps}
    assert 1 < max(len(beside & names) + 1 for beside in watch.beside.values()) <= WORKERS


def test_alone_is_last_and_alone() -> None:
    """Nothing runs beside what measures."""
    watch = Watch()
    watch(step("measures", alone=True), step("a"), step("b", "a"), step("c"))
    assert watch.order[-1] == "measures"
    assert watch.beside["measures"] == set()


def test_what_needs_a_failed_step_is_not_run_and_fails() -> None:
    """Also at the second remove; what only comes after it runs."""
    watch = Watch("made")
    done = watch(step("made"), step("uses", "made"), step("uses that", "uses"), step("removes", after=("uses", "made")))
    assert set(watch.order) == {"made", "removes"}
    assert {name for name, its in done.items() if its.failed} == {"made", "uses", "uses that"}
    assert "  uses: not run, for made failed" in watch.lines


def test_a_runner_that_breaks_is_a_failed_step() -> None:
    """No exception is lost, and the others run."""

    def broken(item: Step) -> Outcome:
        if item.name == "a":
            raise OSError("no disk")
        return Outcome(item.name, 1, 0)

    done = {its.name: its.failed for its in Pool(broken, lambda _: None)([step("a"), step("b")], {})}
    assert done == {"a": 1, "b": 0}


def test_steps_that_wait_for_each_other_are_a_mistake_of_the_list() -> None:
    """They are named, instead of a run that never ends."""
    with pytest.raises(RuntimeError, match="nothing can start: a, b"):
        Watch()(step("a", "b"), step("b", "a"))


def test_nothing_starts_without_a_worker() -> None:
    """Or beside what must be alone."""
    assert pick([step("a")], [step("b")], 0) is None
    assert pick([step("a")], [step("b", alone=True)], 3) is None
