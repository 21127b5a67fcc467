# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How every machine of an inventory stands, from all evidence: one summary. Runs on the controller."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..checks.status import NOT_ASKED, OFF, is_well
from ..common.clock import timestamp
from ..common.files import write_text
from ..common.units import counted
from ..common.verdict import FAIL, ORDER, UNKNOWN, worst
from . import document as evidence
from . import readiness, report
from .machines import Machine
from .requirements import Requirements

#: What a machine can be, the worst first.
STATES = ("unreachable", "failed", "unhealthy", "away", "never seen", "not up", "healthy")
#: Those that `--failed` repeats a verb for.
AGAIN = frozenset({"unreachable", "failed", "away"})
#: What ssh and WinRM report when nothing answers at an address: off, asleep, or behind a firewall that drops. One that
#: is on refuses the connection, the certificate or the logon.
_AWAY = re.compile(
    r"connect timeout=|ConnectTimeout|Connection timed out|No route to host|Host is down|\[Errno 11[023]\]",
    re.IGNORECASE,
)
_WAKE = "switch it on or wake it, then run the verb again with --failed"
#: Characters of a message that a summary has room for; the evidence `run` and the run's output have more.
_ROOM = 400
_REACH = "see that it is on and that ansible -m ping (Windows: ./ready windows ping) reaches it, then run again"
_REACH_WINDOWS = (
    f"{_REACH}; PowerShell remoting listens on 5986 (HTTPS) or 5985 (HTTP): see ansible_port, ansible_psrp_protocol, "
    "ansible_psrp_auth, the account and its password"
)
COLUMNS = [
    {"key": "name", "title": "Host"},
    {"key": "state", "title": "State"},
    {"key": "verdict", "title": "Verdict"},
    {"key": "points", "title": "Points"},
    {"key": "services", "title": "Services"},
    {"key": "run", "title": "Last run"},
    {"key": "stack", "title": "Stack"},
]


def _split(message: str) -> tuple[str, str]:
    """Return what a message says was found, and its next step, "" where it names none."""
    found, word, following = " ".join(message.split()).partition("Next: ")
    return found.strip(" ;."), following.strip() if word else ""


def _fault(host: str, what: str, following: str) -> dict[str, str]:
    what = what.removeprefix(f"{host}: ")
    return {"host": host, "what": what if len(what) <= _ROOM else f"{what[:_ROOM]}…", "next": following[:_ROOM]}


def _outcome(run: Mapping[str, Any]) -> str:
    """Return how a run ended on a host; one that nothing answered for is away, and no failure."""
    results = run["results"]
    away = results["outcome"] == "unreachable" and _AWAY.search(results["message"])
    return "away" if away else str(results["outcome"])


def _of_run(host: str, run: Mapping[str, Any], windows: bool) -> dict[str, str]:
    results = run["results"]
    what, following = _split(results["message"])
    if _outcome(run) == "away":
        return _fault(host, f"does not answer: {what}", _WAKE)
    if not following:
        reach = _REACH_WINDOWS if windows else _REACH
        following = reach if results["outcome"] == "unreachable" else f"see the output of {results['playbook']}"
    return _fault(host, what or results["task"], following)


def _of_preflight(host: str, preflight: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        _fault(host, f"{check['title']}: found {check['found']}, expected {check['expected']}", check.get("next", ""))
        for check in preflight["results"]["checks"]
        if check["verdict"] == FAIL
    ]


def _services(machine: Machine, found: evidence.Found) -> dict[str, int] | None:
    health = found.hosts.get(machine.linux or "", {}).get("health")
    if health is None:
        return None
    results = health.evidence["results"]
    ill = {its.get("of") for its in results.get("sidecars", {}).values() if not is_well(its, sidecar=True)}
    on = {name: its["state"] for name, its in results["services"].items() if its["state"] not in {OFF, NOT_ASKED}}
    healthy = [name for name, state in on.items() if state == "healthy" and name not in ill]
    return {"healthy": len(healthy), "all": len(on)}


def _state(outcomes: Sequence[str], services: Mapping[str, int] | None, seen: bool) -> str:
    for outcome in ("unreachable", "failed", "away"):
        if outcome in outcomes:
            return outcome
    if services and services["healthy"] < services["all"]:
        return "unhealthy"
    if services:
        return "healthy"
    return "not up" if seen else "never seen"


def _runs(machine: Machine, items: Mapping[str, Mapping[str, evidence.Item]]) -> dict[str, evidence.Evidence]:
    """Return host -> how its last run ended; not of a distro that the same run could not make on its Windows host."""
    runs = {host: names["run"].evidence for host, names in items.items() if "run" in names}
    above, below = runs.get(machine.windows or ""), runs.get(machine.linux or "")
    if above and below and above["verdict"] == FAIL and above["started_at"] == below["started_at"]:
        del runs[str(machine.linux)]
    return runs


def _row(machine: Machine, found: evidence.Found, required: Requirements, now: datetime) -> dict[str, Any]:
    """Return how one machine stands."""
    items = {host: found.hosts.get(host, {}) for host in machine.hosts}
    runs = _runs(machine, items)
    outcomes = [_outcome(run) for run in runs.values()]
    services = _services(machine, found)
    state = _state(outcomes, services, any(items.values()))
    faults = [_of_run(host, run, host == machine.windows) for host, run in runs.items() if run["verdict"] == FAIL]
    reported = {fault["host"] for fault in faults}
    for host, names in items.items():
        if "preflight" in names and host not in reported:
            faults += _of_preflight(host, names["preflight"].evidence)
    windows = {machine.linux: machine.windows} if machine.linux and machine.windows else {}
    verdict, results = readiness.evaluate(
        required,
        found,
        machine.directory,
        [machine.linux] if machine.linux else [],
        now,
        machine.application,
        machine.waivers,
        windows,
    )
    faults += [
        _fault(machine.linux or machine.name, f"{row['id']}: {row['reason']}", row["next"])
        for row in results["requirements"]
        if row["verdict"] == FAIL
    ]
    if (not machine.linux or state == "away") and verdict != FAIL:
        verdict = UNKNOWN
    away = {host for host, run in runs.items() if _outcome(run) == "away"}
    wrong = verdict == FAIL or any(fault["host"] not in away for fault in faults)
    last = max(runs.values(), key=lambda run: run["finished_at"], default=None)
    return {
        "name": machine.name,
        "hosts": machine.hosts,
        "stack": machine.stack,
        "state": state,
        "verdict": FAIL if wrong or state in {"unreachable", "failed", "unhealthy"} else verdict,
        "score": results["score"],
        "services": services,
        "run": last
        and {
            "playbook": last["results"]["playbook"],
            "finished_at": last["finished_at"],
            "changed": sum(run["results"]["changed"] for run in runs.values()),
        },
        "faults": faults,
        "simulated": any(
            item.evidence["provenance"] == "simulated" for names in items.values() for item in names.values()
        ),
    }


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that puts pc2 before pc10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def evaluate(found: Sequence[Machine], required: Requirements, now: datetime) -> tuple[str, dict[str, Any]]:
    """Return the verdict of the whole and the results of the evidence `fleet`, the worst machines first.

    Args:
        found: the machines.
        required: what has to be shown.
        now: the moment that ages are counted from, with its time zone.
    """
    stacks = {(machine.directory, machine.stack) for machine in found}
    read = {key: evidence.read_all(*key) for key in sorted(stacks)}
    rows = [_row(machine, read[machine.directory, machine.stack], required, now) for machine in found]
    rows.sort(key=lambda row: (ORDER.index(row["verdict"]), STATES.index(row["state"]), _natural(row["name"])))
    return _summed(rows, [fault for its in read.values() for fault in its.faults])


def _summed(rows: Sequence[Mapping[str, Any]], faults: Sequence[str]) -> tuple[str, dict[str, Any]]:
    states, verdicts = Counter(row["state"] for row in rows), Counter(row["verdict"] for row in rows)
    results = {
        "machines": list(rows),
        "states": {state: states[state] for state in STATES if states[state]},
        "counts": {verdict: verdicts[verdict] for verdict in ORDER if verdicts[verdict]},
        "faults": list(faults),
    }
    return worst(row["verdict"] for row in rows), results


def limited(results: Mapping[str, Any], hosts: Collection[str]) -> tuple[str, dict[str, Any], int]:
    """Return the verdict and results of those machines alone that one of the hosts is of, and how many are left out."""
    rows = [row for row in results["machines"] if not set(row["hosts"]).isdisjoint(hosts)]
    verdict, selected = _summed(rows, results["faults"])
    return verdict, selected, len(results["machines"]) - len(rows)


def run_results(playbook: str, outcome: str, changed: int, task: str = "", message: str = "") -> dict[str, Any]:
    """Return the results of the evidence `run`.

    Args:
        playbook: its name, without .yml.
        outcome: ok, failed or unreachable.
        changed: tasks that changed something.
        task: the one that failed, "" when none did.
        message: of that task, already without what no_log hides.
    """
    text = " ".join(message.removeprefix("Task failed: ").split())
    return {"playbook": playbook, "outcome": outcome, "changed": changed, "task": task, "message": text[:2000]}


def write(
    found: Sequence[Machine],
    required: Requirements,
    now: datetime,
    *,
    keep: bool = True,
    shown: Collection[str] | None = None,
) -> dict[str, Any]:
    """Evaluate, and leave fleet.json and fleet.html in the evidence directory of the first machine.

    Args:
        found: the machines of the inventory; the files are about all of them, whatever is shown.
        required: what has to be shown.
        now: see `evaluate`.
        keep: whether files are written.
        shown: the hosts that --limit leaves; None for all.

    Returns:
        page and path, and of the machines that are shown verdict, `away`, and for a table `title`, `columns`, `rows`
        and `lines`.

    Raises:
        evidence.EvidenceError: it could not be written, or there is no machine.
    """
    if not found:
        raise evidence.EvidenceError("the inventory names no host")
    verdict, results = evaluate(found, required, now)
    simulated = any(row["simulated"] for row in results["machines"])
    stamp = timestamp(now)
    document = evidence.make(
        "fleet", evidence.ALL_STACKS, evidence.ALL_HOSTS, verdict, results, stamp, "simulated" if simulated else "real"
    )
    directory = found[0].directory
    path = evidence.path_of(directory, document["stack"], document["host"], "fleet")
    page = path.with_suffix(".html")
    if keep:
        evidence.write(directory, document)
        try:
            links = report_links(found, directory)
            sha256 = evidence.read(path).sha256
            write_text(page, report.fleet_page(document, sha256, fault_lines(results), links))
        except OSError as error:
            raise evidence.EvidenceError(f"{page} could not be written: {error}") from error
    left_out = 0
    if shown is not None:
        verdict, results, left_out = limited(results, shown)
    lines = [*results["faults"], *fault_lines(results)]
    lines += [f"{counted(left_out, 'machine')} of the inventory left out by --limit"] if left_out else []
    lines += [f"Fleet: {page}"] if keep else []
    return {
        "verdict": verdict,
        "path": str(path),
        "page": str(page),
        "title": title(verdict, results, left_out),
        "columns": COLUMNS,
        "rows": table_rows(results),
        "lines": lines,
        "away": [row["name"] for row in results["machines"] if row["state"] == "away"],
    }


def report_links(found: Sequence[Machine], directory: Path) -> dict[str, str]:
    """Return machine -> the way from a directory to the report of its stack, for those that have one."""
    pages = {machine.name: machine.directory / machine.stack / "readiness.html" for machine in found}
    return {name: Path(os.path.relpath(page, directory)).as_posix() for name, page in pages.items() if page.is_file()}


def title(verdict: str, results: Mapping[str, Any], left_out: int = 0) -> str:
    """Return "Fleet of 50: fail; 2 unreachable, 1 failed, 47 healthy", of some "Fleet, 3 of 50: …"."""
    states = ", ".join(f"{count} {state}" for state, count in results["states"].items())
    count = len(results["machines"])
    fleet = f"Fleet, {count} of {count + left_out}" if left_out else f"Fleet of {count}"
    return f"{fleet}: {verdict}; {states}"


def table_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row per machine, of a line each."""
    rows = []
    for row in results["machines"]:
        services, run = row["services"], row["run"]
        rows.append(
            {
                **{key: row[key] for key in ("name", "state", "verdict", "stack")},
                "points": report.number(row["score"]["earned"]),
                "services": services and f"{services['healthy']} of {services['all']} healthy",
                "run": run and f"{run['playbook']}, {run['changed']} changed, {run['finished_at']}",
            }
        )
    return rows


def fault_lines(results: Mapping[str, Any]) -> list[str]:
    """Return a line per fault; machines with the same one share it."""
    shared: dict[tuple[str, str], list[str]] = {}
    for row in results["machines"]:
        for fault in row["faults"]:
            shared.setdefault((fault["what"], fault["next"]), []).append(fault["host"])
    return [
        f"{', '.join(hosts)}: {what}{f'. Next: {following}' if following else ''}"
        for (what, following), hosts in shared.items()
    ]
