# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions about a stack, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready import ownership  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.container import containers  # noqa: E402
from ready.plan import bound_sources, images_in_use, make_plan, needs_image, settled  # noqa: E402
from ready.removal import prunable, removal  # noqa: E402
from ready.status import health_results, kept_lines, kept_volumes, status_rows  # noqa: E402
from ready.unhealthy import trial_message, trial_undecided, unhealthy_message  # noqa: E402


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


def ready_prunable(
    info: Mapping[str, Any],
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    kept: bool = False,
    recorded: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what `prune` removes; the recipes are those of this checkout."""
    recipes = [path.parent.name for path in (ROOT / "images").glob("*/Containerfile")]
    return prunable(info, stack, state, kept, recipes=recipes, recorded=recorded)


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
            "ready_foreign": ownership.foreign,
            "ready_foreign_words": ownership.words,
            "ready_refusal": ownership.refusal,
            "ready_removal": removal,
            "ready_prunable": ready_prunable,
            "ready_kept_lines": kept_lines,
            "ready_kept_volumes": kept_volumes,
            "ready_status_rows": status_rows,
            "ready_trial_message": trial_message,
            "ready_trial_undecided": trial_undecided,
            "ready_unhealthy_message": unhealthy_message,
        }
