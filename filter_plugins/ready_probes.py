# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has of what `up` leaves there, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.host import installed  # Ansible offers module_utils to modules alone
from ready.stack import schedules  # Ansible offers module_utils to modules alone


class FilterModule:
    """Filters over what `up` leaves on a host."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_installed": installed.installation_is_complete,
            "ready_concerned": schedules.is_concerned,
            "ready_scheduled": schedules.is_complete,
        }
