# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host's secrets: a random password per account, and keys of certificates, in an Ansible Vault file. Controller only.

The file is `host_vars/<host>/ready_secrets.vault` (its ending keeps Ansible from loading it as variables, so that a
missing key gets a clear message of ours). The key is whatever ansible-playbook was given (--vault-password-file,
ANSIBLE_VAULT_PASSWORD_FILE), else READY_VAULT_KEY_FILE, else ~/.config/ready/vault-key, made at first use.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import string
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import AnsibleVaultError, VaultLib, VaultSecret, get_file_vault_secret

from .certificates import Pair

ALPHABET = string.ascii_letters + string.digits
LENGTH = 32  # 190 bits; no '/', which Neo4j refuses, and nothing that a DSN must quote
#: Passwords that stand in documentation: refused by name, never printed.
DOCUMENTED = frozenset(
    {"production_password", "postgres", "password", "changeme", "change_me", "neo4j", "redis", "secret", "admin",
     "example", "mysecretpassword", "kailash", "kailash_app", "test", "123456", "letmein"}
)  # fmt: skip
#: Under this name a stack's own certificate authority stands among the certificates of its services.
AUTHORITY = "@authority"
#: Where the key of the backup repository stands among a stack's accounts: a service and an account nobody else has.
REPOSITORY = ("backup", "repository")
_ALLOWED = re.compile(r"[A-Za-z0-9._~!*+=:-]{12,256}")


class SecretsError(Exception):
    """Secrets can't be read or made; the message says why and what to do next."""


def new_password() -> str:
    """Return a random password of LENGTH letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def default_key_file() -> Path:
    """Return where the vault key is kept when nothing else is said: outside any repository."""
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
            raise SecretsError(
                f"the vault key is missing: {self.path} holds encrypted secrets, but {self.key_file} does not exist. "
                "Nothing was made anew. Next: put the key back (or name it with READY_VAULT_KEY_FILE); if it is lost, "
                "`./ready secrets recover` reads the secrets back from the running stack."
            )
        mode = stat.S_IMODE(self.key_file.stat().st_mode)
        if mode & 0o077:
            raise SecretsError(
                f"the vault key {self.key_file} has mode {mode:04o}, expected 0600. Next: chmod 600 {self.key_file}"
            )
        secret = get_file_vault_secret(filename=str(self.key_file), loader=DataLoader())
        secret.load()
        return [("default", secret)]

    def _decrypt(self, encrypted: bytes) -> dict[str, Any]:
        try:
            data = yaml.safe_load(VaultLib(self._keys()).decrypt(encrypted))
        except AnsibleVaultError as error:
            raise SecretsError(
                f"{self.path} can't be decrypted with the key given ({self.key_file}). Nothing was made anew. "
                "Next: use the key it was encrypted with; if it is lost, see `./ready secrets recover --help`."
            ) from error
        if not isinstance(data, dict) or data.get("version") != 1 or not isinstance(data.get("stacks"), dict):
            raise SecretsError(
                f"{self.path}: found no version 1 secrets inside. Next: restore it, or mend it (ansible-vault edit)."
            )
        return data

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
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(encrypted if isinstance(encrypted, bytes) else encrypted.encode())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self.path)

    def passwords(self, stack: str, service: str) -> dict[str, str]:
        """Return account -> password."""
        accounts = self.data["stacks"].get(stack, {}).get(service, {})
        return {account: entry["password"] for account, entry in accounts.items()}

    def previous(self, stack: str, service: str) -> dict[str, str]:
        """Return account -> the password before the last rotation: a store may still have it after a crash."""
        accounts = self.data["stacks"].get(stack, {}).get(service, {})
        return {account: entry["previous"] for account, entry in accounts.items() if "previous" in entry}

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

    def rotate(self, stack: str, services: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
        """Give every account of the services a new password, keep the old one beside it, save, return the accounts."""
        rotated = []
        for service in services:
            for account, entry in self.data["stacks"].get(stack, {}).get(service, {}).items():
                entry.update(previous=entry["password"], password=new_password())
                rotated.append((service, account))
        if rotated:
            self.save()
        return rotated

    def recovered(self, stack: str, found: Mapping[str, Mapping[str, str]], now: str, owner: str = "") -> Path | None:
        """Store passwords that were read back from a running stack, and its owner's id, beside those of other stacks.

        A file that can't be decrypted is put aside, never removed; returns where.
        """
        aside = None
        if self.exists:
            try:
                self.data = self._decrypt(self.path.read_bytes())
            except SecretsError:
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

    def faults(self, stack: str) -> list[str]:
        """Return a message per password that is documented somewhere or has characters that a store can't take."""
        messages = []
        for service, accounts in sorted(self.data["stacks"].get(stack, {}).items()):
            for account, entry in sorted(accounts.items()):
                where = f"the password of {service}'s account {account} in {self.path}"
                if str(entry["password"]).lower() in DOCUMENTED:
                    messages.append(f"{where} stands in public documentation: refused. Next: ./ready secrets rotate")
                elif not _ALLOWED.fullmatch(str(entry["password"])):
                    messages.append(f"{where} has fewer than 12 characters or one outside A-Z a-z 0-9 ._~!*+=:-")
        return messages

    def make_missing(self, stack: str, services: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
        """Give each account without a password a random one, save, and return those accounts."""
        missing = self.missing(stack, services)
        for service, account in missing:
            entry = {"password": new_password()}
            self.data["stacks"].setdefault(stack, {}).setdefault(service, {})[account] = entry
        if missing:
            self.save()
        return missing
