# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what `stop` stops, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..stack.resolved import containers, stop_order


def fault(stack: Mapping[str, Any], state: Mapping[str, Any], host: str) -> str:
    """Return why there is nothing to stop, "" when there may be something.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        host: the inventory's name of the host.
    """
    if state["reachable"] and not any(service["exists"] for service in state["services"].values()):
        return (
            f"{host}: found no container of the stack {stack['name']}; expected one to stop. Nothing was changed. "
            "Next: ./ready status shows what is there; --stack-name names another stack"
        )
    return ""


def to_stop(stack: Mapping[str, Any], state: Mapping[str, Any], only: Collection[str]) -> list[dict[str, str]]:
    """Return the containers of ours, as {name, container}, in the order in which they stop.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        only: names of the services that are meant, each with its sidecars; all of them when there is none.
    """
    ours = [its for its in containers(stack, only).values() if state["services"][its["name"]]["ours"]]
    return [{"name": its["name"], "container": its["container"]} for its in sorted(ours, key=stop_order)]
