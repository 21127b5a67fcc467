# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What measured latency and the network's own cost show, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.evidence import plain  # modules alone get module_utils
from ready.latency import judge_latency
from ready.network import judge_network


def latency(
    stack: Mapping[str, Any], answer: Mapping[str, Any], previous: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the fields of the part `latency`; `previous` is the earlier evidence of it, if there is any."""
    # dataclasses.asdict can't copy Ansible's lazy containers.
    return plain(vars(judge_latency(stack, answer, previous or {})))


def network(stack: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the part `network`."""
    return plain(vars(judge_network(stack, answer)))


class FilterModule:
    """The filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name -> function."""
        return {"ready_latency": latency, "ready_network": network}
