# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an upgrade needs, and what it has shown, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.upgrades import plan  # Ansible offers module_utils to modules alone


class FilterModule:
    """Ready's filters over an upgrade."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_upgrade_outcome": plan.outcome,
            "ready_with_backup": plan.with_backup,
        }
