# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask a host's repository for its sets, with the key of the encrypted secrets."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.backups.results import set_rows
from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.secrets.inventory_store import open_store
from ready.secrets.secrets_file import REPOSITORY, SecretsError
from ready.secrets.vault import given_key


class ActionModule(ActionBase):
    """See library/backup_sets.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Open the secrets, and hand over what opens the repository."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "str", "required": True},
                "repository": {"type": "str", "required": True},
                "set_stack": {"type": "str", "required": True},
                "environment": {"type": "dict", "no_log": True, "default": {}},
                "key_file": {"type": "path", "default": ""},
            }
        )
        service, account = REPOSITORY
        try:
            store = open_store(task_vars, self._templar.template)
            key = given_key(args["key_file"]) or store.passwords(args["stack"], service).get(account, "")
        except (SecretsError, OSError) as error:
            raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {error}") from error
        module_args = {name: args[name] for name in ("stack", "repository", "set_stack")}
        module_args["credentials"] = json.dumps({"key": key, "environment": plain(args["environment"])})
        result.update(self._execute_module("backup_sets", module_args=module_args, task_vars=task_vars))
        if found := result.get("found"):
            result["rows"] = set_rows(found["sets"], found["proven"])
        return result
