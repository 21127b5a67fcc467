# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which inventory a stack on a host belongs to, by the owner's id in its description.

The id is random, made at the first `up`, and kept with the encrypted secrets, so it travels with the inventory. Labels
name it for people alone: a container that one inventory made stays as it is when another one adopts the stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS

LABEL_OWNER = "io.ready.owner"
#: What the host's description says of an owner: the id, and where it was when it wrote that.
KEYS = ("id", "inventory", "user", "host")


def labels(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the label of what is created anyway; it is no part of any comparison."""
    owner = stack.get("owner", {}).get("id")
    return {LABEL_OWNER: owner} if owner else {}


def owner_record(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return what the description says of this inventory; nothing before it has an id."""
    owner = stack.get("owner", {})
    return {key: str(owner[key]) for key in KEYS} if owner.get("id") else {}


def _is_there(state: Mapping[str, Any]) -> bool:
    """Return whether anything of the stack is left: a description alone is of a stack that was removed by hand.

    Where Docker does not answer, nobody knows: the containers may only be stopped with it.
    """
    if not state.get("reachable", True):
        return True
    parts = [*state.get("services", {}).values(), *state.get("volumes", {}).values()]
    return bool(state.get("others")) or any(part.get("ours") for part in parts)


def foreign(stack: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, str]:
    """Return whose the stack on the host is, where it is another inventory's; nothing where it may be taken.

    A stack without an id may be taken. So may one whose id can't be compared, since the vault key is lost: the verbs
    that work without secrets must work then.

    Args:
        stack: the resolved stack; `owner` is this inventory.
        state: what `stack_state` read.
    """
    found: dict[str, str] = state.get("installed", {}).get("owner", {})
    owner = stack.get("owner", {"known": False})
    if not found.get("id") or not owner["known"] or found["id"] == owner["id"] or not _is_there(state):
        return {}
    return found


def owner_text(found: Mapping[str, str]) -> str:
    """Return whose a stack is, for people."""
    return (
        f"{found.get('inventory') or 'an inventory'} of {found.get('user') or 'an unknown user'} on "
        f"{found.get('host') or 'an unknown machine'}, as last seen"
    )


def foreign_text(stack: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Return whose the stack on the host is, for people, "" where it may be taken; takes what `foreign` does."""
    found = foreign(stack, state)
    return owner_text(found) if found else ""


def _next(state: Mapping[str, Any]) -> str:
    """Return what helps: passwords are read back by containers that mount them, if any are left, or none are seen."""
    services = [service.get("ours") for service in state.get("services", {}).values()]
    held = not state.get("reachable", True) or bool(state.get("others")) or any(services)
    return "run this from that inventory; " + (
        "if it is lost, ./ready secrets recover makes this one the owner; with the stack's passwords in this one, "
        "./ready up --adopt takes it over; or choose another stack_name"
        if held
        else "./ready up --adopt takes the stack over, with that inventory's secrets file; or choose another "
        "stack_name; if that inventory is lost, --adopt with destroy removes data that nobody needs"
    )


def check(stack: Mapping[str, Any], state: Mapping[str, Any]) -> Finding:
    """Return whether the stack on the host is this inventory's, or is to be."""
    found = foreign(stack, state)
    refused = bool(found) and not stack["owner"]["adopts"]
    return Finding(
        "owner",
        "Owner",
        FAIL if refused else PASS,
        f"the stack {stack['name']} is that of {owner_text(found)}" if found else "this inventory, or nobody yet",
        "this inventory's stack, or none",
        _next(state) if refused else "",
    )


def refusal(stack: Mapping[str, Any], state: Mapping[str, Any], host: str) -> str:
    """Return why a verb must leave a stack alone, nothing when it need not."""
    row = check(stack, state)
    if row.verdict != FAIL:
        return ""
    return f"{host}: {row.title}: found {row.found}; expected {row.expected}. Nothing was changed. Next: {row.next}."
