# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read and write what Ready keeps beside an inventory: a host's secrets, its authority. Controller only."""

from __future__ import annotations

import getpass
import os.path
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.vault import VaultSecretsContext

from ..common.config_file import File
from ..stack import external
from ..stack.render import render_files
from ..stack.resolved import mounted_accounts
from .certificates import Served
from .file_transfer import pack_files
from .secrets_file import SecretsError
from .tls import is_given, served_certificate, speaks_tls
from .vault import AUTHORITY, SecretStore, default_key_file

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


def owner_of(
    store: SecretStore, stack: str, task_vars: Mapping[str, Any], template: Template, *, decided: bool = False
) -> dict[str, Any]:
    """Return this inventory as an owner of a stack: id, inventory, user, host; whether the id is known, and it adopts.

    Args:
        store: the host's secrets.
        stack: the stack's name.
        task_vars: the host's variables.
        template: Ansible's templar.
        decided: whether preflight, or who took the lock, has found that this inventory may have the stack.
    """
    known = True
    if store.exists and not store.owner(stack):  # a verb that does without secrets has not opened it
        try:
            store = open_store(task_vars, template)
        except SecretsError:
            known = False
    return {
        "id": store.owner(stack),
        "known": known,
        "inventory": str(task_vars.get("inventory_file") or task_vars.get("inventory_dir") or ""),
        "user": _user(),
        "host": os.uname().nodename,
        "adopts": decided or bool(template(task_vars.get("ready_adopt", False))),
    }


def _user() -> str:
    """Return who runs this; a container may have no name for them."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def rendered_files(store: SecretStore, stack: Mapping[str, Any], name: str) -> list[File]:
    """Return the files of the config volume of a service or sidecar, with the secrets that the store holds."""
    if name in stack.get("sidecars", {}):
        return _rendered_sidecar(store, stack, stack["sidecars"][name])
    passwords, previous = store.passwords(stack["name"], name), store.previous(stack["name"], name)
    service = stack["services"][name]
    if "front" in service:  # its sidecar has the keys of clients, and serves the certificate
        return render_files(service, {account: passwords[account] for account in mounted_accounts(service)}, {})
    certificate = served_certificate(store, stack["name"], service) if speaks_tls(service) else None
    return render_files(service, passwords, previous, certificate, rotated=store.rotated(stack["name"], name))


def packed_files(
    task_vars: Mapping[str, Any], template: Template, stack: Mapping[str, Any], names: Iterable[str]
) -> str:
    """Return the files of these services' config volumes on their way to a module. Raises SecretsError."""
    store = open_store(task_vars, template)
    return pack_files({name: rendered_files(store, stack, name) for name in names})


def packed_external(task_vars: Mapping[str, Any], template: Template, stack: Mapping[str, Any]) -> str:
    """Return what services elsewhere are asked with on its way to a module, "" without any. Raises SecretsError."""
    if not stack.get("external"):
        return ""
    store = open_store(task_vars, template)
    return external.pack_secrets(
        {
            name: external.Secrets(
                store.passwords(stack["name"], external.secrets_entry(name)),
                read_ca(its["ca_file"]) if its["ca_file"] else None,
            )
            for name, its in stack["external"].items()
        }
    )


def read_ca(path: str) -> str:
    """Return the certificates (PEM) in a file. Raises SecretsError when there are none."""
    try:
        text = Path(path).read_text(encoding="ascii")
        ssl.create_default_context(cadata=text)
    except (OSError, ValueError) as error:
        why = "no certificate in PEM"
        if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
            why = str(error.strerror)
        raise SecretsError(
            f"the CA certificate {path}: found {why}, expected a PEM file on the controller. Nothing was changed. "
            "Next: correct its path in the inventory"
        ) from None
    return text


def _rendered_sidecar(store: SecretStore, stack: Mapping[str, Any], sidecar: Mapping[str, Any]) -> list[File]:
    """Return its files.

    One that publishes its service's ports has what clients of that one meet: passwords, those of before, certificate
    and key. Any other has the one password that it needs, and whom to trust.
    """
    main = stack["services"][sidecar["of"]]
    passwords = store.passwords(stack["name"], main["name"])
    certificate = served_certificate(store, stack["name"], main) if sidecar["with_tls"] else None
    if sidecar.get("publishes"):
        previous, rotated = store.previous(stack["name"], main["name"]), store.rotated(stack["name"], main["name"])
        return render_files(sidecar, passwords, previous, certificate, rotated=rotated)
    account = sidecar["account"]
    return render_files(sidecar, {account: passwords[account]}, {}) + _authority(certificate)


def _authority(certificate: Served | None) -> list[File]:
    """Return the file by which whoever connects to a certificate's service verifies it."""
    return [File("tls/ca.crt", certificate.ca.encode())] if certificate else []


def host_names(task_vars: Mapping[str, Any], template: Template) -> list[str]:
    """Return what the inventory calls the host: its name, and its address where it has one."""
    return [str(task_vars["inventory_hostname"]), *filter(None, [str(template(task_vars.get("ansible_host") or ""))])]


def resolve_certificate_paths(stack: dict[str, Any], task_vars: Mapping[str, Any]) -> None:
    """Make paths of given certificates whole, in place: relative ones are meant from the inventory's directory."""
    base = Path(str(task_vars.get("inventory_dir") or "."))
    for service in filter(is_given, filter(speaks_tls, stack["services"].values())):
        for key in ("certificate", "key", "ca"):
            service["tls"][key] = os.path.normpath(base / Path(service["tls"][key]).expanduser())
    for service in stack["external"].values():
        if service["ca_file"]:
            service["ca_file"] = os.path.normpath(base / Path(service["ca_file"]).expanduser())


def windows_hosts_of_distros(hostvars: Mapping[str, Any], hosts: Iterable[str]) -> dict[str, str]:
    """Return distro -> the Windows host that it runs on, of those hosts that are such a distro."""
    named = {str(host): hostvars[host].get("ansible_wsl_windows_host") for host in hosts if host in hostvars}
    return {host: str(windows) for host, windows in named.items() if windows}


def authority_path(store: SecretStore, stack: str) -> Path:
    """Return where the public certificate of a stack's own authority lies, for applications: beside the secrets."""
    return store.path.with_name(f"ready_ca.{stack}.crt")


def authority_paths(store: SecretStore, stack: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> path of the CA certificate that its clients verify with, for services that speak TLS."""
    own = str(authority_path(store, stack["name"]))
    return {
        name: service["tls"]["ca"] if is_given(service) else own
        for name, service in stack["services"].items()
        if speaks_tls(service)
    } | {name: service["ca_file"] for name, service in stack.get("external", {}).items() if service["ca_file"]}


def publish_authority(store: SecretStore, stack: str) -> bool:
    """Write the authority's public certificate for applications; return whether that changed the file."""
    authority, path = store.pair(stack, AUTHORITY), authority_path(store, stack)
    if authority is None or (path.exists() and path.read_text(encoding="ascii") == authority.certificate):
        return False
    path.write_text(authority.certificate, encoding="ascii")
    return True
