# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of a check, as `check --only` names them."""

from __future__ import annotations

#: In the order in which they are reported; `latency` last, for it is measured when nothing else runs.
PARTS = ("health", "drift", "security", "network", "latency")
#: Those that ask the services themselves, where these run; drift is read from Docker.
ASKED_PARTS = tuple(part for part in PARTS if part != "drift")
