# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole project: its files read, over all cores, and judged together."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from .cache import Cache, believed, from_judged, from_summary, key, to_judged, to_summary
from .files import find, relative
from .index import Index, Summary
from .judge import UNREAD, judge, unread
from .model import Judged, Rule
from .pool import Pool
from .rules import BY_ID, RULES
from .source import Problem, Source, load, read
from .summary import summarize
from .tiers import is_test, project_of

#: Fewer files than this are judged by one process: starting others takes longer.
_FEW = 60
_T = TypeVar("_T")
_TOO_DEEP = Problem(
    "nesting", 1, "expressions nested too deeply", "code that Python can parse", "split them, or exclude it"
)
_KILLED = Problem(
    "killed",
    1,
    "that the process which judged it was killed",
    "enough memory for it",
    "look for the out-of-memory killer in the kernel's log, use --jobs 1, or exclude it",
)


@dataclass(slots=True)
class Result:
    """What the rules say of a project."""

    root: Path
    rules: tuple[Rule, ...]
    judged: list[Judged] = field(default_factory=list)
    #: Whether any file imports the SDK or one of its frameworks.
    kailash: bool = False
    #: How many files of the application itself do so: tests are not the application.
    sdk_files: int = 0
    seconds: float = 0.0
    cached: int = 0

    @property
    def lines(self) -> int:
        """Return the number of lines that were judged."""
        return sum(item.lines for item in self.judged)


@dataclass(frozen=True, slots=True)
class _Task:
    """What a process is to know: the project, the rules' ids, all modules (in the second round)."""

    root: Path
    rules: tuple[str, ...]
    index: Index | None = None


_task: _Task | None = None  # of this process


def _begin(task: _Task) -> None:
    global _task
    _task = task
    sys.setrecursionlimit(5000)


def _summarized(paths: Sequence[Path]) -> list[Summary | Problem]:
    """Return the summary of each file, or what is wrong with it."""
    assert _task
    return [_attempted(partial(_summary, path, _task.root), _same) for path in paths]


def _summary(path: Path, root: Path) -> Summary | Problem:
    source = read(path, root)
    return summarize(source) if isinstance(source, Source) else source


def _same(problem: Problem) -> Problem:
    return problem


def _judged(paths: Sequence[Path]) -> list[Judged]:
    """Return what the rules say of each file."""
    assert _task
    rules = [BY_ID[name] for name in _task.rules]
    return [_attempted(partial(_of_rules, path, _task, rules), partial(_unread, _task.root, path)) for path in paths]


def _of_rules(path: Path, task: _Task, rules: Sequence[Rule]) -> Judged:
    assert task.index
    source = read(path, task.root)
    if isinstance(source, Problem):  # it has changed since
        return _unread(task.root, path, source)
    return judge(source, task.index, rules)


def _unread(root: Path, path: Path, problem: Problem) -> Judged:
    return unread(relative(path, root), problem)


def _attempted(work: Callable[[], _T], failed: Callable[[Problem], _T]) -> _T:
    """Return what work on a file returns, or what stands for a file that can't be judged; the others are."""
    try:
        return work()
    except (RecursionError, MemoryError):
        return failed(_TOO_DEEP)
    except Exception as error:
        *_, last = traceback.extract_tb(error.__traceback__)
        found = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} of the analyser, a fault of it"
        return failed(Problem("fault", 1, found, "a judgement", "report it, and exclude the file until then"))


def _lost(root: Path, path: Path) -> Judged:
    return _unread(root, path, _KILLED)


def _over_cores(
    work: Callable[[Sequence[Path]], list[_T]],
    task: _Task,
    paths: Sequence[Path],
    jobs: int,
    lost: Callable[[Path], _T],
) -> Iterator[_T]:
    """Yield a result for each path, in their order."""
    if jobs == 1 or len(paths) < _FEW:
        _begin(task)
        yield from work(paths)
    else:
        yield from Pool(work, _begin, task, jobs, lost).results(paths)


def _digest(path: Path) -> str:
    data = load(path)
    return hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else f"unread {data.kind}"


def analyse(
    paths: Sequence[Path],
    root: Path | None = None,
    *,
    rules: Iterable[str] = (),
    exclude: Sequence[str] = (),
    jobs: int = 0,
    kept: Path | None = None,
) -> Result:
    """Return what the rules say of a project. Raises PathError.

    Args:
        paths: files and directories to judge.
        root: the project, which paths of findings are relative to, and all of whose modules are known to the rules. The
            first path's directory where none is given, or what is around the tests that it is part of; then no other
            module is known than those that are judged, and each conftest.py that pytest takes for them.
        rules: ids of rules, all where none is named.
        exclude: patterns of paths that are left out.
        jobs: processes; 0 for one per core.
        kept: the file of the cache, None for none.
    """
    started = time.perf_counter()
    paths = [path.absolute() for path in paths]
    around = [root.absolute()] if root else []
    root = (root or project_of(paths[0])).absolute()
    names = tuple(rules) or tuple(rule.id for rule in RULES)
    jobs = jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or os.cpu_count() or 1
    result = Result(root, tuple(BY_ID[name] for name in names))
    listed = find(paths, root, exclude)
    cache = Cache(kept)
    known = list(dict.fromkeys((*listed.files, *find(around, root, exclude).files, *_conftests(paths, root))))
    digests = {path: _digest(path) for path in known} if kept else {}
    summaries, problems = _read(known, _Task(root, names), jobs, cache, digests)
    asked = {relative(path, root) for path in listed.files}
    problems = {path: problem for path, problem in problems.items() if path in asked}
    problems |= listed.problems
    index = Index(summaries.values())
    using = [summary.path for summary in summaries.values() if _imports_sdk(summary)]
    result.kailash, result.sdk_files = bool(using), sum(not is_test(path) for path in using)
    _judge(
        result, [path for path in listed.files if path in summaries], _Task(root, names, index), jobs, cache, digests
    )
    result.judged += [unread(path, problem) for path, problem in problems.items()]
    result.judged.sort(key=lambda item: item.path)
    cache.close()
    result.seconds = time.perf_counter() - started
    return result


def _conftests(paths: Sequence[Path], root: Path) -> list[Path]:
    """Return each conftest.py above some paths that is part of the project."""
    places = [place for path in paths for place in path.parents if place.is_relative_to(root)]
    return [place / "conftest.py" for place in dict.fromkeys(places) if (place / "conftest.py").is_file()]


def _imports_sdk(summary: Summary) -> bool:
    tops = {target.partition(".")[0] for target in (*summary.names.values(), *summary.stars)}
    return bool(tops & {"kailash", "dataflow", "nexus", "kailash_mcp"})


def _read(
    files: Sequence[Path], task: _Task, jobs: int, cache: Cache, digests: dict[Path, str]
) -> tuple[dict[Path, Summary], dict[str, Problem]]:
    """Return the summaries of files, and what is wrong with those that have none."""
    summaries: dict[Path, Summary] = {}
    problems: dict[str, Problem] = {}
    keys = {path: key("summary", digest, relative(path, task.root)) for path, digest in digests.items()}
    kept = cache.get(keys.values())
    for path, name in keys.items():
        if name in kept and (known := believed(to_summary, kept[name], relative(path, task.root))):
            summaries[path] = known
    left = [path for path in files if path not in summaries]
    for path, found in zip(left, _over_cores(_summarized, task, left, jobs, lambda _: _KILLED), strict=True):
        if isinstance(found, Summary):
            summaries[path] = found
            if path in keys:
                cache.put(keys[path], from_summary(found))
        elif isinstance(found, Problem):
            problems[relative(path, task.root)] = found
    return summaries, problems


def _judge(
    result: Result, files: Sequence[Path], task: _Task, jobs: int, cache: Cache, digests: dict[Path, str]
) -> None:
    """Add what the rules say of files; a file's result is kept as long as no module's summary changes."""
    project = ""
    if digests and task.index:
        rows = [from_summary(its) for _, its in sorted(task.index.by_path.items())]
        project = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    names = ",".join(task.rules)
    keys = {
        path: key("judged", digests[path], relative(path, task.root), project, names)
        for path in files
        if path in digests
    }
    kept = cache.get(keys.values())
    done = {
        path: known
        for path, name in keys.items()
        if name in kept and (known := believed(to_judged, kept[name], relative(path, task.root)))
    }
    result.cached = len(done)
    left = [path for path in files if path not in done]
    lost = partial(_lost, task.root)
    for path, found in zip(left, _over_cores(_judged, task, left, jobs, lost), strict=True):
        if isinstance(found, Judged):
            done[path] = found
            if path in keys and UNREAD not in found.tallies:
                cache.put(keys[path], from_judged(found))
    result.judged = list(done.values())
