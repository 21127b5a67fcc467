# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the module of the same name, then search what Ready writes on the controller for the stack's passwords."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.checks.parts import ASKED_PARTS
from ready.evidence import document as evidence  # Ansible offers module_utils to modules alone
from ready.secrets.controller_search import search_controller
from ready.secrets.inventory_store import packed_external


class ActionModule(ActionBase):
    """See library/stack_check.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the earlier evidence of latency, find out, then search."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        parts = list(ASKED_PARTS)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "parts": {"type": "list", "elements": "str", "choices": parts, "default": parts},
                "deadline": {"type": "float", "default": 20.0},
                "samples": {"type": "int", "default": 1000},
                "accept": {"type": "bool", "default": False},
            }
        )
        stack = args["stack"]
        if not args.pop("accept"):
            directory, host = Path(stack["evidence_dir"]), str(task_vars["inventory_hostname"])
            args["previous"] = evidence.earlier(directory, str(stack["name"]), host, "latency")
        args["external"] = packed_external(task_vars, self._templar.template, stack)
        result.update(self._execute_module("stack_check", module_args=args, task_vars=task_vars))
        if not result.get("failed") and "security" in result:
            result["security"]["found"]["leaks"]["controller"] = search_controller(
                stack, task_vars, self._templar.template
            )
        return result
