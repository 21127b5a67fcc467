# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which images a stack needs and how registries name them. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .backends import CONTAINER, offered
from .resolved import containers

#: What a site's registry has built images below. Three parts: Docker's public registry has no such names, so a mirror
#: that passes on what it lacks can't bring back somebody else's image.
PUBLISHED = "ready/built"


def stack_images(stack: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return name -> {image, users, without} of every image that a container of a resolved stack runs from.

    The name is the one of the recipe in images/, and of the service that the image is defined for, which a stack need
    not have: a sidecar may run it. `image` is as in a definition; `users` are the names of the containers that keep it,
    a service before sidecars; a sidecar with its service's image follows that one, and keeps none. `without` is the
    setting of the inventory with which the stack does without them, "" where none is.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, its in containers(stack).items():
        image = image_name(name, its)
        if image == its.get("of"):
            continue
        entry = found.setdefault(image, {"image": its["image"], "users": []})
        entry["users"].append(name)
        entry.setdefault("without", _without(stack["services"].get(its.get("of", name), its)))
    return found


def image_name(name: str, its: Mapping[str, Any]) -> str:
    """Return the name of the image that a container of a resolved stack runs from."""
    return str(its.get("image_of", name))


def _without(service: Mapping[str, Any]) -> str:
    """Return the setting with which a stack has no container of a service: what it offers beside one."""
    others = [value for value, its in offered(service).items() if its["kind"] != CONTAINER]
    return f"{service['name']}_backend: {' or '.join(others)}" if others else ""


def mirrored_repository(repository: str, mirror: str) -> str:
    """Return the repository at a mirror: docker.io/library/redis at 127.0.0.1:5055 is 127.0.0.1:5055/library/redis."""
    if not mirror:
        return repository
    host, _, path = repository.partition("/")
    return f"{mirror}/{path if '.' in host or ':' in host or host == 'localhost' else repository}"


def published_name(ref: str) -> tuple[str, str]:
    """Return repository and tag of a built image at a site's registry: of ready/ai:1-abc, ready/built/ai and 1-abc."""
    repository, _, tag = ref.rpartition(":")
    return f"{PUBLISHED}/{repository.rpartition('/')[2]}", tag
