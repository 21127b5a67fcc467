# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say after a rotation which applications need new settings, and whose key stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..stack.gateway_files import overlaps


def lines(stack: Mapping[str, Any], services: Sequence[str], ends: Mapping[str, int], host: str) -> list[str]:
    """Return a line on the services with new passwords, and one on those whose provider makes the key.

    Args:
        stack: the resolved stack.
        services: names of those that were asked for; all of them when there is none.
        ends: service -> until when its old keys are valid, in seconds since 1970.
        host: the inventory's name of the host.
    """
    named = list(dict.fromkeys(services or [*stack["services"], *stack["external"]]))
    left = [name for name in named if name in stack["external"]]
    rotated = [name for name in named if name not in left]
    found = [
        f"{host}: the passwords of {', '.join(rotated)} are new: applications need new settings. Next: ./ready env "
        f"--secrets --output FILE, then restart them{overlaps(ends, rotated)}"
    ]
    if left:
        found.append(
            f"{host}: the key of {', '.join(left)} stays: its provider makes it. Next: ./ready secrets set --service "
            f"{left[0]} takes a new one"
        )
    return found
