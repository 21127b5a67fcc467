# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an attacker would try against each service, with its real driver. Runs where the services are."""

from __future__ import annotations

from ..common.lazy_table import Lazily
from ..registry import table
from .attempt import Attempt
from .probe import SecurityProbe

#: Service -> what is tried against it.
SECURITY_PROBES: Lazily[type[SecurityProbe]] = table("security_probe")

__all__ = ["SECURITY_PROBES", "Attempt", "SecurityProbe"]
