# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resolve what runs beside a service, from services/sidecars/<name>.yml. Runs on the controller."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from ..common.units import parse_size
from .definitions import SERVICES_DIR, DefinitionError, flag, load_definitions, resolve_image
from .waivers import plain_waivers


@cache
def sidecar_definitions() -> Mapping[str, Mapping[str, Any]]:
    """Return every services/sidecars/<name>.yml by name."""
    return load_definitions(SERVICES_DIR / "sidecars")


def switchable_sidecars() -> dict[str, str]:
    """Return sidecar -> the variable that asks for it; one without a variable is always with its service."""
    return {name: its["asked_by"] for name, its in sidecar_definitions().items() if "asked_by" in its}


def with_sidecars(services: Iterable[str]) -> set[str]:
    """Return services and what is always beside them."""
    named = set(services)
    return named | {name for name, its in sidecar_definitions().items() if its["of"] in named and "asked_by" not in its}


def _is_wanted(its: Mapping[str, Any], services: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
    """Return whether the stack has this sidecar. Raises DefinitionError when it can't have what is asked for."""
    if not (variable := its.get("asked_by")):
        return its["of"] in services
    try:
        wanted = flag(variable, variables.get(variable, False))
    except ValueError as error:
        raise DefinitionError([str(error)]) from error
    if wanted and its["of"] not in services:
        raise DefinitionError([f"{variable}: found true without {its['of']} in ready_services, expected both"])
    return wanted


def _behind(fronts: Mapping[str, Any]) -> list[int]:
    """Return the ports of its service that a sidecar connects to."""
    return sorted({fronts["health"]["port"], *(route["port"] for route in fronts["routes"])})


def resolve_sidecars(
    definitions: Mapping[str, Mapping[str, Any]],
    services: Mapping[str, dict[str, Any]],
    variables: Mapping[str, Any],
    stack: str,
) -> dict[str, dict[str, Any]]:
    """Return the sidecars of a stack by name, in the form of a resolved service.

    A service whose ports a sidecar publishes gets the key `front`: that sidecar's {name, container}, and the `ports`
    on which the service itself listens, inside the stack's network.

    Args:
        definitions: those of the services: a sidecar may run the image of one that the stack does not have.
        services: the resolved services.
        variables: the inventory's.
        stack: the stack's name.

    Raises:
        DefinitionError: what is asked for has no service, or a variable does not fit.
    """
    sidecars: dict[str, dict[str, Any]] = {}
    for name, definition in sidecar_definitions().items():
        if not _is_wanted(definition, services, variables):
            continue
        its = copy.deepcopy(dict(definition))
        main, image_of = services[its["of"]], its.setdefault("image_of", its["of"])
        owner = services.get(image_of)
        its["limits"]["memory"] = parse_size(its["limits"]["memory"])
        for volume in its["volumes"]:
            volume["name"] = f"{stack}_{volume['name']}"
        its["waivers"], _ = plain_waivers(name, its["waivers"])
        its |= {mine: copy.deepcopy(main[key]) for mine, key in its.get("takes", {}).items()}
        its |= {
            "image": owner["image"] if owner else resolve_image(definitions[image_of], variables),
            "with_tls": bool(main["tls"]["enabled"]),
            "container": f"{stack}-{name}",
            "config_volume": f"{stack}_{name}_config",
        }
        if "account" in its:
            its["login"] = main["accounts"][its["account"]]["login"]
        if its.get("publishes"):
            its["ports"] = copy.deepcopy(main["ports"])
            main["front"] = {"name": name, "container": its["container"], "ports": _behind(its["fronts"])}
        sidecars[name] = its
    return sidecars
