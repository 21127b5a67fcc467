# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run of an application's tests means: results of the evidence, verdict, table, next steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..common.check_result import CheckResult
from ..common.units import counted
from ..common.verdict import FAIL, PASS, UNKNOWN
from . import records as kinds
from .changes import compare
from .reasons import TITLES
from .records import Record, Suite

#: ADR-009's rule: so many of all tests are executed.
OBJECTIVE = 95
#: Tests that the evidence names, lines that are shown, imports that are listed.
NAMED, SHOWN, IMPORTS = 500, 15, 100
CHANGED = "the application's source was changed during the run, and what was tested is a copy of before"
_EXECUTED = (kinds.PASSED, kinds.FAILED, kinds.XFAILED, kinds.XPASSED)


def judge(run: Mapping[str, Any], suite: Suite, host: str) -> CheckResult:
    """Return what to say of a run.

    Args:
        run: `application`, `source` and `stores` (services to compare) of the job; `result` that the container wrote;
            `outcome`, how the job ended.
        suite: what became of every test.
        host: the host's name, for messages.
    """
    counted = _counts(suite.records)
    result = run["result"]
    stores = compare(result.get("before", {}), result.get("after", {}), run["stores"])
    percent = counted["executed_percent"]
    results = {
        "application": run["application"] | {"python": result.get("python", ""), "pytest": suite.pytest},
        **counted,
        "objective_percent": OBJECTIVE,
        "reasons": _reasons(suite.records),
        "tests": [_named(record) for record in _worst_first(suite.records)[:NAMED]],
        "tests_left_out": max(0, len(_worst_first(suite.records)) - NAMED),
        "windows": _windows(result.get("imports", [])),
        "stores": stores,
        "source": run["source"],
        "run": {
            "sessions": suite.sessions,
            "exit_codes": suite.exits,
            "restarts": int(result.get("restarts", 0)),
            "timed_out": _timed_out(run),
            "out_of_memory": run["outcome"]["oom_killed"],
            "seconds": run["outcome"]["seconds"],
        },
    }
    faults = _faults(results, suite.records, run)
    unknown = [f"{name} was not compared ({its['why']})" for name, its in stores.items() if not its["compared"]]
    verdict = FAIL if faults else UNKNOWN if unknown else PASS
    results["faults"] = [*faults, *unknown]
    title = f"{host}: {percent:g} % of {counted['discovered']} tests executed, expected at least {OBJECTIVE} %"
    return CheckResult("test_app", verdict, results, _rows(results, title), _lines(results))


def _timed_out(run: Mapping[str, Any]) -> bool:
    return bool(run["result"].get("timed_out")) or bool(run["outcome"]["timed_out"])


def _counts(records: Sequence[Record]) -> dict[str, Any]:
    """Return how many tests there are of each outcome; a file counts with the tests that it shows."""
    number = {kind: sum(record.tests for record in records if record.outcome == kind) for kind in kinds.ORDER}
    discovered, executed = sum(number.values()), sum(number[kind] for kind in _EXECUTED)
    # Cut off, and not rounded: 94.999 % is less than 95 %.
    percent = math.floor(executed * 10_000 / discovered) / 100 if discovered else 0.0
    return {"discovered": discovered, "executed": executed, **number, "executed_percent": percent}


def _reasons(records: Sequence[Record]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for record in records:
        if record.outcome == kinds.NOT_EXECUTABLE:
            its = found.setdefault(
                (record.reason, record.detail), {"reason": record.reason, "detail": record.detail, "tests": 0, "in": []}
            )
            its["tests"] += record.tests
            its["in"].append(record.id)
    for its in found.values():
        its["in"] = its["in"][:5]
    return sorted(found.values(), key=lambda its: (-its["tests"], its["reason"], its["detail"]))


def _worst_first(records: Sequence[Record]) -> list[Record]:
    others = [record for record in records if record.outcome != kinds.PASSED]
    return sorted(others, key=lambda record: (kinds.ORDER.index(record.outcome), record.id))


def _named(record: Record) -> dict[str, Any]:
    return {
        "test": record.id,
        "outcome": record.outcome,
        "reason": record.reason,
        "detail": record.detail,
        "tests": record.tests,
        "seconds": record.seconds,
    }


def _windows(imports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return which imports at the top of a file would fail on Windows: in this container they do not."""
    unix = [{key: its[key] for key in ("file", "line", "module")} for its in imports if its["system"] == "unix"]
    return {"unix_only_imports": len(unix), "listed": unix[:IMPORTS]}


def _faults(results: Mapping[str, Any], records: Sequence[Record], run: Mapping[str, Any]) -> list[str]:
    faults = []
    if not results["discovered"]:
        faults.append("found no test, expected at least one")
    elif results["executed_percent"] < OBJECTIVE:
        faults.append(f"{results['executed_percent']:g} % of the tests were executed, expected at least {OBJECTIVE} %")
    elif not results["passed"]:
        faults.append("found no test that passed, expected at least one")
    if results["failed"]:
        faults.append(f"{counted(results['failed'], 'test')} failed")
    ended = sum(record.tests for record in records if record.outcome == kinds.NOT_EXECUTABLE and record.body)
    if ended:
        faults.append(f"{counted(ended, 'test')} began and could not be completed")
    code = (run["result"].get("codes") or [0])[-1]
    if code and results["discovered"] and not results["failed"] and not results["not_executable"]:
        faults.append(f"the command ended with exit code {code}, though no test failed")
    for name, its in results["stores"].items():
        if its["outside"]:
            faults.append(f"{name}: during the run there were changes outside the application's database")
        if its["gone"]:
            faults.append(f"{name}: something that was there before the tests is gone")
    if results["run"]["timed_out"]:
        faults.append(f"the tests had not ended after {run['deadline']:g} s")
    if results["run"]["out_of_memory"]:
        faults.append("a process was killed at the container's memory limit")
    if not run["result"].get("codes"):
        faults.append(f"what runs the tests ended early, with exit code {run['outcome']['exit_code']}")
    return faults


def _rows(results: Mapping[str, Any], title: str) -> list[dict[str, str]]:
    rows = [{"what": "executed", "tests": str(results["executed"]), "detail": title.partition(": ")[2]}]
    shown = (kinds.PASSED, kinds.FAILED, kinds.XFAILED, kinds.XPASSED, kinds.SKIPPED, kinds.DESELECTED)
    always = (kinds.PASSED, kinds.FAILED)
    rows += [{"what": kind, "tests": str(results[kind])} for kind in shown if results[kind] or kind in always]
    for its in results["reasons"][:SHOWN]:
        where = ", ".join(its["in"][:2])
        rows.append({"what": TITLES[its["reason"]], "tests": str(its["tests"]), "detail": f"{its['detail']} ({where})"})
    if (more := len(results["reasons"]) - SHOWN) and more > 0:
        rows.append({"what": "other reasons", "tests": "", "detail": f"{more} more are in the evidence"})
    return rows


def _lines(results: Mapping[str, Any]) -> list[str]:
    failed = [its for its in results["tests"] if its["outcome"] == kinds.FAILED]
    lines = [f"failed: {its['test']}: {its['detail']}" for its in failed[:SHOWN]]
    if len(failed) > SHOWN:
        lines.append(f"failed: {len(failed) - SHOWN} more, which the evidence names")
    for name, its in results["stores"].items():
        for word, title in (("outside", "changed outside the application's database"), ("gone", "gone")):
            lines += [f"{name}: {title}: {', '.join(its[word])}"] if its[word] else []
        if its["left"]:
            lines.append(f"{name}: the tests left {', '.join(its['left'])}")
        if not its["compared"]:
            lines.append(f"{name}: not compared: {its['why']}")
    if unix := results["windows"]["unix_only_imports"]:
        first = results["windows"]["listed"][0]
        lines.append(
            f"on Windows {unix} imports would fail, which this container has: {first['module']} in {first['file']}, "
            f"line {first['line']}" + (" and others" if unix > 1 else "")
        )
    return lines


def source_changed(done: dict[str, Any]) -> None:
    """Note in what the module returned that the original was not the same afterwards."""
    done["results"]["source"]["unchanged"] = False
    done["results"]["faults"].append(CHANGED)
    done["verdict"] = FAIL
