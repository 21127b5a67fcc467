# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make what tests stand on, unless it is there: `python -m tests.prepare packages|debian|clients|image …`.

Each is a separate step, so that it is made beside tests that do not need it. tests/prepare.yml comes first: Docker
and the usual images.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import docker
from ready.images.build import BUILD_TIMEOUT

from tests.clients import image as clients
from tests.images.lab import built
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


if __name__ == "__main__":
    kind, *words = sys.argv[1:]
    if kind in {"image", "clients"}:
        client = docker.from_env(timeout=BUILD_TIMEOUT)
        built(client, *words) if kind == "image" else clients.built(client)
    else:
        {"packages": lambda: install(*PACKAGES), "debian": debian}[kind]()
