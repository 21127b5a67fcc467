# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which images of a host Ready made and nobody uses. Pure functions.

The label alone does not say it: an image that somebody builds FROM one of ours inherits it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

LABEL_IMAGE = "io.ready.image"
LABEL_RECIPE = "io.ready.recipe"
_NONE = "<none>"


def _repository(name: str) -> str:
    """Return the repository of repository:tag or repository@digest; the registry may have a port."""
    repository = name.partition("@")[0]
    head, colon, tag = repository.rpartition(":")
    return head if colon and "/" not in tag else repository


def _names(image: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return an image's tags, and the digests by which a repository without a tag here names it."""
    tags = [tag for tag in image.get("RepoTags") or [] if _NONE not in tag]
    tagged = {_repository(tag) for tag in tags}
    digests = [each for each in image.get("RepoDigests") or [] if _NONE not in each]
    return tags, [each for each in digests if _repository(each) not in tagged]


def _layers(image: Mapping[str, Any]) -> list[str]:
    """Return an image's layers, the lowest first; one FROM scratch may have none."""
    return list((image.get("RootFS") or {}).get("Layers") or [])


def _stands_on(image: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether an image begins with all layers of another one."""
    layers, below = _layers(image), _layers(other)
    return image["Id"] != other["Id"] and bool(below) and layers[: len(below)] == below


def unused_images(
    images: Sequence[Mapping[str, Any]], used: Collection[str], recipes: Collection[str], recorded: Collection[str]
) -> list[dict[str, Any]]:
    """Return {id, name, size, remove, stays} of each image of ours that nothing needs.

    Ours has our label and either is recorded on this host, or its repository is `ready/<recipe>`. `remove` are its
    names, or its id where it has none; `stays` are the names that keep it, "" when it goes. One that a container uses,
    or that an image stands on which stays, is not among them.

    Args:
        images: all images of the host, as `docker image inspect` shows them.
        used: ids of images that containers use.
        recipes: names below images/.
        recorded: ids of images that were built or loaded on this host.
    """
    ours = {f"ready/{recipe}" for recipe in recipes}
    found = []
    for image in images:
        tags, digests = _names(image)
        own = [tag for tag in tags if _repository(tag) in ours]
        foreign = [name for name in tags + digests if _repository(name) not in ours]
        labelled = LABEL_IMAGE in ((image.get("Config") or {}).get("Labels") or {})
        if labelled and image["Id"] not in used and (own or image["Id"] in recorded):
            found.append(
                {
                    "id": image["Id"],
                    "name": (own or foreign or [image["Id"][7:19]])[0],
                    "size": image["Size"],
                    "remove": own or [image["Id"]],
                    "stays": ", ".join(foreign),
                }
            )
    going = {each["id"] for each in found if not each["stays"]}
    staying = [image for image in images if image["Id"] not in going]
    needed = {image["Id"] for image in images if any(_stands_on(other, image) for other in staying)}
    return [each for each in found if each["id"] not in needed or each["stays"]]
