# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""List what this checkout builds: recipes, and the images that only verbs need. Controller only."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..common.paths import ROOT
from ..stack.image_names import mirrored_repository, published_name, stack_images
from .build_settings import SUITE
from .job_images import TOOLS, tool_images
from .recipe import BASE, image_reference, read_recipe, recipe_hash, suite_of

IMAGES = ROOT / "images"


def known(stack: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the images that may be obtained: the stack's, and those that only verbs need."""
    return stack_images(stack) | tool_images(TOOLS)


def recipes(images: Mapping[str, Any], names: Sequence[str], refresh: bool = False) -> dict[str, dict[str, Any]]:
    """Return image, and base, -> {ref, recipe, rebuild, suite, pip} of what a build makes; nothing without a recipe.

    `suite` is the Debian release that it needs packages of, `pip` whether it needs Python's.

    Args:
        images: those of the stack.
        names: those that are needed.
        refresh: whether images are to be built with today's packages though their images are there.
    """
    found = {}
    for name, version, rebuild in [
        (BASE, SUITE, False),
        *((name, str(images[name]["image"]["version"]), refresh) for name in names),
    ]:
        with contextlib.suppress(FileNotFoundError):
            files = read_recipe(IMAGES, name, version)
            recipe = recipe_hash(files, name)
            found[name] = {
                "ref": image_reference(name, version, recipe),
                "recipe": recipe,
                "rebuild": rebuild,
                "suite": suite_of(files, name),
                "pip": any(path.startswith(f"{name}/requirements") for path in files),
            }
    return found


def of_verbs(stack: Mapping[str, Any]) -> list[str]:
    """Return the names of the images that only verbs need, as this checkout builds them."""
    return [its["ref"] for name, its in recipes(known(stack), list(TOOLS)).items() if name != BASE]


def tools(found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return image -> {ref, id, source, data_format, engine_version} of those that are there, for archives.

    Args:
        found: what docker_image_info found of `of_verbs`.
    """
    refs = {its["ref"]: name for name, its in recipes(tool_images(TOOLS), list(TOOLS)).items() if name != BASE}
    return {
        refs[ref]: {
            "ref": ref,
            "id": image["Id"],
            "source": "build",
            "data_format": "none",
            "engine_version": TOOLS[refs[ref]],
        }
        for image in found
        for ref in image.get("RepoTags") or []
        if ref in refs
    }


def tools_to_push(there: Mapping[str, Mapping[str, Any]], mirror: str) -> dict[str, dict[str, str]]:
    """Return image -> {id, repository, tag}, as `push_plan.to_push` does of the stack's."""
    return {
        name: {"id": str(its["id"]), "repository": mirrored_repository(repository, mirror), "tag": tag}
        for name, its in there.items()
        for repository, tag in [published_name(str(its["ref"]))]
    }
