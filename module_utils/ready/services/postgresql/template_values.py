# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What PostgreSQL's files need beside its definition: the role that reads everything for a backup's proof."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...stack.accounts import READER


def postgresql_template_values(service: Mapping[str, Any], passwords: Mapping[str, str]) -> dict[str, Any]:
    """Return `reader`."""
    return {"reader": READER}
