"""The images that this checkout builds, by their exact names.

A list of all images of a kind has those of other tests too, derived from these, and Docker's client fails where one of
a list is removed before it was looked at.
"""

from __future__ import annotations

from functools import cache

from ready.images.recipe import image_reference, read_recipe, recipe_hash
from ready.stack.definitions import load_definitions

from tests.names import ROOT


@cache
def image_of(service: str, line: str = "") -> str:
    """Return the reference of a service's image, of the release line that is the default unless another is named."""
    line = line or str(load_definitions()[service]["image"]["version"])
    return image_reference(service, line, recipe_hash(read_recipe(ROOT / "images", service, line), service))
