# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Turn results of backup, drill and restore into evidence and tables. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..checks.status import service_state
from ..common.check_result import CheckResult
from ..common.units import human_size
from ..common.verdict import FAIL, PASS
from ..registry import THINGS
from ..stack.models import stateless_line
from ..stack.resolved import data_volumes
from .manifest import level_name, summary, utc
from .postgresql import schema_proof_report

COLUMNS = [
    {"key": "service", "title": "Service"},
    {"key": "what", "title": "Holds"},
    {"key": "verdict", "title": "Verdict"},
    {"key": "took", "title": "Took"},
    {"key": "detail", "title": "Found"},
]


def as_report(result: CheckResult) -> dict[str, Any]:
    """Return a result as modules hand it on: verdict, results, rows, next, and the columns of a table with rows."""
    return {**result.as_data(), "columns": COLUMNS if result.rows else []}


def _things(name: str, count: Any) -> str:
    return f"{count} {THINGS.get(name, 'things')}"


def _failed(name: str, found: Mapping[str, Any]) -> CheckResult:
    return CheckResult(name, FAIL, {"error": found["error"]}, [], [str(found["error"])])


def _results(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "error"}


def _since(seconds: float | None) -> list[str]:
    return [f"PostgreSQL can be restored to any time since {utc(seconds)}."] if seconds else []


def proof_faults(found: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> why a set that was made can't be restored as a whole."""
    return {
        name: schema_proof_report.fault_line(its["faults"])
        for name, its in found.get("proof", {}).items()
        if its["faults"]
    }


def backup_result(found: Mapping[str, Any]) -> CheckResult:
    """Return what `stack_backup` found."""
    if found.get("error"):
        return _failed("backup", found)
    manifest = summary(found["manifest"])
    result = CheckResult("backup", found["verdict"], {**_results(found), "manifest": manifest})
    faults = proof_faults(found)
    for name, its in manifest["parts"].items():
        size = sum(item["size"] for item in its["files"].values())
        outage = f", stood still for {its['outage_seconds']} s" if its["outage_seconds"] else ""
        result.rows.append(
            {
                "service": name,
                "what": _things(name, its["things"]),
                "verdict": FAIL if name in faults else PASS,
                "took": "",
                "detail": f"{human_size(size)} as of {its['consistent_at']}{outage}",
            }
        )
    result.next = [
        stateless_line(name, its) for name, its in manifest.get("models", {}).items() if name in manifest["stateless"]
    ]
    fence = f", writers fenced for {manifest['fence_seconds']} s" if "fence_seconds" in manifest else ""
    result.next += [
        *found["healed"],
        f"Set {manifest['id']} ({level_name(manifest['level'])}, skew {manifest['skew_seconds']} s{fence}) is in "
        f"{found['repository']['location']}, after {found['seconds']} s.",
        *_since(found.get("upkeep", {}).get("recoverable_from")),
        *found["warnings"],
        *(line for its in found["proof"].values() for line in schema_proof_report.lines(its)),
        *(f"The set is kept. {line}" for line in faults.values()),
        "Next: ./ready drill proves it; ./ready backup key prints what to keep elsewhere.",
    ]
    return result


def _unasked(its: Mapping[str, Any]) -> str:
    names = ", ".join(its.get("unasked", []))
    return f", none of {names}, not made here yet (Next: ./ready up)" if names else ""


def _rows(services: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    return [
        {
            "service": name,
            "what": _things(name, its["things"]) if "things" in its else "",
            "verdict": FAIL if its.get("missing") else its["verdict"],
            "took": f"{its['seconds']} s",
            "detail": "; ".join([*its["faults"], *its.get("missing", [])])
            or f"{', '.join(its['asked'])}; {its['logins']} logins{_unasked(its)}; {its['image']}",
        }
        for name, its in services.items()
    ]


def drill_result(found: Mapping[str, Any]) -> CheckResult:
    """Return what `stack_drill` found."""
    if found.get("error"):
        return _failed("drill", found)
    result = CheckResult("drill", found["verdict"], _results(found), _rows(found["services"]))
    result.next = [
        *found["healed"],
        f"Set {found['set']} ({level_name(found['level'])}): RTO {found['rto_seconds']} s, "
        f"RPO {found['rpo_seconds']} s.",
    ]
    if its := found.get("recovery"):
        result.next.append(_recovery_line(its))
    if found["verdict"] == FAIL:
        wrong = {name: its["faults"] for name, its in found["services"].items() if its["faults"]}
        result.next += [f"{name}: {'; '.join(faults)}" for name, faults in wrong.items()]
        result.next.append("Next: ./ready backup makes a new set; ./ready drill --set SET tries an older one.")
    return result


def _what(found: Mapping[str, Any]) -> str:
    if "recovery" not in found:
        return f"Set {found['set']}"
    its = found["recovery"]
    return (
        f"PostgreSQL of {its['wanted']} (its last transaction is of {its['reached']}; base backup in set "
        f"{its['base_set']})"
    )


def _recovery_line(its: Mapping[str, Any]) -> str:
    if its["faults"]:
        return f"Point-in-time recovery of PostgreSQL: {'; '.join(its['faults'])}"
    return (
        f"Point-in-time recovery of PostgreSQL: {its['segments']} WAL segments replayed, the newest commit of "
        f"{its['reached']}: RPO {its['rpo_seconds']} s on this host, {its['repository_rpo_seconds']} s without it."
    )


def restore_result(found: Mapping[str, Any]) -> CheckResult:
    """Return what `stack_restore` did."""
    if found.get("error"):
        return _failed("restore", found)
    result = CheckResult("restore", found["verdict"], _results(found), _rows(found["services"]))
    kept = f" What was there before is set {found['safety_set']}." if found["safety_set"] else ""
    result.next = [
        *found["healed"],
        *found.get("warnings", []),
        f"{_what(found)} is in place: {found['rto_seconds']} s in all, services down for "
        f"{found['outage_seconds']} s.{kept}",
    ]
    for name, its in found["services"].items():
        if retried := its.get("retried"):
            result.next.append(f"{name}: restored with the database's own search_path alone: {'; '.join(retried)}")
        result.next += [f"{name}: missing, since it can't be restored: {line}" for line in its.get("missing", [])]
    result.next += _kept_lines(found.get("kept", {}))
    if "recovery" in found:
        result.next.append(
            "Next: ./ready backup. PostgreSQL has begun a new history; times from now on need a base backup of it."
        )
    return result


def replaced_lines(state: Mapping[str, Any], stack: Mapping[str, Any], only: Sequence[str], without: bool) -> list[str]:
    """Return what a restore is asked for: a line per service whose data it replaces, and what becomes of them.

    Args:
        state: what `stack_state` read.
        stack: the resolved stack.
        only: the services; empty means all with data.
        without: whether neither a safety set nor a copy is wanted.
    """
    lines = []
    for name in [name for name, its in stack["services"].items() if data_volumes(its) and (not only or name in only)]:
        found = state["services"][name]
        well = found["status"] == "running" and found.get("health") != "unhealthy"
        if without:
            after = "for good, without a safety set" if well else "for good, without a copy of what is there"
        elif well:
            after = "a safety set has them"
        else:
            after = f"it is {service_state(found)}, so its volume is kept whole instead of a safety set"
        lines.append(f"{name}: all its data; {after}")
    return lines


def _kept_lines(kept: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what became of the data from before of which no set could be made."""
    lines = []
    for name, its in kept.items():
        if its["volume"]:
            lines += [
                f"{name}: found {its['why']}: its data from before are kept whole in the volume {its['volume']}.",
                f"    To bring them back: ./ready stop --service {name}; {its['back']}; "
                f"./ready start --service {name}.",
                "    When they are no longer wanted: ./ready prune --kept removes them.",
            ]
        else:
            lines.append(f"{name}: found {its['why']}: its data from before were replaced without a copy.")
    return lines


def set_rows(sets: list[Mapping[str, Any]], proven: str | None) -> list[dict[str, str]]:
    """Return a row per set in the repository."""
    return [
        {
            "id": item["id"],
            "time": item["time"],
            "level": level_name(item["level"]) + (", safety" if item["safety"] else ""),
            "services": ", ".join(item["services"]),
            "proven": "by the last drill" if item["id"] == proven else "",
        }
        for item in sets
    ]


def recovery_sheet(stack: str, host: str, repository: str, key: str) -> str:
    """Return what is needed on a new machine, to be printed and kept away from this one."""
    return (
        f"Recovery sheet of the stack {stack} on {host}\n\n"
        f"Repository: {repository}\nKey:        {key}\n\n"
        "On a new machine, with Ready there:\n"
        "  1. ./ready init DIR\n"
        f"  2. in DIR/inventory/group_vars/all/ready.yml: stack_name: {stack}, backup_repository: {repository}\n"
        "  3. write the key above into a file, mode 0600\n"
        "  4. ./ready restore -i DIR/inventory --key-file FILE\n"
        "Whoever has both lines reads all data: keep this sheet as you keep a master key.\n"
    )
