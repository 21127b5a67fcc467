# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""List every service's connection."""

from __future__ import annotations

from ..registry import table
from .base import Connection

#: Service -> its connection. No driver is loaded by it.
CONNECTIONS: dict[str, Connection] = {name: make() for name, make in table("connection").items()}
