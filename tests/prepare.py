# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make one of the things that tests stand on, unless it is there: `python -m tests.prepare packages|debian|image …`.

Each is a step of its own, so that it is made beside tests that do not need it. tests/prepare.yml comes first: Docker
and the usual images.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import docker
from ready.definitions import load_definitions
from ready.imagebuild import BUILD_TIMEOUT, Builder
from ready.imagerecipe import read_recipe, recipe_hash, reference

from tests.packages import PACKAGES, install
from tests.simulator.distro import make_image

ROOT = Path(__file__).resolve().parents[1]
#: Test hosts with nothing installed: molecule/docker_engine.
DEBIAN = ("bookworm", "trixie")


def debian() -> None:
    """Make the images of Debian hosts with nothing installed, and that of a WSL distro."""
    for suite in DEBIAN:
        subprocess.run([sys.executable, ROOT / ".config/molecule/debian_image.py", suite], check=True)
    make_image()


def image(name: str, line: str) -> None:
    """Build the image of another release line, as `up` and `upgrade` do where no registry is reached."""
    client = docker.from_env(timeout=BUILD_TIMEOUT)
    files = read_recipe(ROOT / "images", name, line)
    recipe = recipe_hash(files, name)
    builder = Builder(client, files, "localhost", print)
    if not builder.find(reference(name, line, recipe), recipe):
        builder.build(name, line, load_definitions()[name]["image"].get("version_command"))


if __name__ == "__main__":
    kind, *words = sys.argv[1:]
    if kind == "image":
        image(*words)
    else:
        {"packages": lambda: install(*PACKAGES), "debian": debian}[kind]()
