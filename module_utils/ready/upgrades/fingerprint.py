# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a store holds, as figures that must be the same before and after an upgrade."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..registry import table

if TYPE_CHECKING:
    from docker.models.containers import Container

    from ..common.lazy_table import Lazily

#: Service -> what reads its figures.
FINGERPRINTS: Lazily[Callable[[Container, Mapping[str, Any]], dict[str, Any]]] = table("fingerprint")


def read(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return figure -> value of what a running store holds; {} for a service that keeps nothing. Raises EngineError."""
    reader = FINGERPRINTS.get(service["name"])
    return reader(container, service) if reader else {}


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return a line per figure that is not what it was."""
    return [
        f"{name}: found {after.get(name, 'none')}, expected {before.get(name, 'none')}"
        for name in [*before, *(name for name in after if name not in before)]
        if before.get(name) != after.get(name)
    ]
