# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask an upgraded service for its data and its latency, and decide whether the new engine may stay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase, VariableLayer

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain
from ready.common.verdict import PASS
from ready.evidence import document as evidence  # Ansible offers module_utils to modules alone
from ready.upgrades import gates


class ActionModule(ActionBase):
    """See library/upgrade_gates.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the modules, one gate after the other: a service without its data is not measured."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "service": {"type": "str", "required": True},
                "samples": {"type": "int", "required": True},
            }
        )
        stack, name = plain(args["stack"]), args["service"]
        alone = {**stack, "services": {name: stack["services"][name]}}
        health: dict[str, Any] = self._execute_module(
            "service_health", module_args={"stack": alone}, task_vars=task_vars
        )
        if "services" not in health:
            return result | health
        result["changed"] = False
        if health["services"][name]["verdict"] != PASS:
            return result | {"fault": gates.health_message(health["services"][name])}
        if args["samples"] <= 0:
            return result | {"fault": ""}
        measured: dict[str, Any] = self._execute_module(
            "service_latency", module_args={"stack": alone, "samples": args["samples"]}, task_vars=task_vars
        )
        if "services" not in measured:
            return result | measured
        host, directory = str(task_vars["inventory_hostname"]), Path(stack["evidence_dir"])
        before = evidence.earlier(directory, stack["name"], host, "latency")
        gate = gates.latency_gate(alone["services"][name], measured, before)
        self.register_host_variables({"_upgrade_latency": gate}, VariableLayer.EPHEMERAL_FACT)
        return result | {"fault": gate["message"]}
