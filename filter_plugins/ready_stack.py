# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions about a stack, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.container import containers  # Ansible offers module_utils to modules alone
from ready.plan import bound_sources, images_in_use, make_plan, needs_image, settled
from ready.removal import prunable, removal
from ready.status import health_results, kept_lines, kept_volumes, status_rows, unhealthy_message


def ready_plan(
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    images: Mapping[str, Any] | None = None,
    only: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return what `up` has to do; `images` are newly found ones, the rest keep their own."""
    return make_plan(stack, state, images_in_use(stack, state, images or {}), only)


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
            "ready_plan": ready_plan,
            "ready_settled": settled,
            "ready_needs_image": needs_image,
            "ready_bound_sources": bound_sources,
            "ready_images_in_use": images_in_use,
            "ready_health_results": health_results,
            "ready_removal": removal,
            "ready_prunable": prunable,
            "ready_kept_lines": kept_lines,
            "ready_kept_volumes": kept_volumes,
            "ready_status_rows": status_rows,
            "ready_unhealthy_message": unhealthy_message,
        }
