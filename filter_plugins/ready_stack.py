# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions about a stack, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.docker.plan import bound_sources, needs_image, settled
from ready.stack import ownership  # Ansible offers module_utils to modules alone
from ready.stack.resolved import containers


def ready_containers(stack: Mapping[str, Any], only: Sequence[str] = ()) -> dict[str, Any]:
    """Return services and sidecars, all or those named with their sidecars, by name."""
    known = containers(stack)
    if strange := [name for name in only if name not in known]:
        raise AnsibleFilterError(f"--service: found {', '.join(strange)}, expected some of {', '.join(known)}")
    return containers(stack, only)


class FilterModule:
    """Ready's filters over a stack, its state and its images."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_containers": ready_containers,
            "ready_settled": settled,
            "ready_needs_image": needs_image,
            "ready_bound_sources": bound_sources,
            "ready_foreign": ownership.foreign_text,
            "ready_refusal": ownership.refusal,
        }
