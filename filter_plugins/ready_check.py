# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `check` found, as filters: the result of each part, and of the whole."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.checks.report import why_unchecked  # Ansible offers module_utils to modules alone
from ready.common.verdict import worst


class FilterModule:
    """Ready's filters over what a check found."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_missing": why_unchecked,
            "ready_worst": worst,
        }
