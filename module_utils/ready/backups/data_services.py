# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Name the services that keep data, and the classes that dump and load them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..registry import table
from ..stack.resolved import data_volumes

if TYPE_CHECKING:
    from ..common.lazy_table import Lazily
    from .base import Dump, Load

DUMPS: Lazily[type[Dump]] = table("dump")
LOADS: Lazily[type[Load]] = table("load")


def with_data(stack: Mapping[str, Any]) -> list[str]:
    """Return the services of a resolved stack that keep data; `up` makes the others from the inventory."""
    return [name for name, service in stack["services"].items() if data_volumes(service)]
