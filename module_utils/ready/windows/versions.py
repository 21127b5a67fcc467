# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Versions, and which releases are known to be bad."""

from __future__ import annotations

#: Docker Desktop releases that cannot be installed unattended -> why. Sources: docker/for-win#14838 and #14854,
#: docker/desktop-feedback#404.
BAD_DOCKER_DESKTOP = {
    "4.42.0": "its installer crashes in ExistingInstallation.FromRegistry; fixed in 4.43.0",
    "4.42.1": "its installer crashes in ExistingInstallation.FromRegistry; fixed in 4.43.0",
    "4.74.0": "its silent installation is broken; fixed in 4.76",
    "4.75.0": "its silent installation is broken; fixed in 4.76",
}


def parts(version: str | None) -> tuple[int, ...]:
    """Return a version's numbers, without zeros at the end: 2.6.1.0 is 2.6.1. Nothing is less than everything."""
    numbers: list[int] = []
    for word in (version or "").split("."):
        digits = "".join(char for char in word if char.isdigit())
        if not digits:
            break
        numbers.append(int(digits))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def older(version: str | None, than: str) -> bool:
    """Return whether a version is older than another; none at all is."""
    return parts(version) < parts(than)


def bad_docker_desktop(version: str) -> str:
    """Return why a release of Docker Desktop is refused, "" when it is not."""
    return next((why for bad, why in BAD_DOCKER_DESKTOP.items() if parts(bad) == parts(version)), "")
