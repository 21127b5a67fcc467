# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what stands behind a service: a container of the stack, an external server, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONTAINER, EXTERNAL, NONE = KINDS = ("container", "external", "none")
#: What a definition without the key `backends` offers.
_ALONE = {"container": {"kind": CONTAINER, "title": "container"}}


def offered(definition: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """Return the values that <name>_backend may have, each with its kind, one of KINDS, and its title in words."""
    found: Mapping[str, Mapping[str, str]] = definition.get("backends", _ALONE)
    return found


def fault(definition: Mapping[str, Any], found: Any) -> str | None:
    """Return what is wrong with a value of <name>_backend, if anything."""
    name, fitting = definition["name"], offered(definition)
    if str(found) in fitting:
        return None
    later = f"; {found} is not yet offered for {name}" if found in KINDS else ""
    return f"{name}_backend: found {found}, expected {' or '.join(fitting)}{later}"


def kind(service: Mapping[str, Any]) -> str:
    """Return the kind of what stands behind a service whose backend fits: one of KINDS."""
    return offered(service)[service["backend"]]["kind"]


def checked_services(stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return name -> the services of a resolved stack that are asked for an answer, whoever runs them."""
    return {**stack["services"], **stack.get("external", {})}


def backend_title(service: Mapping[str, Any]) -> str:
    """Return in words what serves a service."""
    return offered(service)[service["backend"]]["title"]


def backend_evidence(service: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return {backend: {name, title}} of a service that several things may serve, {} of every other.

    Of an external one it has `endpoint` as well, the address, and `models`, the names that are asked for.
    """
    if "backends" not in service:
        return {}
    found: dict[str, Any] = {"name": service["backend"], "title": backend_title(service)}
    if kind(service) == EXTERNAL:
        found |= {"endpoint": service["base_url"], "models": [its["name"] for its in service["models"].values()]}
    return {"backend": found}
