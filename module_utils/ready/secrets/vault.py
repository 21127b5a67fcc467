# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep a host's passwords and keys in an Ansible Vault file; make the missing ones. Controller only.

The file is `host_vars/<host>/ready_secrets.vault` (its ending keeps Ansible from loading it as variables, so that a
missing key gets a clear message of ours). The key is whatever ansible-playbook was given (--vault-password-file,
ANSIBLE_VAULT_PASSWORD_FILE), else READY_VAULT_KEY_FILE, else ~/.config/ready/vault-key, made at first use.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import string
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import AnsibleVaultError, VaultLib, VaultSecret, get_file_vault_secret

from ..common.files import write_bytes
from ..stack.accounts import ACCOUNTS
from ..stack.external import ACCOUNT, key_fault, secrets_entry
from ..stack.resolved import SERVER
from .certificates import Pair
from .secrets_file import REPOSITORY, SecretsError, load, misspelt_accounts, password_fault

ALPHABET = string.ascii_letters + string.digits
LENGTH = 32  # 190 bits; no '/', which Neo4j refuses, and nothing that a DSN must quote
#: Under this name a stack's own certificate authority stands among the certificates of its services.
AUTHORITY = "@authority"


class LostKeyError(SecretsError):
    """The secrets can't be decrypted: no key, or another one."""


def given_key(name: str) -> str:
    """Return the repository's key out of a file, "" without a file. Raises SecretsError, and what the system raises."""
    if not name:
        return ""
    path = Path(name).expanduser()
    if path.stat().st_mode & 0o077:
        raise SecretsError(f"{path} can be read by others, expected mode 0600. Next: chmod 600 {path}")
    key = path.read_bytes().decode(errors="replace").strip()
    if not key:
        raise SecretsError(f"{path}: found nothing, expected the repository's key")
    if fault := password_fault(*REPOSITORY, key):
        raise SecretsError(
            f"the key of the backup repository in {path} {fault}. Nothing was changed. Next: give the right "
            "file, or the repository another key (restic key add)"
        )
    return key


def provider_key(name: str) -> str:
    """Return a provider's key out of a file of mode 0600. Raises SecretsError."""
    path = Path(name).expanduser()
    try:
        if path.stat().st_mode & 0o077:
            raise SecretsError(f"{path} can be read by others, expected mode 0600. Next: chmod 600 {path}")
        key = path.read_bytes().decode(errors="replace").strip()
    except OSError as error:
        raise SecretsError(f"{path}: found {error.strerror}, expected a file with the key") from None
    return usable_key(key, str(path))


def usable_key(key: str, where: str) -> str:
    """Return a provider's key as it is kept. Raises SecretsError, in which nothing of it stands."""
    if not key:
        raise SecretsError(f"{where}: found nothing, expected the key. Nothing was changed. Next: run it again")
    if fault := key_fault(key):
        raise SecretsError(f"{where}: the key {fault}. Nothing was changed. Next: run it again with the right one")
    return key


def new_password() -> str:
    """Return a random password of LENGTH letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def default_key_file() -> Path:
    """Return where the vault key is kept by default: outside any repository."""
    given = os.environ.get("READY_VAULT_KEY_FILE")
    return Path(given).expanduser() if given else Path("~/.config/ready/vault-key").expanduser()


@dataclass
class SecretStore:
    """The secrets of one host in one inventory."""

    path: Path
    key_file: Path
    #: What ansible-playbook itself was given; when there is any, the key file is not looked at.
    given_keys: Sequence[tuple[str, VaultSecret]] = ()
    data: dict[str, Any] = field(default_factory=lambda: {"version": 1, "stacks": {}})

    @classmethod
    def open(cls, path: Path, key_file: Path, given_keys: Sequence[tuple[str, VaultSecret]] = ()) -> SecretStore:
        """Return the store as it is on disk, or an empty one. Raises SecretsError when it can't be decrypted."""
        store = cls(path, key_file, given_keys)
        if path.exists():
            store.data = store._decrypt(path.read_bytes())
        return store

    @property
    def exists(self) -> bool:
        """Whether encrypted secrets are on disk."""
        return self.path.exists()

    def _keys(self) -> list[tuple[str, VaultSecret]]:
        if self.given_keys:
            return list(self.given_keys)
        if not self.key_file.exists():
            raise LostKeyError(
                f"the vault key is missing: {self.path} holds encrypted secrets, but {self.key_file} does not exist. "
                "Nothing was changed. Next: put the key back (or name it with READY_VAULT_KEY_FILE); if it is lost, "
                "`./ready secrets recover` reads the secrets back from the running stack."
            )
        mode = stat.S_IMODE(self.key_file.stat().st_mode)
        if mode & 0o077:
            raise SecretsError(
                f"the vault key {self.key_file} has mode {mode:04o}, expected 0600. Next: chmod 600 {self.key_file}"
            )
        try:
            secret = get_file_vault_secret(filename=str(self.key_file), loader=DataLoader())
            secret.load()
        except AnsibleError as error:
            raise SecretsError(
                f"the vault key {self.key_file} can't be read: {error.message}. Next: put the key into the file"
            ) from None
        return [("default", secret)]

    def _decrypt(self, encrypted: bytes) -> dict[str, Any]:
        try:
            data = VaultLib(self._keys()).decrypt(encrypted)
        except AnsibleVaultError as error:
            raise LostKeyError(
                f"{self.path} can't be decrypted with the key given ({self.key_file}). Nothing was changed. "
                "Next: use the key it was encrypted with; if it is lost, see `./ready secrets recover --help`."
            ) from error
        return load(data, self.path)

    def make_key(self) -> None:
        """Make the key file when neither a key nor encrypted secrets exist: never a second key for old secrets."""
        if self.given_keys or self.key_file.exists() or self.exists:
            return
        self.key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(48) + "\n")

    def save(self) -> None:
        """Encrypt and replace the file atomically, mode 0600."""
        self.make_key()
        # Names come from Ansible as strings of its own kind, which YAML does not know.
        plain = yaml.safe_dump(json.loads(json.dumps(self.data)), sort_keys=True)
        encrypted = VaultLib(self._keys()).encrypt(plain, secret=self._keys()[0][1])
        write_bytes(self.path, encrypted if isinstance(encrypted, bytes) else encrypted.encode(), 0o600)

    def passwords(self, stack: str, service: str) -> dict[str, str]:
        """Return account -> password."""
        accounts = self.data["stacks"].get(stack, {}).get(service, {})
        return {account: entry["password"] for account, entry in accounts.items()}

    def previous(self, stack: str, service: str) -> dict[str, str]:
        """Return account -> the password before the last rotation: a store may still have it after a crash."""
        accounts = self.data["stacks"].get(stack, {}).get(service, {})
        return {account: entry["previous"] for account, entry in accounts.items() if "previous" in entry}

    def rotated(self, stack: str, service: str) -> dict[str, int]:
        """Return account -> when its password was last rotated, in seconds since 1970."""
        accounts = self.data["stacks"].get(stack, {}).get(service, {})
        return {account: entry["rotated"] for account, entry in accounts.items() if "rotated" in entry}

    def take_over(self, stack: str, service: str, held: Mapping[str, str], now: int) -> bool:
        """Let the overlap of keys begin now that a host is about to replace; return whether one does. `save` keeps it.

        Args:
            stack: the stack's name.
            service: the one that clients know by the keys.
            held: account -> password as the host has it.
            now: seconds since 1970.
        """
        entries = self.data["stacks"].get(stack, {}).get(service, {})
        begun = [
            entry
            for account, entry in entries.items()
            if "rotated" in entry and held.get(account) == entry.get("previous") != entry["password"]
        ]
        for entry in begun:
            entry["rotated"] = now
        return bool(begun)

    def replace(self, stack: str, service: str, account: str, password: str) -> bool:
        """Give an account this password, and return whether it had another one; that is kept under `replaced`.

        Nobody has tried the new one yet, and nobody else may have the old one.
        """
        entry = self.data["stacks"].setdefault(stack, {}).setdefault(service, {}).setdefault(account, {})
        old = entry.get("password")
        if old == password:
            return False
        if old:
            entry["replaced"] = [*(item for item in entry.get("replaced", []) if item not in {old, password}), old]
        entry["password"] = password
        return True

    def owner(self, stack: str) -> str:
        """Return the id by which a host knows whose the stack is; nothing before the first `up`."""
        return str(self.data.get("owners", {}).get(stack, ""))

    def own(self, stack: str, owner: str = "") -> bool:
        """Take a new id for a stack that has none, or the given one; return whether that is one. `save` keeps it."""
        wanted = owner or self.owner(stack) or secrets.token_hex(16)
        changed = wanted != self.owner(stack)
        self.data.setdefault("owners", {})[stack] = wanted
        return changed

    def rotate(
        self,
        stack: str,
        services: Mapping[str, Mapping[str, Any]],
        held: Mapping[str, Mapping[str, str]],
        *,
        dry_run: bool = False,
    ) -> list[tuple[str, str]]:
        """Give every account of the services a new password, keep the old one and the time, save, return the accounts.

        Args:
            stack: the stack's name.
            services: those that are rotated.
            held: service -> account -> password as the host has it. Where that is another one than the file's, the
                file's has never reached a store: an earlier rotation ended before, and the store wants the host's.
            dry_run: whether to save nothing.
        """
        now, rotated = int(time.time()), []
        for service in services:
            for account, entry in self.data["stacks"].get(stack, {}).get(service, {}).items():
                between = account == SERVER and "key_overlap" in services[service]
                if between and not password_fault(service, account, entry["password"]):
                    continue  # between two containers of the stack: a new one restarts what is behind the gateway
                old = held.get(service, {}).get(account, entry["password"])
                entry.update(previous=old, password=new_password(), rotated=now)
                rotated.append((service, account))
        if rotated and not dry_run:
            self.save()
        return rotated

    def unfinished(
        self,
        stack: str,
        services: Mapping[str, Mapping[str, Any]],
        held: Mapping[str, Mapping[str, str]],
        healthy: Iterable[str],
    ) -> list[str]:
        """Return the services whose data may have the password before the last rotation, and need it for another one.

        Args:
            stack: the stack's name.
            services: the resolved services that are to be rotated.
            held: see `rotate`.
            healthy: the services that are: their data have the password that the host has.
        """
        return [
            name
            for name in set(services) & set(held) - set(healthy)
            if any(".previous" in word for word in services[name].get("reconcile") or ())
            and any(
                held[name].get(account) == its["password"] != its.get("previous", its["password"])
                for account, its in self.data["stacks"].get(stack, {}).get(name, {}).items()
            )
        ]

    def recovered(self, stack: str, found: Mapping[str, Mapping[str, str]], now: str, owner: str = "") -> Path | None:
        """Store passwords that were read back from a running stack, and its owner's id, beside those of other stacks.

        A file that can't be decrypted is put aside, never removed; returns where.
        """
        aside = None
        if self.exists:
            try:
                self.data = self._decrypt(self.path.read_bytes())
            except LostKeyError:
                aside = self.path.with_name(f"{self.path.name}.lost-{now}")
                self.path.rename(aside)
        for service, accounts in found.items():
            for account, password in accounts.items():
                entry = self.data["stacks"].setdefault(stack, {}).setdefault(service, {}).setdefault(account, {})
                entry["password"] = password
        if owner:
            self.own(stack, owner)
        self.save()
        return aside

    def pair(self, stack: str, name: str) -> Pair | None:
        """Return a certificate and its key: a service's by its name, the authority's as AUTHORITY."""
        found = self.data.get("tls", {}).get(stack, {}).get(name)
        return Pair(found["certificate"], found["key"]) if found else None

    def keys(self, stack: str) -> dict[str, str]:
        """Return whose -> private key (PEM), of the stack's authority and its services."""
        pairs = self.data.get("tls", {}).get(stack, {})
        return {"the authority" if name == AUTHORITY else name: str(its["key"]) for name, its in pairs.items()}

    def keep_pair(self, stack: str, name: str, pair: Pair) -> None:
        """Take a certificate and its key in, in place of an older one; `save` puts it on disk."""
        self.data.setdefault("tls", {}).setdefault(stack, {})[name] = asdict(pair)

    def missing(self, stack: str, services: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
        """Return the (service, account) pairs that have no password yet."""
        return [
            (name, account)
            for name, service in services.items()
            for account in service["accounts"]
            if account not in self.data["stacks"].get(stack, {}).get(name, {})
        ]

    def slips(self, stack: str, services: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Return a message per entry under a misspelt name: its password would be passed over, and a new one made."""
        kept = self.data["stacks"].get(stack, {})
        found = {f"stacks.{stack}.{name}": known for name, known in misspelt_accounts(kept, services).items()}
        for name, service in services.items():
            # Further logins come and go in the inventory: one that resembles another may be a renamed one.
            standard = [account for account in ACCOUNTS if account in service["accounts"]]
            further = set(service["accounts"]) - set(standard)
            typed = {account: its for account, its in kept.get(name, {}).items() if account not in further}
            for account, known in misspelt_accounts(typed, standard).items():
                found[f"stacks.{stack}.{name}.{account}"] = known
        return [
            f"{self.path}: found {where}, expected {known}. Nothing was changed. Next: correct the name with "
            "ansible-vault edit"
            for where, known in found.items()
        ]

    def unset(self, stack: str, external: Iterable[str]) -> list[str]:
        """Return the services elsewhere whose key is not there yet: nobody but their provider makes it."""
        return [name for name in external if ACCOUNT not in self.passwords(stack, secrets_entry(name))]

    def unusable(self, stack: str, external: Iterable[str]) -> list[str]:
        """Return a message per key of a service elsewhere that can't be sent."""
        return [
            f"the key of {name} in {self.path} {fault}. Nothing was changed. Next: ./ready secrets set --service {name}"
            for name in external
            for key in self.passwords(stack, secrets_entry(name)).values()
            if (fault := key_fault(key))
        ]

    def refused(self, stack: str, services: Iterable[str]) -> list[str]:
        """Return a message per password of these services that is documented somewhere or that a service can't take."""
        return [
            f"the password of {service}'s account {account} in {self.path} {fault}. Nothing was changed. Next: "
            "./ready secrets rotate, or, before the first up, change it with ansible-vault edit"
            for service, accounts in sorted(self.data["stacks"].get(stack, {}).items())
            if service in services  # not the backup repository: its key is judged when it is given
            for account, entry in sorted(accounts.items())
            if (fault := password_fault(service, account, entry["password"]))
        ]

    def shared(self, stack: str, services: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Return a message per key that several accounts of a service behind a gateway have: it knows them by it."""
        found = []
        for name, service in services.items():
            accounts: dict[str, list[str]] = {}
            for account, password in self.passwords(stack, name).items() if "key_overlap" in service else ():
                accounts.setdefault(password, []).append(account)
            found += [
                f"{self.path}: found one password of {name}'s accounts {', '.join(sorted(same))}, expected one for "
                f"each: the gateway knows by it whose request it is. Nothing was changed. Next: ./ready secrets rotate "
                f"--service {name}, or, before the first up, change it with ansible-vault edit"
                for same in accounts.values()
                if len(same) > 1
            ]
        return found

    def make_missing(self, stack: str, services: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
        """Give each account without a password a random one, save, and return those accounts."""
        missing = self.missing(stack, services)
        for service, account in missing:
            entry = {"password": new_password()}
            self.data["stacks"].setdefault(stack, {}).setdefault(service, {})[account] = entry
        if missing:
            self.save()
        return missing
