# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evaluate what a check was answered, and make it the host's variable `_check`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase, VariableLayer

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.checks.report import (
    absent_containers,
    combine_results,
    drift_result,
    empty_report,
    health_result,
    why_unchecked,
)
from ready.common.plain import plain
from ready.evidence import document as evidence  # Ansible offers module_utils to modules alone
from ready.latency.overhead import judge_network
from ready.latency.verdicts import judge_latency
from ready.security.verdicts import judge_security


class ActionModule(ActionBase):
    """See library/check_results.py."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the earlier evidence of latency, evaluate, register."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "answers": {"type": "dict", "default": {}},
                "only": {"type": "list", "elements": "str", "default": []},
                "windows": {"type": "str", "default": ""},
                "accept": {"type": "bool", "default": False},
            }
        )
        host = str((task_vars or {})["inventory_hostname"])
        stack, state, answers = (plain(args[name]) for name in ("stack", "state", "answers"))
        previous = evidence.earlier(Path(stack["evidence_dir"]), stack["name"], host, "latency")
        found = evaluate(stack, state, answers, args["only"], previous, args["windows"], args["accept"])
        self.register_host_variables({"_check": found}, VariableLayer.EPHEMERAL_FACT)
        return result | {"changed": False, "check": found}


def evaluate(
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    answers: Mapping[str, Mapping[str, Any]],
    only: Collection[str],
    previous: Mapping[str, Any],
    windows: str = "",
    accept: bool = False,
) -> dict[str, Any]:
    """Return what all parts say together, as `report.combine_results` does.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        answers: part -> what `stack_check` returned; parts that were not asked are absent.
        only: the parts that are wanted; empty means all of them.
        previous: the earlier evidence of latency.
        windows: the Windows host that the stack's distro runs on, "" where there is none.
        accept: whether latency that passes is the new baseline.
    """
    if why := why_unchecked(stack, state):
        return empty_report(stack, state, why, only)
    parts = []
    if not only or "health" in only:
        parts.append(health_result(stack, state, answers.get("health", {}).get("services", {})))
    if not only or "drift" in only:
        parts.append(drift_result(stack, state))
    if "security" in answers:
        parts.append(judge_security(stack, answers["security"]["found"], datetime.now(timezone.utc).date()))
    if "network" in answers:
        parts.append(judge_network(stack, answers["network"], windows))
    if "latency" in answers:
        parts.append(judge_latency(stack, answers["latency"], previous, accept))
    return combine_results(stack, parts, absent_containers(stack, state))
