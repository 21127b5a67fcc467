# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a host is busier than it was at a baseline. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

#: How many points above the baseline's make a host busier.
BUSIER = {"others_percent": 10.0, "stolen_percent": 5.0}
_BUSY_WORDS = {
    "others_percent": "processors used by others",
    "stolen_percent": "processors asked for and stolen by the hypervisor",
}


def busier(now: Mapping[str, float | None], then: Mapping[str, float | None]) -> str:
    """Return in what the host is busier than it was, "" where it is not; what either does not know says nothing."""
    return ", ".join(
        f"{_BUSY_WORDS[key]} {found:g} % ({before:g} % at the baseline)"
        for key, margin in BUSIER.items()
        if (found := now[key]) is not None and (before := then[key]) is not None and found > before + margin
    )
