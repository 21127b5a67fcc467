# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image of real clients, built as the services' images are: from packages, by the host's own settings."""

from __future__ import annotations

import docker
from ready.images.build import Builder
from ready.images.recipe import BASE, image_reference, read_recipe, recipe_hash

from tests.names import ROOT

NAME = "clients"
RECIPE = ROOT / "tests" / "clients" / "image"


def built(client: docker.DockerClient) -> str:
    """Return the reference of the image, built where it is missing."""
    own = {f"{NAME}/{path.name}": path.read_bytes() for path in RECIPE.iterdir()}
    files = read_recipe(ROOT / "images", BASE) | own
    recipe = recipe_hash(files, NAME)
    builder = Builder(client, files, "localhost", print)
    version = "test"
    found = builder.find(image_reference(NAME, version, recipe), recipe) or builder.build(NAME, version)
    return str(found["ref"])
