# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What backup, drill and restore found, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.backups import service_states  # Ansible offers module_utils to modules alone
from ready.backups.data_services import with_data
from ready.host import restore_journal


def ready_service_notices(state: Mapping[str, Any], stack: Mapping[str, Any]) -> list[str]:
    """Return what is shown before a run: what differs from the inventory of services with data, what is starting."""
    return service_states.notices(state, stack, with_data(stack))


class FilterModule:
    """Ready's filters over backups."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_service_notices": ready_service_notices,
            "ready_interrupted_restore": lambda state: f"{restore_journal.fault(state)}. Next: {restore_journal.NEXT}",
        }
