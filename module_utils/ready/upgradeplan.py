# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `upgrade` has to do, tells, and leaves as evidence: pure functions over what the matrix decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .part import FAIL, NOT_APPLICABLE, PASS
from .plan import images_in_use

_HOW = {
    "swap": "the same data under another image",
    "dump_restore": "dumped from the old engine, restored into the new one",
    "migrate_forward": "migrated by the new engine at its start; there is no way back but the copy",
}
#: Of a move that an earlier release began.
_UNKNOWN = {"set": None, "drill_seconds": None, "reason": "not recorded"}


def only(stack: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the stack with these services alone."""
    return {**stack, "services": {name: stack["services"][name] for name in names}}


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


def way_back(
    stack: Mapping[str, Any], todo: Iterable[Mapping[str, Any]], repository: str, known: bool, without: bool
) -> dict[str, Any]:
    """Return which way back there is beside the copies of the volumes: {kind, services, reason}.

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
    services = [step["service"] for step in todo if stack["services"][step["service"]]["volumes"]]
    if not services:
        return {"kind": "none", "services": [], "reason": "no service that keeps data is moved"}
    if without:
        return {"kind": "copy", "services": services, "reason": "--without-backup was given"}
    if not (repository or known):
        return {"kind": "copy", "services": services, "reason": "no backup repository is configured"}
    return {"kind": "set", "services": services, "reason": ""}


def way_back_lines(way: Mapping[str, Any]) -> list[str]:
    """Return what people are told about it, before anything is done."""
    if way["kind"] == "none":
        return []
    names = ", ".join(way["services"])
    if way["kind"] == "set":
        return [f"First: a backup set of {names} in the repository, proven by a drill; without both nothing is moved."]
    lines = [
        f"WARNING: no backup set of {names} is made first: {way['reason']}.",
        "    The only way back is a copy of the old data on this host's own disk: a lost disk loses both.",
    ]
    if not way["reason"].startswith("--"):
        lines.append("    Next: set backup_repository in the inventory, and `upgrade` makes and proves a set first.")
    return lines


def set_refusal(host: str, answer: Mapping[str, Any]) -> str:
    """Return why nothing is moved after `service_backup` has answered; "" when its set is there and proven."""
    found = answer["found"]
    after = "Nothing was upgraded; the services run as before. --without-backup would go on with volume copies alone."
    if answer["error"]:
        return f"{host}: no backup set could be made and proven, so no upgrade was begun: {answer['error']}. {after}"
    if found["verdict"] == "pass":
        return ""
    wrong = "; ".join(
        f"{name}: {', '.join(its['faults'])}" for name, its in found["services"].items() if its["verdict"] != "pass"
    )
    return (
        f"{host}: backup set {found['set']} did not prove itself in its drill, so no upgrade was begun: {wrong}. "
        f"{after} Next: ./ready drill --set {found['set']} tells more once that is mended."
    )


def with_backup(
    todo: Iterable[Mapping[str, Any]], way: Mapping[str, Any], found: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the steps with what is backed up for each, for the journal and the evidence.

    Args:
        todo: what `steps` returned.
        way: what `way_back` returned.
        found: what `service_backup` found; {} when no set was made.
    """
    return [
        {
            **step,
            "backup": {
                "set": found["set"] if found and step["service"] in way["services"] else None,
                "drill_seconds": found["services"][step["service"]]["seconds"]
                if found and step["service"] in way["services"]
                else None,
                "reason": way["reason"] or ("" if step["service"] in way["services"] else "it keeps no data"),
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
            "latency": dict(item.get("latency") or {}),
        }
    return {"services": services}


def verdict(done: Iterable[Mapping[str, Any]]) -> str:
    """Return the verdict of the evidence: what was given up says nothing about the new version."""
    outcomes = {item["outcome"] for item in done}
    if "rolled_back" in outcomes:
        return FAIL
    return NOT_APPLICABLE if "given_up" in outcomes else PASS


def room(stack: Mapping[str, Any], todo: Iterable[Mapping[str, Any]], details: Mapping[str, Any]) -> int:
    """Return the bytes that must be free: one service is moved after the other, and copies of the data may stay.

    The moved data replace the old ones; a restored dump may take more room than they did, hence twice the largest.
    """
    sizes: list[int] = [
        sum(details["volumes"].get(volume["name"], 0) for volume in stack["services"][step["service"]]["volumes"])
        for step in todo
    ]
    return sum(sizes) + max(sizes, default=0)


def _backup_line(move: Mapping[str, Any]) -> str:
    backup = move.get("backup") or _UNKNOWN
    if backup["set"]:
        told = f"from before: backup set {backup['set']}, proven; "
        if move["how"] == "migrate_forward":  # the engine's own files: the new one's data have another format
            return f"{told}only {move['found']} loads it, see docs/upgrade.md"
        return f"{told}./ready restore --set {backup['set']} --only {move['service']} brings its data back"
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
