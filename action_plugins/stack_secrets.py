# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is done with a stack's secrets, on the controller: show, env, rotate, recover."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.checks.status import service_state
from ready.cli.outputs import OutputError, write_output
from ready.connections.settings import NetworkSettingsError, as_text, settings
from ready.secrets.connection_log import passwords_on_host
from ready.secrets.inventory_store import open_store, store_without_secrets
from ready.secrets.redaction import register_secrets
from ready.secrets.secrets_file import SecretsError
from ready.secrets.tls import is_given, speaks_tls
from ready.secrets.vault import SecretStore, provider_key, usable_key
from ready.stack.backends import checked_services  # Ansible offers module_utils to modules alone
from ready.stack.external import ACCOUNT, secrets_entry


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
                "action": {"type": "str", "choices": ["show", "env", "set", "rotate", "recover"], "required": True},
                "services": {"type": "list", "elements": "str", "default": []},
                "format": {"type": "str", "choices": ["dotenv", "json"], "default": "dotenv"},
                "secrets": {"type": "bool", "default": False},
                "where": {"type": "str", "choices": ["host", "container"], "default": "host"},
                "output": {"type": "path", "default": ""},
                "account": {"type": "str", "default": ACCOUNT},
                "from_file": {"type": "path", "default": ""},
                "replace": {"type": "bool", "default": False},
            }
        )
        stack = args["stack"]
        elsewhere = [name for name in stack["external"] if name in (args["services"] or stack["external"])]
        named = [name for name in args["services"] if name not in elsewhere]
        names = named if args["services"] else list(stack["services"])
        try:
            if args["action"] == "recover":
                return {**result, **self._recover(stack, names, task_vars)}
            store = open_store(task_vars, self._templar.template)
            if args["action"] == "set":
                return {**result, **self._set(store, stack, args)}
            passwords = {name: store.passwords(stack["name"], name) for name in names}
            absent = store.missing(stack["name"], {name: stack["services"][name] for name in names})
            used = args["action"] == "show" or (args["action"] == "env" and args["secrets"])
            if absent and (used or (args["action"] == "rotate" and not any(passwords.values()))):
                accounts = ", ".join(sorted("/".join(pair) for pair in absent))
                raise SecretsError(
                    f"found no password of {accounts} in {store.path}; expected those of all accounts. Nothing was "
                    "changed. Next: ./ready up makes what is missing"
                )
            passwords |= {name: store.passwords(stack["name"], secrets_entry(name)) for name in elsewhere}
            if used and (unset := store.unset(stack["name"], elsewhere)):
                raise SecretsError(
                    f"found no key of {', '.join(unset)} in {store.path}; expected the one that its provider has given "
                    f"out. Nothing was changed. Next: ./ready secrets set --service {unset[0]}"
                )
            if args["action"] == "rotate":
                if elsewhere and not names:
                    raise SecretsError(
                        f"found {', '.join(elsewhere)} elsewhere, expected one of the stack: a provider makes its "
                        f"own key. Nothing was changed. Next: ./ready secrets set --service {elsewhere[0]} takes it"
                    )
                count = self._rotate(store, stack, names, task_vars)
                return {**result, "changed": bool(count), "msg": f"{count} new passwords"}
        except SecretsError as error:
            raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {error}") from error
        if args["action"] == "show":
            shown = {
                name: {
                    account: {"login": its["login"], "password": passwords[name].get(account)}
                    for account, its in checked_services(stack)[name]["accounts"].items()
                }
                for name in [*names, *elsewhere]
                if checked_services(stack)[name]["accounts"]
            }
            text = json.dumps(shown, indent=2) + "\n"
        else:
            try:
                values = settings(stack, passwords if args["secrets"] else None, args["where"])
            except NetworkSettingsError as error:
                raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {error}") from error
            text = as_text(values, args["format"])
        if not args["output"]:
            Display().display(text, screen_only=True)  # log_path is a file for others
            return {**result, "changed": False}
        host = task_vars["inventory_hostname"]
        hosts, whole = len(task_vars["ansible_play_hosts"]), args["action"] == "show" or args["format"] == "json"
        try:
            line = write_output(Path(args["output"]), text, f"ready {stack['name']} on {host}", hosts, whole=whole)
        except OutputError as error:
            raise AnsibleActionFail(f"{host}: {error}") from error
        if line:
            Display().warning(f"{host}: {line}")
        return {**result, "changed": False}

    def _set(self, store: SecretStore, stack: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
        """Take a provider's key in: out of a file, or from a prompt that does not show it."""
        account = args["account"]
        if len(args["services"]) != 1 or args["services"][0] not in stack["external"]:
            found = ", ".join(args["services"]) or "no service"
            expected = " or ".join(stack["external"]) or "a service that is elsewhere, and the inventory has none"
            raise SecretsError(
                f"--service: found {found}, expected {expected}. Nothing was changed. Next: set its backend to "
                "external, or ./ready secrets rotate for new passwords of the stack's own services"
            )
        name = args["services"][0]
        accounts = list(stack["external"][name]["accounts"])
        if account not in accounts:
            raise SecretsError(f"--account: found {account}, expected {' or '.join(accounts)}. Nothing was changed.")
        kept = secrets_entry(name)
        there = account in store.passwords(stack["name"], kept)
        of_file = provider_key(args["from_file"]) if args["from_file"] else ""
        if there and not args["replace"] and store.passwords(stack["name"], kept)[account] != of_file:
            prompt = f"{store.path} has a key of {name} already. Type yes to replace it"
            if self._typed(prompt, False, "--yes") != "yes":
                raise SecretsError("The key stays as it is.")
        key = of_file or usable_key(
            self._typed(f"Key of {name} (it is not shown)", True, "--from-file FILE"), "the prompt"
        )
        register_secrets([key])
        changed = store.passwords(stack["name"], kept).get(account) != key
        if changed and not self._task.check_mode:
            # Nothing of ours has an earlier one, so none is kept.
            store.data["stacks"].setdefault(stack["name"], {}).setdefault(kept, {})[account] = {"password": key}
            store.save()
        return {"changed": changed, "msg": f"the key of {name} is {'kept' if changed else 'there already'}"}

    def _typed(self, prompt: str, private: bool, instead: str) -> str:
        """Return what is typed. Raises SecretsError where nobody can type."""
        try:
            return str(Display().prompt_until(f"{prompt}: ", private=private).decode(errors="replace").strip())
        except AnsiblePromptNoninteractive:
            raise SecretsError(
                f"found no terminal to ask, expected one, or {instead}. Nothing was changed. Next: run it again with "
                f"{instead}"
            ) from None
        except AnsiblePromptInterrupt:
            raise SecretsError("Nothing was changed.") from None

    def _rotate(self, store: SecretStore, stack: dict[str, Any], names: list[str], task_vars: dict[str, Any]) -> int:
        """Return how many passwords are new, or would be."""
        services = {name: stack["services"][name] for name in names}
        held, states = passwords_on_host(self, stack, task_vars), task_vars["ready_state"]["services"]
        healthy = [name for name in names if service_state(states[name]) == "healthy"]
        if half := store.unfinished(stack["name"], services, held, healthy):
            raise SecretsError(
                f"{', '.join(half)}: found a service that is not healthy, and may need the password before the last "
                "rotation; expected that rotation to be complete. Nothing was changed. Next: ./ready up completes it"
            )
        return len(store.rotate(stack["name"], services, held, dry_run=self._task.check_mode))

    def _recover(self, stack: dict[str, Any], names: list[str], task_vars: dict[str, Any]) -> dict[str, Any]:
        found = passwords_on_host(self, stack, task_vars)
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
