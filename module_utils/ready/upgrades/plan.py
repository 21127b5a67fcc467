# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan an upgrade, and show and record its result: pure functions over what the matrix decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..common.units import human_size
from ..common.verdict import FAIL, NOT_APPLICABLE, PASS
from ..docker.images_in_use import images_in_use
from ..stack.resolved import data_volumes

_HOW = {
    "swap": "the same data under another image",
    "dump_restore": "dumped from the old engine, restored into the new one",
    "migrate_forward": "migrated by the new engine at its start; there is no way back but the copy",
}
#: Of a move that an earlier release began.
_UNKNOWN = {"set": None, "drill_seconds": None, "reason": "not recorded"}


def steps(
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    decided: Iterable[Mapping[str, Any]],
    images: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return the moves that are to be made, each with the images {ref, id, source, …} `before` and `after` it.

    In check mode an image may still be missing: a move without it is a line for people, and no step.
    """
    before = images_in_use(stack, state, {})
    return [
        {**move, "before": before[move["service"]], "after": dict(images[move["service"]])}
        for move in decided
        if move["action"] == "upgrade" and images.get(move["service"], {}).get("id")
    ]


def lines(decided: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line per service for people."""
    return [
        f"{move['service']}: {move['found']} -> {move['wanted']} (row {move['row']}: {_HOW[move['how']]})"
        if move["action"] == "upgrade"
        else f"{move['service']}: {move['found'] or 'none'}: {move['reason']}"
        for move in decided
    ]


def rollback_source(
    stack: Mapping[str, Any], todo: Iterable[Mapping[str, Any]], repository: str, known: bool, without: bool
) -> dict[str, Any]:
    """Return what a rollback can use beside the copies of the volumes: {kind, services, reason}, and `lines` of it.

    Args:
        stack: the resolved stack.
        todo: the moves that are to be made.
        repository: the backup repository that the inventory names, "" without one.
        known: whether the host has settings of backups, as `./ready backup` leaves them.
        without: whether the user wants none made.

    Returns:
        kind: "set" (a backup set, proven by a drill), "copy" (the copies alone, and reason says why), or "none" (no
        service that keeps data is moved).
    """
    services = [step["service"] for step in todo if data_volumes(stack["services"][step["service"]])]
    kind, reason = "set", ""
    if not services:
        kind, reason = "none", "no service that keeps data is moved"
    elif without:
        kind, reason = "copy", "--without-backup was given"
    elif not (repository or known):
        kind, reason = "copy", "no backup repository is configured"
    found = {"kind": kind, "services": services, "reason": reason}
    return {**found, "lines": rollback_lines(found)}


def rollback_lines(source: Mapping[str, Any]) -> list[str]:
    """Return the lines about it that people read before anything is done."""
    if source["kind"] == "none":
        return []
    names = ", ".join(source["services"])
    if source["kind"] == "set":
        return [f"First: a backup set of {names} in the repository, proven by a drill; without both nothing is moved."]
    lines = [
        f"WARNING: no backup set of {names} is made first: {source['reason']}.",
        "    The only way back is a copy of the old data on this host's own disk: a lost disk loses both.",
    ]
    if not source["reason"].startswith("--"):
        lines.append("    Next: set backup_repository in the inventory, and `upgrade` makes and proves a set first.")
    return lines


def set_fault(found: Mapping[str, Any]) -> str:
    """Return why nothing is moved after a backup set was to be made and proven; "" when it is there and proven.

    Args:
        found: what `make_and_prove` returned, with `error` "", or {error} when it raised.
    """
    after = "Nothing was upgraded; the services run as before. --without-backup continues with volume copies alone."
    if found["error"]:
        return f"no backup set could be made and proven, so no upgrade was begun: {found['error']}. {after}"
    if found["verdict"] == PASS:
        return ""
    wrong = "; ".join(
        f"{name}: {', '.join(its['faults'])}" for name, its in found["services"].items() if its["verdict"] != PASS
    )
    return (
        f"backup set {found['set']} did not prove itself in its drill, so no upgrade was begun: {wrong}. "
        f"{after} Next: ./ready drill --set {found['set']} shows more once that is corrected."
    )


def with_backup(
    todo: Iterable[Mapping[str, Any]], source: Mapping[str, Any], found: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the steps with what is backed up for each, for the journal and the evidence.

    Args:
        todo: what `steps` returned.
        source: what `rollback_source` returned.
        found: what `service_backup` found; {} when no set was made.
    """
    return [
        {
            **step,
            "backup": {
                "set": found["set"] if found and step["service"] in source["services"] else None,
                "drill_seconds": found["services"][step["service"]]["seconds"]
                if found and step["service"] in source["services"]
                else None,
                "reason": source["reason"] or ("" if step["service"] in source["services"] else "it keeps no data"),
            },
        }
        for step in todo
    ]


def results(done: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the results of the evidence `upgrade`.

    Args:
        done: {move, outcome, seconds, figures, latency, kept, reason} per step that was begun.
    """
    services = {}
    for item in done:
        move, figures = item["move"], item.get("figures") or {}
        services[move["service"]] = {
            "outcome": item["outcome"],
            "found": move["found"],
            "wanted": move["wanted"],
            "row": move["row"],
            "how": move["how"],
            "image_before": move["before"]["ref"],
            "image_after": move["after"]["ref"],
            "engine_version": move["after"]["engine_version"] if item["outcome"] == "upgraded" else move["found"],
            "contents": figures.get("contents", {}),
            "copy_seconds": figures.get("copy_seconds"),
            "move_seconds": figures.get("move_seconds"),
            "outage_seconds": round(float(item["seconds"]), 1),
            "kept": list(item.get("kept") or []),
            "reason": item.get("reason", ""),
            "backup": dict(move.get("backup") or _UNKNOWN),
            "latency": {key: its for key, its in (item.get("latency") or {}).items() if key != "message"},
        }
    return {"services": services}


def outcome(done: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return {verdict, results} of the evidence `upgrade`, and the lines for people; of no step there are none."""
    return {"verdict": verdict(done), "results": results(done), "lines": done_lines(done)}


def verdict(done: Iterable[Mapping[str, Any]]) -> str:
    """Return the verdict of the evidence: what was given up says nothing about the new version."""
    outcomes = {item["outcome"] for item in done}
    if "rolled_back" in outcomes:
        return FAIL
    return NOT_APPLICABLE if "given_up" in outcomes else PASS


def required_bytes(stack: Mapping[str, Any], todo: Iterable[Mapping[str, Any]], details: Mapping[str, Any]) -> int:
    """Return the bytes that must be free: one service is moved after the other, and copies of the data may stay.

    The moved data replace the old ones; a restored dump may take more room than they did, hence twice the largest.
    """
    sizes: list[int] = [
        sum(details["volumes"].get(volume["name"], 0) for volume in data_volumes(stack["services"][step["service"]]))
        for step in todo
    ]
    return sum(sizes) + max(sizes, default=0)


def room_fault(facts: Mapping[str, Any], needed: int) -> str:
    """Return that the host's disk lacks room for the copies; "" when it has it, or when Docker's disk is elsewhere.

    Args:
        facts: what `host_facts` read.
        needed: bytes, as `required_bytes` returned them.
    """
    disk = facts["disk"]["docker"]
    if not facts["docker"]["local"] or disk["free"] >= needed:
        return ""
    return (
        f"found {human_size(disk['free'])} free at {disk['path']}, expected {human_size(needed)}: a copy of the old "
        "data, and room for the moved ones. Nothing was changed. Next: free disk space there; docker system df says "
        "what lies there, ./ready status which copies earlier upgrades kept."
    )


def _backup_line(move: Mapping[str, Any]) -> str:
    backup = move.get("backup") or _UNKNOWN
    if backup["set"]:
        proven = f"from before: backup set {backup['set']}, proven; "
        if move["how"] == "migrate_forward":  # the engine's own files: the new one's data have another format
            return f"{proven}only {move['found']} loads it, see docs/upgrade.md"
        return f"{proven}./ready restore --set {backup['set']} --only {move['service']} brings its data back"
    return f"no backup set from before: {backup['reason']}"


def done_lines(done: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line or two per step that was begun, for people."""
    shown = []
    for item in done:
        move, seconds = item["move"], float(item["seconds"])
        if item["outcome"] == "upgraded":
            shown.append(
                f"{move['service']}: {move['found']} -> {move['after']['engine_version']}, away for {seconds:.0f} s"
            )
            shown += [f"    {line}" for line in (item.get("latency") or {}).get("told", [])]
            shown.append(f"    {_backup_line(move)}")
            shown += [
                f"    kept: volume {name}; ./ready prune --kept removes it when its data are no longer wanted"
                for name in item["kept"]
            ]
            shown.append(f'    Next: the inventory must say {move["service"]}_version: "{move["wanted"]}"')
        elif item["outcome"] == "given_up":
            shown.append(
                f"{move['service']}: given up: {move['found']} again, with its data from before the upgrade; what was "
                f"written to {move['wanted']} is lost"
            )
            shown.append(f"    Next: set {move['service']}_version to the line of {move['found']} in the inventory")
        else:
            shown.append(f"{move['service']}: rolled back to {move['found']}, with all its data: {item['reason']}")
    return shown
