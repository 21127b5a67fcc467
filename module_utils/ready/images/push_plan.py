# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what `images push` pushes and under which names. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.labels import LABEL_ENGINE
from ..docker.own_images import LABEL_IMAGE, LABEL_RECIPE
from ..stack.image_names import mirrored_repository, published_name, stack_images
from .recipe import image_reference


def _have(state: Mapping[str, Any], image: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the image that the first container which runs from one that is still there has; {} without one."""
    found = (state["services"].get(user, {}).get("image") or {} for user in image["users"])
    return next((have for have in found if have.get("present")), {})


def _name(definition: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[str, str] | None:
    """Return repository and tag, without the registry, by which other hosts ask for an image; None if by its own name.

    Args:
        definition: the service's `image`.
        labels: those of the image that runs.
    """
    if recipe := labels.get(LABEL_RECIPE):
        line = str(definition["version"])
        engine = labels.get(LABEL_ENGINE, line)
        # A container keeps an image of another release line until somebody upgrades it.
        version = line if f"{engine}.".startswith(f"{line}.") else engine
        return published_name(image_reference(labels[LABEL_IMAGE], version, recipe))
    if definition.get("override") or not definition.get("repository"):
        return None
    return str(definition["repository"]), str(definition["tag"])


def to_push(stack: Mapping[str, Any], state: Mapping[str, Any], mirror: str) -> dict[str, dict[str, str]]:
    """Return image -> {id, repository, tag}: what a stack runs from, and what the mirror is to have it as."""
    found = {}
    for name, image in stack_images(stack).items():
        have = _have(state, image)
        named = _name(image["image"], have.get("labels") or {})
        if have and named:
            found[name] = {"id": str(have["id"]), "repository": mirrored_repository(named[0], mirror), "tag": named[1]}
    return found


def push_fault(stack: Mapping[str, Any], state: Mapping[str, Any], mirror: str) -> str:
    """Return why nothing can be pushed, "" if it can."""
    if not mirror:
        return (
            "container_images_registry_mirror: found none, expected the site's registry to push to. Next: set it in "
            "the inventory, such as mirror.example:5000"
        )
    if absent := [name for name, image in stack_images(stack).items() if not _have(state, image)]:
        return f"no image is in use of {', '.join(absent)}. Next: ./ready up, then push"
    return ""


def push_lines(
    pushed: Mapping[str, Mapping[str, str]],
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    mirror: str,
    lock: Mapping[str, Mapping[str, Any]],
    recipes: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Return a line per image, and what must be done so that other hosts take it.

    Args:
        pushed: what library/image_push.py returned.
        stack: the resolved stack.
        state: its state.
        mirror: the site's registry.
        lock: the image lock.
        recipes: image -> {ref} of what this version of Ready builds.
    """
    words = {"pushed": "pushed", "replaced": "pushed, in place of another image", "unchanged": "is there already"}
    wanted, shown = to_push(stack, state, mirror), []
    for name, image in stack_images(stack).items():
        if name not in pushed:
            shown.append(f"{name}: not pushed: other hosts ask for {image['image'].get('override')} by that name")
            continue
        its, target = pushed[name], wanted[name]
        shown.append(f"{name}: {target['repository']}:{target['tag']}: {words[its['action']]} {its['digest']}".rstrip())
        labels = _have(state, image).get("labels") or {}
        own = published_name(recipes[name]["ref"])[1] if name in recipes else target["tag"]
        if LABEL_RECIPE in labels and own != target["tag"]:
            shown.append(
                f"{name}: this version of Ready asks for {own}, the container runs an older one. "
                "Next: ./ready up --rebuild, then push"
            )
        locked = lock.get(name, {})
        if locked and its["digest"] not in ("", locked.get("digest")):
            shown.append(
                f"{name}: the image lock says {locked.get('digest')}. Next: ./ready images lock, and review it"
            )
    return shown
