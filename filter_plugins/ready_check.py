# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `check` found, as filters: each part judged, and all of them put together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready import evidence  # Ansible offers module_utils to modules alone
from ready.checking import combine, drift_part, health_part, to_verify
from ready.latency import judge_latency
from ready.network import judge_network
from ready.security import judge_security
from ready.status import still_shows


def ready_check(
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    answers: Mapping[str, Mapping[str, Any]],
    only: Collection[str],
    previous: Mapping[str, Any],
    windows: str = "",
) -> dict[str, Any]:
    """Return what all parts say together, as `checking.combine` does.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        answers: part -> what `stack_check` returned; parts that were not asked are absent.
        only: the parts that are wanted; empty means all of them.
        previous: the earlier evidence of latency.
        windows: the Windows host that the stack's distro runs on, "" where there is none.
    """
    parts = []
    if not only or "health" in only:
        parts.append(health_part(stack, state, answers.get("health", {}).get("services", {})))
    if not only or "drift" in only:
        parts.append(drift_part(stack, state))
    if "security" in answers:
        parts.append(judge_security(stack, answers["security"]["found"], datetime.now(timezone.utc).date()))
    if "network" in answers:
        parts.append(judge_network(stack, answers["network"], windows))
    if "latency" in answers:
        parts.append(judge_latency(stack, answers["latency"], previous))
    return combine(stack, parts)


def ready_evidence(stack: Mapping[str, Any], host: str, name: str) -> dict[str, Any]:
    """Return the stack's earlier evidence of that name, {results: {}} when there is none that may be believed."""
    try:
        path = evidence.path_of(Path(stack["evidence_dir"]), stack["name"], host, name)
        return dict(evidence.read(path).evidence)
    except evidence.EvidenceError:
        return {"results": {}}


def ready_to_verify(stack: Mapping[str, Any], state: Mapping[str, Any], host: str) -> bool:
    """Return whether `up --verify` must check, as `checking.to_verify` does."""
    parts = ("health", "security", "network", "latency")
    return to_verify(state, {name: ready_evidence(stack, host, name) for name in parts})


class FilterModule:
    """Ready's filters over what a check found."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_check": ready_check,
            "ready_evidence": ready_evidence,
            "ready_to_verify": ready_to_verify,
            "ready_still_shows": still_shows,
        }
