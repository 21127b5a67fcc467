# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A class per service that asks it about its data, with its real driver. Runs where the services are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry import table

if TYPE_CHECKING:
    from ..common.lazy_table import Lazily
    from .probe import Probe

#: Service -> its class.
PROBES: Lazily[type[Probe]] = table("probe")
