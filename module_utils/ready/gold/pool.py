# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work over all cores: a result for each file in their order, whatever becomes of a process; none is left behind."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Generic, TypeVar

_CHUNK = 40
#: After so many files whose process was killed nothing more is tried: each further one may cost as much memory.
_MOST_LOST = 10
_T = TypeVar("_T")

_stop: Any = None  # of this process: not 0 when the others want no more results


def _begin(begin: Callable[[Any], None], task: object, stop: object) -> None:
    """Prepare a process: it leaves Ctrl-C to the one that started it, and ends with that one."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    begin(task)


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os._exit(1)


def _run(work: Callable[[Sequence[Path]], list[_T]], paths: Sequence[Path]) -> list[_T]:
    """Return the results of some files, of fewer when they are wanted no more."""
    found: list[_T] = []
    for path in paths:
        if _stop.value:
            break
        found += work([path])
    return found


@dataclass
class Pool(Generic[_T]):
    """Processes that do a kind of work.

    Attributes:
        work: what is done: a result for each path.
        begin, task: called with `task` in each process before that.
        jobs: how many processes.
        lost: makes the result of a file whose process was killed.
    """

    work: Callable[[Sequence[Path]], list[_T]]
    begin: Callable[[Any], None]
    task: object
    jobs: int
    lost: Callable[[Path], _T]
    given_up: int = 0

    def results(self, paths: Sequence[Path]) -> Iterator[_T]:
        """Yield a result for each path, in their order."""
        chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
        left: list[Sequence[Path] | list[_T]] = []
        with self._processes(self.jobs) as pool:
            futures = [pool.submit(_run, self.work, chunk) for chunk in chunks]
            for place, future in enumerate(futures):
                if (found := self._of(future)) is None:
                    left = [self._of(other) or chunks[place + number] for number, other in enumerate(futures[place:])]
                    break
                yield from found
        for part in left:  # a process was killed: which file it was is found out by trying some alone
            yield from self._alone(part) if part and isinstance(part[0], Path) else part  # type: ignore[misc, arg-type]

    @staticmethod
    def _of(future: Future[list[_T]]) -> list[_T] | None:
        try:
            return future.result()
        except BrokenProcessPool:
            return None

    def _alone(self, paths: Sequence[Path]) -> Iterator[_T]:
        """Yield results of one process, and if that is killed too, those of each half of the files."""
        if self.given_up >= _MOST_LOST:
            yield from map(self.lost, paths)
            return
        with self._processes(1) as pool:
            found = self._of(pool.submit(_run, self.work, paths))
        if found is not None:
            yield from found
        elif len(paths) == 1:
            self.given_up += 1
            yield self.lost(paths[0])
        else:
            middle = len(paths) // 2
            yield from self._alone(paths[:middle])
            yield from self._alone(paths[middle:])

    @contextlib.contextmanager
    def _processes(self, jobs: int) -> Iterator[ProcessPoolExecutor]:
        """Yield processes; when the block is left, by Ctrl-C too, they end after the file that they are at."""
        method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
        context = multiprocessing.get_context(method)
        stop = context.RawValue("b", 0)  # without a lock: a process that is killed would keep it
        pool = ProcessPoolExecutor(jobs, context, _begin, (self.begin, self.task, stop))
        try:
            yield pool
        finally:
            stop.value = 1
            pool.shutdown(cancel_futures=True)
