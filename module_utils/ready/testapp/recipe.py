# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image of an application's tests: a layer with what it needs, over the image with the Kailash packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..images.recipe import BASE, read_recipe
from .required_packages import Wanted

NAME, TAG = "testapp", "1"


def recipe(images: Path, image: str, wanted: Wanted) -> Mapping[str, bytes]:
    """Return the files that the image is built from; another text of requirements, or another image, is another one.

    Args:
        images: the directory `images`.
        image: the name of the image with the Kailash packages.
        wanted: what is put over it.
    """
    files = {path: content for path, content in read_recipe(images, NAME).items() if path.startswith(f"{BASE}/")}
    text = (images / NAME / "Containerfile").read_text(encoding="utf-8").replace("FROM KAILASH", f"FROM {image}")
    files[f"{NAME}/Containerfile"] = text.encode()
    files[f"{NAME}/requirements.txt"] = _text(wanted.packages)
    files[f"{NAME}/constraints.txt"] = _text(wanted.constraints)
    return files


def _text(lines: tuple[str, ...]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def runner(images: Path) -> dict[str, str]:
    """Return the files of what runs in the container, by name. They are copied in, and are no part of an image."""
    return {
        path.name: path.read_text(encoding="utf-8") for path in sorted((images / NAME / "ready_testapp").glob("*.py"))
    }
