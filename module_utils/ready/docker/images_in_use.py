# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which image each container of a stack runs from. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.labels import LABEL_DATA_FORMAT, LABEL_ENGINE, LABEL_SOURCE
from ..stack.image_names import stack_images
from ..stack.resolved import containers, data_volumes
from .drift import other_image


def images_in_use(stack: Mapping[str, Any], state: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return image -> {ref, id, source, data_format, engine_version}: newly found ones, else a container's own.

    An image has the name of the service that it is defined for: `image_names.stack_images`.
    """
    images: dict[str, Any] = {}
    everything = containers(stack)
    for name, image in stack_images(stack).items():
        if name in found:
            images[name] = dict(found[name])
            continue
        users = [(everything[user], state["services"].get(user, {})) for user in image["users"]]
        users = [(its, have) for its, have in users if have.get("image")]
        if not users:
            continue
        service, have = next((user for user in users if kept_image(*user)), users[0])
        labels = have["image"].get("labels") or {}
        recorded: Mapping[str, str] = next(
            (
                state["volumes"][volume["name"]]["labels"]
                for volume in data_volumes(service)
                if state["volumes"].get(volume["name"], {}).get("labels")
            ),
            labels if data_volumes(service) else _of_itself(image["image"], labels),
        )
        images[name] = {
            "ref": have["image"]["ref"],
            "id": have["image"]["id"],
            "source": recorded.get(LABEL_SOURCE, "unknown"),
            "data_format": recorded.get(LABEL_DATA_FORMAT, "unknown"),
            "engine_version": recorded.get(LABEL_ENGINE, "unknown"),
        }
    return images


def _of_itself(image: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, str]:
    """Return what an image that keeps no data says of itself, with the data format that its definition gives it."""
    formats = image["data_format"]
    made = formats["build"] if labels.get(LABEL_SOURCE) == "build" else formats.get("registry", formats["build"])
    return {LABEL_DATA_FORMAT: str(made), **labels}


def kept_image(service: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Return whether a service, by its state, keeps the image that its container runs from."""
    if not (found.get("ours") and found.get("image", {}).get("present")) or other_image(found["config"]):
        return False
    override = service["image"]["override"]
    return override is None or found["image"]["ref"] == override
