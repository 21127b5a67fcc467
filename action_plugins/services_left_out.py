# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find the new services that a running stack is kept without, because its host cannot run or get them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.finding import Finding
from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.preflight import checks as preflight
from ready.preflight import left_out
from ready.preflight.limits import LimitsError, limits_of


class ActionModule(ActionBase):
    """See library/services_left_out.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Evaluate the checks with and without what is new."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "facts": {"type": "dict", "required": True},
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "unavailable": {"type": "dict", "default": {}},
                "memory_margin": {"type": "str", "required": True},
                "disk_free": {"type": "str", "required": True},
            }
        )
        facts, stack, state, foreseen = (plain(args[name]) for name in ("facts", "stack", "state", "unavailable"))
        try:
            limits = limits_of(args["memory_margin"], args["disk_free"])
        except LimitsError as error:
            raise AnsibleActionFail(str(error)) from error

        def look(its: Mapping[str, Any]) -> list[Finding]:
            return preflight.evaluate(facts, its, state, limits=limits, foreseen=foreseen)

        found = left_out.services_left_out(stack, state, look)
        lines = left_out.left_out_lines(found, str((task_vars or {})["inventory_hostname"]))
        return result | {"changed": False, "services": found, "lines": lines}
