# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the module of the same name, then search what Ready writes on the controller for the stack's passwords."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.inventory import open_store  # Ansible offers module_utils to modules alone
from ready.leaks import Search
from ready.vault import SecretsError


class ActionModule(ActionBase):
    """See library/stack_security.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find out, then search."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "timeout": {"type": "float", "default": 5.0},
                "deadline": {"type": "float", "default": 20.0},
            }
        )
        result.update(self._execute_module("stack_security", module_args=args, task_vars=task_vars))
        if not result.get("failed"):
            result["found"]["leaks"]["controller"] = self._search(args["stack"], task_vars)
        return result

    def _search(self, stack: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return {looked, found} for evidence, reports, logs and temporary files, or {fault}."""
        try:
            store = open_store(task_vars, self._templar.template)
        except SecretsError as error:
            return {"fault": str(error)}
        passwords = {name: store.passwords(stack["name"], name) for name in stack["services"]}
        places = [Path(stack["evidence_dir"]) / stack["name"], Path(constants.DEFAULT_LOCAL_TMP).parent]
        places += [Path(constants.DEFAULT_LOG_PATH)] if constants.DEFAULT_LOG_PATH else []
        found, read = Search(stack, passwords).files(places)
        return {"looked": f"{read} files below {', '.join(map(str, places))}", "found": found}
