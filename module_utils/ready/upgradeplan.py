# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `upgrade` has to do, tells, and leaves as evidence: pure functions over what the matrix decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .plan import images_in_use

_HOW = {
    "swap": "the same data under another image",
    "dump_restore": "dumped from the old engine, restored into the new one",
    "migrate_forward": "migrated by the new engine at its start; there is no way back but the copy",
}


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


def results(done: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the results of the evidence `upgrade`.

    Args:
        done: {move, outcome, seconds, figures, kept, reason} per step that was begun.
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
        }
    return {"services": services}


def room(stack: Mapping[str, Any], todo: Iterable[Mapping[str, Any]], details: Mapping[str, Any]) -> int:
    """Return the bytes that must be free: one service is moved after the other, and copies of the data may stay.

    The moved data replace the old ones; a restored dump may take more room than they did, hence twice the largest.
    """
    sizes: list[int] = [
        sum(details["volumes"].get(volume["name"], 0) for volume in stack["services"][step["service"]]["volumes"])
        for step in todo
    ]
    return sum(sizes) + max(sizes, default=0)


def gate_message(answer: Mapping[str, Any]) -> str:
    """Return which checks of a service failed, from what `service_health` says of it."""
    failed = [f"{name}: {check['detail']}" for name, check in answer["checks"].items() if check["verdict"] == "fail"]
    return f"the gate health failed: {'; '.join(failed) or answer.get('detail') or 'no answer'}"


def done_lines(done: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line or two per step that was begun, for people."""
    shown = []
    for item in done:
        move, seconds = item["move"], float(item["seconds"])
        if item["outcome"] == "upgraded":
            shown.append(
                f"{move['service']}: {move['found']} -> {move['after']['engine_version']}, away for {seconds:.0f} s"
            )
            shown += [f"    kept: volume {name}; ./ready prune --kept removes it" for name in item["kept"]]
            shown.append(f'    Next: the inventory must say {move["service"]}_version: "{move["wanted"]}"')
        else:
            shown.append(f"{move['service']}: rolled back to {move['found']}, with all its data: {item['reason']}")
    return shown
