# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How every machine of an inventory stands, from all evidence: one summary. Runs on the controller.

A Windows host and its WSL distro are two hosts of the inventory and one machine here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from . import evidence, readiness, report
from .inventory import windows_hosts
from .part import FAIL, ORDER, UNKNOWN, worst
from .requirements import ROOT, Requirements
from .specs import role_specs

#: The group of the inventory that Windows hosts are in.
WINDOWS = "windows"
#: What a machine can be, the worst first.
STATES = ("unreachable", "failed", "unhealthy", "never seen", "not up", "healthy")
#: Characters of what was said that a summary has room for; the evidence `run` and the run's output have more.
_ROOM = 400
_REACH = "see that it is on and that ansible -m ping (Windows: -m ansible.windows.win_ping) reaches it, then run again"
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


@dataclass(frozen=True)
class Machine:
    """A machine: the Linux host that the stack is on, the Windows host below it, or either alone.

    Attributes:
        name: the Windows host's where there is one.
        linux: the host that the services are on; None of a Windows host whose distro is not in the inventory.
        windows: its Windows host; None of a Linux machine.
        stack: the stack's name.
        directory: of the evidence.
        application: whether the inventory names an application.
        waivers: the inventory's.
    """

    name: str
    linux: str | None
    windows: str | None
    stack: str
    directory: Path
    application: bool = False
    waivers: tuple[Mapping[str, Any], ...] = ()

    @property
    def hosts(self) -> list[str]:
        """The inventory's hosts that it consists of."""
        return [host for host in (self.windows, self.linux) if host]


def machines(hostvars: Mapping[str, Mapping[str, Any]], hosts: Iterable[str]) -> list[Machine]:
    """Return the machines that an inventory's hosts are.

    Args:
        hostvars: Ansible's; a host whose stack was resolved in this run is taken as resolved.
        hosts: names of the hosts.
    """
    names = list(hosts)
    below = windows_hosts(hostvars, names)
    with_distro = set(below.values())
    default = role_specs()["stack"]["main"]["options"]["stack_name"]["default"]
    found = []
    for name in names:
        if name in with_distro:
            continue  # its distro stands for both
        own = hostvars[name]
        windows = WINDOWS in own.get("group_names", ())
        resolved = own.get("ready_stack") or {}
        directory = resolved.get("evidence_dir") or own.get("ready_evidence_dir") or ROOT / "evidence"
        found.append(
            Machine(
                below.get(name, name),
                None if windows else name,
                name if windows else below.get(name),
                str(resolved.get("name") or own.get("stack_name") or default),
                Path(str(directory)).expanduser().absolute(),
                bool((own.get("application") or {}).get("path")),
                tuple(own.get("ready_waivers") or ()),
            )
        )
    return found


def _split(message: str) -> tuple[str, str]:
    """Return what a message says was found, and its next step, "" where it names none."""
    found, word, following = " ".join(message.split()).partition("Next: ")
    return found.strip(" ;."), following.strip() if word else ""


def _fault(host: str, what: str, following: str) -> dict[str, str]:
    what = what.removeprefix(f"{host}: ")
    return {"host": host, "what": what if len(what) <= _ROOM else f"{what[:_ROOM]}…", "next": following[:_ROOM]}


def _of_run(host: str, run: Mapping[str, Any], windows: bool) -> dict[str, str]:
    results = run["results"]
    what, following = _split(results["message"])
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
    states = [its["state"] for its in health.evidence["results"]["services"].values()]
    return {"healthy": states.count("healthy"), "all": len(states)}


def _state(outcomes: Sequence[str], services: Mapping[str, int] | None, seen: bool) -> str:
    if "unreachable" in outcomes:
        return "unreachable"
    if "failed" in outcomes:
        return "failed"
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
    outcomes = [run["results"]["outcome"] for run in runs.values()]
    services = _services(machine, found)
    state = _state(outcomes, services, any(items.values()))
    faults = [_of_run(host, run, host == machine.windows) for host, run in runs.items() if run["verdict"] == FAIL]
    said = {fault["host"] for fault in faults}
    for host, names in items.items():
        if "preflight" in names and host not in said:
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
    if not machine.linux and verdict != FAIL:
        verdict = UNKNOWN
    last = max(runs.values(), key=lambda run: run["finished_at"], default=None)
    return {
        "name": machine.name,
        "hosts": machine.hosts,
        "stack": machine.stack,
        "state": state,
        "verdict": FAIL if faults or state in {"unreachable", "failed", "unhealthy"} else verdict,
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
    states, verdicts = Counter(row["state"] for row in rows), Counter(row["verdict"] for row in rows)
    results = {
        "machines": rows,
        "states": {state: states[state] for state in STATES if states[state]},
        "counts": {verdict: verdicts[verdict] for verdict in ORDER if verdicts[verdict]},
        "faults": [fault for its in read.values() for fault in its.faults],
    }
    return worst(row["verdict"] for row in rows), results


def run_results(playbook: str, outcome: str, changed: int, task: str = "", message: str = "") -> dict[str, Any]:
    """Return the results of the evidence `run`.

    Args:
        playbook: its name, without .yml.
        outcome: ok, failed or unreachable.
        changed: tasks that changed something.
        task: the one that failed, "" when none did.
        message: what it said, already without what no_log hides.
    """
    text = " ".join(message.removeprefix("Task failed: ").split())
    return {"playbook": playbook, "outcome": outcome, "changed": changed, "task": task, "message": text[:2000]}


def write(found: Sequence[Machine], required: Requirements, now: datetime, *, keep: bool = True) -> dict[str, Any]:
    """Evaluate, and leave fleet.json and fleet.html in the evidence directory of the first machine.

    Returns:
        verdict, page and path, and `title`, `columns`, `rows` and `lines` for a table.

    Raises:
        evidence.EvidenceError: it could not be written, or there is no machine.
    """
    if not found:
        raise evidence.EvidenceError("the inventory names no host")
    verdict, results = evaluate(found, required, now)
    simulated = any(row["simulated"] for row in results["machines"])
    stamp = evidence.timestamp(now)
    document = evidence.make(
        "fleet", evidence.ALL_STACKS, evidence.ALL_HOSTS, verdict, results, stamp, "simulated" if simulated else "real"
    )
    directory = found[0].directory
    path = evidence.path_of(directory, document["stack"], document["host"], "fleet")
    page = path.with_suffix(".html")
    if keep:
        evidence.write(directory, document)
        try:
            evidence.write_text(page, report.fleet_page(document, evidence.read(path).sha256, fault_lines(results)))
        except OSError as error:
            raise evidence.EvidenceError(f"{page} could not be written: {error}") from error
    lines = [*results["faults"], *fault_lines(results), *([f"Fleet: {page}"] if keep else [])]
    return {
        "verdict": verdict,
        "path": str(path),
        "page": str(page),
        "title": title(verdict, results),
        "columns": COLUMNS,
        "rows": table_rows(results),
        "lines": lines,
    }


def title(verdict: str, results: Mapping[str, Any]) -> str:
    """Return "Fleet of 50: fail; 2 unreachable, 1 failed, 47 healthy"."""
    states = ", ".join(f"{count} {state}" for state, count in results["states"].items())
    return f"Fleet of {len(results['machines'])}: {verdict}; {states}"


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
