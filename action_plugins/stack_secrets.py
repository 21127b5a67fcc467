# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is done with a stack's secrets, on the controller: show, env, rotate, recover."""

from __future__ import annotations

import base64
import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.connection import as_text, settings  # Ansible offers module_utils to modules alone
from ready.inventory import open_store, store_without_secrets
from ready.tls import is_given, speaks_tls
from ready.vault import SecretsError


class ActionModule(ActionBase):
    """See library/stack_secrets.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do what `action` says."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "action": {"type": "str", "choices": ["show", "env", "rotate", "recover"], "required": True},
                "services": {"type": "list", "elements": "str", "default": []},
                "format": {"type": "str", "choices": ["dotenv", "json"], "default": "dotenv"},
                "secrets": {"type": "bool", "default": False},
                "output": {"type": "path", "default": ""},
            }
        )
        stack = args["stack"]
        names = args["services"] or list(stack["services"])
        try:
            if args["action"] == "recover":
                return {**result, **self._recover(stack, names, task_vars)}
            store = open_store(task_vars, self._templar.template)
            passwords = {name: store.passwords(stack["name"], name) for name in names}
            if args["action"] == "rotate":
                count = sum(map(len, passwords.values()))
                if not self._task.check_mode:
                    store.rotate(stack["name"], {name: stack["services"][name] for name in names})
                return {**result, "changed": bool(count), "msg": f"{count} passwords made anew"}
        except SecretsError as error:
            raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {error}") from error
        if args["action"] == "show":
            shown = {
                name: {
                    account: {"login": its["login"], "password": passwords[name].get(account)}
                    for account, its in stack["services"][name]["accounts"].items()
                }
                for name in names
                if stack["services"][name]["accounts"]
            }
            text = json.dumps(shown, indent=2) + "\n"
        else:
            text = as_text(settings(stack, passwords if args["secrets"] else None), args["format"])
        if args["output"]:
            descriptor = os.open(args["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
        else:
            Display().display(text)
        return {**result, "changed": False}

    def _recover(self, stack: dict[str, Any], names: list[str], task_vars: dict[str, Any]) -> dict[str, Any]:
        answer = self._execute_module("stack_secrets", module_args={"stack": stack}, task_vars=task_vars)
        if answer.get("failed"):
            raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {answer.get('msg')}")
        found = json.loads(base64.b64decode(answer["secrets"]))
        lost = [name for name in names if stack["services"][name]["accounts"] and not found.get(name)]
        if lost:
            raise AnsibleActionFail(
                f"{task_vars['inventory_hostname']}: no secrets were found in the containers of {', '.join(lost)}; "
                "expected their config volumes to hold them. Nothing was changed."
            )
        aside = None
        if not self._task.check_mode:
            now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
            aside = store_without_secrets(task_vars, self._templar.template).recovered(
                stack["name"], found, now, task_vars["ready_state"]["installed"]["owner"].get("id", "")
            )
        kept = f"; the file that can't be decrypted is kept as {aside}" if aside else ""
        speaking = [
            name for name, service in stack["services"].items() if speaks_tls(service) and not is_given(service)
        ]
        if aside and speaking:
            kept += (
                f". The key of the authority that signed the certificates of {', '.join(speaking)} is lost with it. "
                f"Next: ./ready up makes a new one; then give applications the new ready_ca.{stack['name']}.crt"
            )
        return {"changed": True, "msg": f"secrets of {', '.join(found)} read back and encrypted{kept}"}
