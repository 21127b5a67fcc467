# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls that run at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def run_all(calls: Mapping[K, Callable[[], V]], deadline: float) -> tuple[dict[K, V], dict[K, str]]:
    """Return what each call returned, and for each that did not return, why.

    Args:
        calls: key -> what to call, each in a separate thread; a daemon's, so that one that hangs can't hold up the
            end of the process.
        deadline: seconds for all of them.
    """
    returned: dict[K, V] = {}
    failed: dict[K, str] = {}

    def run(key: K, call: Callable[[], V]) -> None:
        try:
            returned[key] = call()
        except Exception as error:  # whatever it is, the others continue, and it is reported
            failed[key] = f"{type(error).__name__}: {' '.join(str(error).split())}"

    ends = time.monotonic() + deadline
    threads = [threading.Thread(target=run, args=item, daemon=True) for item in calls.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    results, faults = dict(returned), dict(failed)
    late = {key: f"no answer within {deadline:g} s" for key in calls if key not in results and key not in faults}
    return results, faults | late


def for_each(work: Callable[[V], object], items: Iterable[V]) -> None:
    """Do something with all items at the same time; raises the first error when all have ended."""
    things = list(items)
    with ThreadPoolExecutor(max_workers=max(1, len(things))) as pool:
        futures = [pool.submit(work, item) for item in things]
    errors = [error for error in (future.exception() for future in futures) if error]
    if errors:
        raise errors[0]
