# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the module of the same name and make its answer the host's variable `ready_state`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase, VariableLayer

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.evidence.scheduled import newer_outcomes  # Ansible offers module_utils to modules alone


class ActionModule(ActionBase):
    """See library/stack_state.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, leave out what the controller's evidence says already, then register."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec({"stack": {"type": "dict", "required": True}})
        result.update(self._execute_module("stack_state", module_args=args, task_vars=task_vars))
        if not result.get("failed"):
            state, stack = result["state"], args["stack"]
            directory, host = Path(stack["evidence_dir"]), str((task_vars or {})["inventory_hostname"])
            state["outcomes"] = newer_outcomes(state["outcomes"], directory, str(stack["name"]), host)
            self.register_host_variables({"ready_state": state}, VariableLayer.EPHEMERAL_FACT)
        return result
