# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which new service a running stack does without, because its host has no room. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL

#: Why a verb that reads a stack takes a service for left out; whether it fits `up` alone decides.
NEVER_MADE = "left out: it was never made; ./ready up makes it where there is room"
#: Keys of a stack that say something of each service, by its name.
_BY_SERVICE = ("services", "certificates", "authorities")


def services_never_made(stack: Mapping[str, Any], state: Mapping[str, Any], word: str = "exists") -> list[str]:
    """Return the services that the inventory does not name itself and that a stack which is there has never had.

    A service that was there once has a config volume: its absence is a fault, and not decided here.

    Args:
        stack: the fact `ready_stack`; `by_default` has the services that come from the default of ready_services.
        state: what library/stack_state.py returns.
        word: what one of the stack's containers must be at least, `exists` or `running`.
    """
    found = state.get("services", {})
    if not any(its.get("ours") and its.get(word) for its in found.values()):
        return []
    return [
        name
        for name in stack.get("by_default", ())
        if name in stack["services"]
        and not found.get(name, {}).get("exists")
        and not state.get("volumes", {}).get(stack["services"][name]["config_volume"], {}).get("exists")
    ]


def without_services(stack: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return a stack without these services, what runs beside them, and what is theirs alone."""
    gone = set(names)
    fewer = {key: {n: its for n, its in stack[key].items() if n not in gone} for key in _BY_SERVICE if key in stack}
    if "sidecars" in stack:
        fewer["sidecars"] = {name: its for name, its in stack["sidecars"].items() if its["of"] not in gone}
    if "secrets" in stack:
        missing = [pair for pair in stack["secrets"]["missing"] if pair.partition("/")[0] not in gone]
        fewer["secrets"] = {**stack["secrets"], "missing": missing}
    return {**stack, **fewer}


def services_left_out(
    stack: Mapping[str, Any], state: Mapping[str, Any], look: Callable[[Mapping[str, Any]], list[Finding]]
) -> dict[str, str]:
    """Return service -> why a running stack is kept without it; {} where all fits, or something else does not.

    Args:
        stack: the fact `ready_stack`.
        state: what library/stack_state.py returns.
        look: evaluates preflight's checks for a stack.
    """
    names = services_never_made(stack, state, "running")
    if not names or not (faults := [check for check in look(stack) if check.verdict == FAIL]):
        return {}
    fewer = without_services(stack, names)
    if not fewer["services"] or any(check.verdict == FAIL for check in look(fewer)):
        return {}
    why = "; ".join(f"{check.title}: found {check.found}, expected {check.expected}" for check in faults)
    return dict.fromkeys(names, why)


def left_out_lines(found: Mapping[str, str], host: str) -> list[str]:
    """Return a line per service that is left out."""
    return [
        f"{host}: {name} is left out, the running services are kept: {why}. Next: put that right, or name "
        f"ready_services without {name} in the inventory"
        for name, why in found.items()
    ]
