# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions about a stack's security, as a filter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.security import judge_security  # modules alone get module_utils


def ready_security(stack: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part `security` of a check: evidence, verdict, results, rows, next."""
    return asdict(judge_security(stack, found, datetime.now(timezone.utc).date()))


class FilterModule:
    """Ready's filter over what `stack_security` found out."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by name."""
        return {"ready_security": ready_security}
