# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hand a host what its backups need: settings, the repository's key, and what belongs to a set beside the data."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready.backups.manifest import level_of  # noqa: E402
from ready.backups.results import recovery_sheet  # noqa: E402
from ready.backups.runner_archive import runner  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.cli.outputs import OutputError, write_output  # noqa: E402
from ready.common.plain import plain  # noqa: E402
from ready.evidence.document import path_of  # noqa: E402
from ready.host.installed import stack_path  # noqa: E402
from ready.secrets.connection_log import without_result_log  # noqa: E402
from ready.secrets.inventory_store import open_store  # noqa: E402
from ready.secrets.secrets_file import REPOSITORY, SecretsError  # noqa: E402
from ready.secrets.vault import SecretStore, given_key, new_password  # noqa: E402
from ready.stack.schedules import SETTINGS, make_mark  # noqa: E402


class ActionModule(ActionBase):
    """See library/backup_settings.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Open the secrets, make the key if there is none, and hand all of it over."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        host = str(task_vars["inventory_hostname"])
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "settings": {"type": "dict", "required": True},
                "environment": {"type": "dict", "no_log": True, "default": {}},
                "prune_environment": {"type": "dict", "no_log": True, "default": {}},
                "key_file": {"type": "path", "default": ""},
                "output": {"type": "path", "default": ""},
                "print_sheet": {"type": "bool", "default": False},
                "time": {"type": "str", "default": ""},
                "look": {"type": "bool", "default": False},
            }
        )
        stack = plain(args["stack"])
        name = stack["name"]
        try:
            store = open_store(task_vars, self._templar.template)
            made = not args["look"] and self._key(store, name, args["key_file"], task_vars)
        except (SecretsError, OSError) as error:
            raise AnsibleActionFail(f"{host}: {error}") from error
        service, account = REPOSITORY
        key = store.passwords(name, service).get(account, "")
        if args["print_sheet"]:
            text = recovery_sheet(name, host, str(args["settings"]["repository"]), key)
            if not args["output"]:
                Display().display(text)
                return {**result, "changed": False}
            try:
                write_output(Path(args["output"]), text, f"ready {name} on {host}", 1, whole=False)
            except OutputError as error:
                raise AnsibleActionFail(f"{host}: {error}") from error
            return {**result, "changed": False}
        description = str(stack_path(name))
        settings = plain(args["settings"]) | {"description": description, "host": host}
        settings["level"] = level_of(settings["level"])
        files = {
            "settings.json": json.dumps(settings, indent=1, sort_keys=True).encode(),
            "key": f"{key}\n".encode(),
            "environment.json": json.dumps(plain(args["environment"])).encode(),
        }
        if args["prune_environment"]:
            files["prune.json"] = json.dumps(plain(args["prune_environment"])).encode()
        lock = Path(str(task_vars.get("inventory_dir") or "/nonexistent")) / "group_vars/all/ready_images_lock.yml"
        # The secrets as they lie there, encrypted: without the vault key nobody reads them, a set's thief included.
        for source, target in ((store.path, "secrets.vault"), (lock, "images_lock.yml")):
            if source.is_file():
                files[f"include/{target}"] = source.read_bytes()
        about = path_of(Path(stack["evidence_dir"]), name, host, "backup").parent
        files |= {f"include/evidence_{path.name}": path.read_bytes() for path in about.glob("*.json")}
        mark = make_mark(files, stack["schedules"], args["time"], stack["probes"])
        if args["look"]:
            return {**result, "changed": False, "mark": mark}
        module_args = {
            "stack": args["stack"],
            "files": json.dumps({path: base64.b64encode(content).decode() for path, content in files.items()}),
            "runner": base64.b64encode(runner()).decode(),
        }
        answer: dict[str, Any] = self._execute_module("backup_settings", module_args=module_args, task_vars=task_vars)
        result.update(answer)
        result |= {"changed": made or bool(answer.get("changed")), "mark": mark}
        return result

    def _key(self, store: SecretStore, stack: str, key_file: str, task_vars: dict[str, Any]) -> bool:
        """See that the store has a key: the given one, else its own, else the host's, else a new one.

        A store that was recovered has none, and there are sets that the host's key opens. Returns whether it changed.
        """
        service, account = REPOSITORY
        key = given_key(key_file) or store.passwords(stack, service).get(account)
        key = key or self._hosts_key(stack, task_vars) or new_password()
        changed = store.replace(stack, service, account, key)
        if changed and not self._task.check_mode:
            store.save()
        return changed

    def _hosts_key(self, stack: str, task_vars: dict[str, Any]) -> str:
        """Return the key that the host has, "" where there is none. Raises SecretsError when that can't be read."""
        path = str(SETTINGS / stack / "key")
        with without_result_log(self):
            answer = self._execute_module("ansible.builtin.slurp", {"src": path}, task_vars=task_vars)
        if not answer.get("failed"):
            return base64.b64decode(answer["content"]).decode().strip()
        if "not found" in str(answer.get("msg")):
            return ""
        raise SecretsError(f"{path}: {answer.get('msg')}")
