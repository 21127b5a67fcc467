# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the compatibility matrix says about a stack, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready import compatibility, upgradegates, upgradeplan  # Ansible offers module_utils to modules alone


def ready_moves(
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    images: Mapping[str, Any] | None = None,
    only: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return what the matrix says about each service; see compatibility.moves."""
    return compatibility.moves(stack, state, compatibility.load(), images, only)


def ready_version_rows(
    stack: Mapping[str, Any], state: Mapping[str, Any], lock: Mapping[str, Any], today: str
) -> list[dict[str, str]]:
    """Return the rows of `versions`."""
    return compatibility.version_rows(stack, state, lock, compatibility.load(), today)


class FilterModule:
    """Ready's filters over versions."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_moves": ready_moves,
            "ready_refusals": lambda moves, host: compatibility.refusals(host, moves),
            "ready_upgrade_steps": upgradeplan.steps,
            "ready_upgrade_lines": upgradeplan.lines,
            "ready_upgrade_results": upgradeplan.results,
            "ready_upgrade_verdict": upgradeplan.verdict,
            "ready_upgrade_room": upgradeplan.room,
            "ready_upgrade_done": upgradeplan.done_lines,
            "ready_gate_message": upgradegates.health_message,
            "ready_latency_gate": upgradegates.latency_gate,
            "ready_latency_message": upgradegates.latency_message,
            "ready_way_back": upgradeplan.way_back,
            "ready_way_back_lines": upgradeplan.way_back_lines,
            "ready_set_refusal": lambda answer, host: upgradeplan.set_refusal(host, answer),
            "ready_with_backup": upgradeplan.with_backup,
            "ready_only": upgradeplan.only,
            "ready_version_rows": ready_version_rows,
        }
