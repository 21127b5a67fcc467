# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose is what has a name of the stack and does not carry its label. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checkrow import Check
from .container import LABEL_STACK
from .part import FAIL, PASS

_COMPOSE = "com.docker.compose.project"


def owner(labels: Mapping[str, str] | None) -> str:
    """Return whose something with these labels is, in words."""
    labels = labels or {}
    if stack := labels.get(LABEL_STACK):
        return f"of the stack {stack}"
    if project := labels.get(_COMPOSE):
        return f"of the compose project {project}"
    return "no label says whose"


def check(stack: str, services: Mapping[str, Any], state: Mapping[str, Any]) -> Check:
    """Find containers, volumes and networks of our names that are not ours.

    Args:
        stack: the stack's name.
        services: whatever of it has a container, by name.
        state: what `engine.read_state` returns.
    """
    foreign = [
        f"container {services[name]['container']} ({owner(have.get('config', {}).get('labels'))})"
        for name, have in state.get("services", {}).items()
        if name in services and have.get("exists") and not have.get("ours")
    ]
    foreign += [
        f"volume {name} ({owner(have['labels'])})"
        for name, have in state.get("volumes", {}).items()
        if have["exists"] and not have["ours"]
    ]
    network = state.get("network", {})
    foreign += [f"network {stack}"] if network.get("exists") and not network.get("ours") else []
    return Check(
        "ownership",
        "Names",
        FAIL if foreign else PASS,
        f"not made by the stack {stack}: {', '.join(foreign)}" if foreign else "free, or made by this stack",
        f"nothing of that name without the label {LABEL_STACK}={stack}",
        "choose another stack_name: Ready leaves what is not its own untouched, and so may you" if foreign else "",
    )
