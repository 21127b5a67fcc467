# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tasks ask about images, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.docker.plan import needs_image
from ready.images.choice_results import build_fault  # Ansible offers module_utils to modules alone
from ready.stack.image_names import stack_images


def unheld(
    stack: Mapping[str, Any], state: Mapping[str, Any], known: Mapping[str, Any], rebuild: bool = False
) -> list[str]:
    """Return the images that must be found, are not known yet, and that no public registry holds."""
    images = stack_images(stack)
    return [
        name
        for name in needs_image(stack, state, rebuild)
        if name not in known and not (images[name]["image"].get("repository") or images[name]["image"].get("override"))
    ]


class FilterModule:
    """Ready's filters over images."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_images_of_stack": stack_images,
            "ready_images_unheld": unheld,
            "ready_images_build_fault": build_fault,
        }
