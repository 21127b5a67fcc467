# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make ready-test/debian:SUITE, a Debian with nothing installed (no Python), unless it is there already.

No image registry is asked: debootstrap makes it from the package source that this machine's apt uses, and that
source, apt's proxy and its other Acquire settings go into the image, so that apt works inside as it does outside.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import docker

REPOSITORY = "ready-test/debian"


def sources(suite: str, lists: list[str]) -> tuple[str, str]:
    """Return the mirror and a sources.list for a suite, from the texts of this machine's own apt sources."""
    main = security = ""
    for text in lists:
        uris = re.findall(r"^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(\S+)", text, re.MULTILINE)
        main = next((uri for uri in uris if uri.rstrip("/").endswith("/debian")), main)
        security = next((uri for uri in uris if uri.rstrip("/").endswith("/debian-security")), security)
    if not main:
        sys.exit("No Debian package source was found in /etc/apt; expected one that ends in /debian.")
    rows = [f"deb {main} {suite} main", f"deb {main} {suite}-updates main"]
    if security:
        rows.append(f"deb {security} {suite}-security main")
    return main, "\n".join(rows) + "\n"


def run(*command: str, text: str | None = None) -> str:
    """Run a command as root and return what it printed. Raises CalledProcessError."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    done = subprocess.run([*sudo, *command], check=True, input=text, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return done.stdout


def make(client: docker.DockerClient, suite: str) -> None:
    """Make and import the image. Raises CalledProcessError."""
    if not Path("/usr/sbin/debootstrap").exists():
        run("apt-get", "update", "-q")
        run("apt-get", "install", "-qy", "--no-install-recommends", "debootstrap")
    etc = Path("/etc/apt")
    files = [path for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))] if path.is_file()]
    mirror, listing = sources(suite, [path.read_text() for path in files])
    settings = [line for line in run("apt-config", "dump", "Acquire").splitlines() if "IndexTargets" not in line]
    with tempfile.TemporaryDirectory(prefix="ready-debian-") as directory:
        root, archive = f"{directory}/root", f"{directory}/root.tar"
        run("/usr/sbin/debootstrap", "--variant=minbase", suite, root, mirror)
        run("tee", f"{root}/etc/apt/sources.list", text=listing)
        run("tee", f"{root}/etc/apt/apt.conf.d/90host", text="\n".join(settings) + "\n")
        run("tar", "-C", root, "--exclude=./var/cache/apt/archives/*.deb", "-cf", archive, ".")
        client.api.import_image_from_file(archive, repository=REPOSITORY, tag=suite)
        run("rm", "-rf", "--", root)  # root's, when sudo made it


def main() -> None:
    """Make what the command line names."""
    suite = sys.argv[1]
    client = docker.from_env(timeout=300)
    if client.images.list(name=f"{REPOSITORY}:{suite}"):
        print(f"{REPOSITORY}:{suite} is here")
        return
    make(client, suite)
    print(f"{REPOSITORY}:{suite} made")


if __name__ == "__main__":
    main()
