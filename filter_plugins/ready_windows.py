# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What several roles for Windows need in a message or a condition, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.windows import shares, task_errors, wsl


class FilterModule:
    """Filters for Windows hosts."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_windows_schedules": lambda hostvars, host: wsl.schedules(host, hostvars),
            "ready_windows_share_fault": shares.fault,
            "ready_windows_cleaned": lambda result, secrets: task_errors.redacted_message(
                plain(result), plain(secrets)
            ),
        }
