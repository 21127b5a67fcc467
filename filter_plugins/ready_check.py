# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `check` found, as filters: each part judged, and all of them put together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready import evidence  # Ansible offers module_utils to modules alone
from ready.checking import combine, drift_part, health_part
from ready.status import checked, still_shows


def ready_health(stack: Mapping[str, Any], state: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part `health`."""
    return health_part(stack, state, asked).as_data()


def ready_drift(stack: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part `drift`."""
    return drift_part(stack, state).as_data()


def ready_evidence(stack: Mapping[str, Any], host: str, name: str) -> dict[str, Any]:
    """Return the results of the stack's earlier evidence of that name, {} when there is none that may be believed."""
    try:
        path = evidence.path_of(Path(stack["evidence_dir"]), stack["name"], host, name)
        return dict(evidence.read(path).evidence["results"])
    except evidence.EvidenceError:
        return {}


class FilterModule:
    """Ready's filters over what a check found."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_health": ready_health,
            "ready_drift": ready_drift,
            "ready_combine": combine,
            "ready_evidence": ready_evidence,
            "ready_checked": checked,
            "ready_still_shows": still_shows,
        }
