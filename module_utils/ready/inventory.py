# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Ready keeps beside an inventory: where a host's secrets are. Runs on the controller, inside Ansible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.vault import VaultSecretsContext

from .render import File, render_files
from .vault import SecretsError, SecretStore, default_key_file

#: Ansible's templar: the value of a variable as a task would see it.
Template = Callable[[Any], Any]


def secrets_path(task_vars: Mapping[str, Any], template: Template) -> Path:
    """Return where the host's encrypted secrets lie: `ready_secrets_file`, else the inventory that named the host."""
    if given := template(task_vars.get("ready_secrets_file")):
        return Path(str(given)).expanduser()
    directory = task_vars.get("inventory_dir")
    if not directory:
        raise SecretsError(
            "the inventory is not a file, so there is no place for the secrets. Next: ./ready init DIR makes one, "
            "or set ready_secrets_file"
        )
    return Path(str(directory)) / "host_vars" / str(task_vars["inventory_hostname"]) / "ready_secrets.vault"


def store_without_secrets(task_vars: Mapping[str, Any], template: Template) -> SecretStore:
    """Return an empty store at the host's place, with a new key if the old one is lost: for secrets read back."""
    context = VaultSecretsContext.current(optional=True)
    key_file = template(task_vars.get("ready_vault_key_file"))
    return SecretStore(
        secrets_path(task_vars, template),
        Path(str(key_file)).expanduser() if key_file else default_key_file(),
        tuple(context.secrets) if context else (),
    )


def open_store(task_vars: Mapping[str, Any], template: Template) -> SecretStore:
    """Return the secrets of the host that the task runs for. Raises SecretsError when they can't be read."""
    store = store_without_secrets(task_vars, template)
    return SecretStore.open(store.path, store.key_file, store.given_keys)


def rendered(store: SecretStore, stack: Mapping[str, Any], name: str) -> list[File]:
    """Return the files of one service's config volume, with the secrets that the store holds."""
    passwords, previous = store.passwords(stack["name"], name), store.previous(stack["name"], name)
    return render_files(stack["services"][name], passwords, previous)
