# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find whose it is that has a name of the stack without its label. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.finding import Finding
from ..common.labels import LABEL_STACK
from ..common.verdict import FAIL, PASS

_COMPOSE = "com.docker.compose.project"


def owner_in_labels(labels: Mapping[str, str] | None) -> str:
    """Return whose something with these labels is, in words."""
    labels = labels or {}
    if stack := labels.get(LABEL_STACK):
        return f"of the stack {stack}"
    if project := labels.get(_COMPOSE):
        return f"of the compose project {project}"
    return "no label says whose"


def check_ownership(stack: str, services: Mapping[str, Any], state: Mapping[str, Any]) -> Finding:
    """Find containers, volumes and networks of our names that are not ours.

    Args:
        stack: the stack's name.
        services: whatever of it has a container, by name.
        state: what `state.read_state` returns.
    """
    foreign = [
        f"container {services[name]['container']} ({owner_in_labels(have.get('config', {}).get('labels'))})"
        for name, have in state.get("services", {}).items()
        if name in services and have.get("exists") and not have.get("ours")
    ]
    foreign += [
        f"volume {name} ({owner_in_labels(have['labels'])})"
        for name, have in state.get("volumes", {}).items()
        if have["exists"] and not have["ours"]
    ]
    network = state.get("network", {})
    foreign += [f"network {stack}"] if network.get("exists") and not network.get("ours") else []
    return Finding(
        "ownership",
        "Names",
        FAIL if foreign else PASS,
        f"not made by the stack {stack}: {', '.join(foreign)}" if foreign else "free, or made by this stack",
        f"nothing of that name without the label {LABEL_STACK}={stack}",
        "choose another stack_name: Ready leaves what is not its own untouched, and so may you" if foreign else "",
    )
