# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check what the secrets file holds without showing its text. Controller only.

A message names file, line, column and keys. What a parser says itself quotes the line, a value or an alias, and any
of them can be the password: somebody has just typed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..common.input_value import kind_of, safe_key
from ..common.spelling import closest, hint

#: Where the key of the backup repository stands among a stack's accounts: a service and an account nobody else has.
REPOSITORY = ("backup", "repository")
#: Passwords that stand in documentation, compared without case and separators: refused by name, never printed.
DOCUMENTED = frozenset(
    {"productionpassword", "testpassword", "devpassword", "defaultpassword", "postgres", "postgrespassword",
     "postgresql", "password", "password1", "password123", "password1234", "passw0rd", "p@ssw0rd", "passwordpassword",
     "changeme", "changemenow", "changemeplease", "pleasechangeme", "changeme123", "changethis", "changethispassword",
     "changeit", "neo4j", "neo4jpassword", "redis", "redispassword", "foobared", "chroma", "chromatoken", "testtoken",
     "secret", "supersecret", "supersecretpassword", "verysecret", "secretpassword", "secretsecret", "admin",
     "adminadmin", "adminpassword", "rootpassword", "example", "examplepassword", "mypassword", "mysecretpassword",
     "mysecurepassword", "securepassword", "yourpassword", "yourpasswordhere", "yoursecurepassword",
     "yourstrongpassword", "strongpassword", "kailash", "kailashapp", "kailashpassword", "readymonitor", "readybackup",
     "test", "testuser", "123456", "123456789012", "1234567890123", "qwertyuiop", "qwerty123456", "letmein",
     "correcthorsebatterystaple"}
)  # fmt: skip
#: What every service takes: no '/', which Neo4j refuses, and nothing that a connection string must quote.
_ALLOWED = re.compile(r"[A-Za-z0-9._~!*+=:-]{12,256}")
_ENTRY = ("password", "previous", "replaced", "rotated")
_TOP = ("version", "stacks", "owners", "tls")


class SecretsError(Exception):
    """Secrets can't be read or made; the message says why and what to do next."""


def fault_position(error: yaml.YAMLError, data: bytes) -> str:
    """Return where the slip is: " line 3, column 7", or "" when YAML does not say."""
    mark = getattr(error, "problem_mark", None)
    if "quoted scalar" in str(getattr(error, "context", "")):  # where the quote was opened, not where the file ends
        mark = getattr(error, "context_mark", None) or mark
    if mark:
        return f" line {mark.line + 1}, column {mark.column + 1}"
    if isinstance(at := getattr(error, "position", None), int):  # a character that no YAML may hold
        before = data[:at]
        return f" line {before.count(10) + 1}, column {at - before.rfind(10)}"
    return ""


def load(data: bytes, path: Path) -> dict[str, Any]:
    """Return what the decrypted file holds. Raises SecretsError, in which nothing of it stands."""
    where, fault = "", ""
    try:
        found = yaml.safe_load(data)
    except yaml.YAMLError as error:
        where, fault = fault_position(error, data), "something that is no YAML, such as an open quote or a tab"
    except (ValueError, TypeError, OverflowError, RecursionError):  # a value that looks like a date, a number, a key
        fault = "a value that YAML takes for a date or a number, and can't read"
    if fault:  # out of the handler: Ansible prints the text of each exception in the chain
        raise SecretsError(
            f"{path}:{where} found {fault}. Its text is not shown: it may be a password. "
            "Nothing was changed. Next: correct it with ansible-vault edit; a password in quotes is always read as text"
        )
    if not isinstance(found, dict) or found.get("version") != 1 or not isinstance(found.get("stacks"), dict):
        raise SecretsError(
            f"{path}: found no version 1 secrets inside. Next: restore it, or correct it with ansible-vault edit"
        )
    if faults := list(_shape_faults(found)):
        raise SecretsError(
            f"{path}: " + "; ".join(faults) + ". Nothing was changed. Next: correct it with ansible-vault edit"
        )
    return found


def _shape_faults(data: Mapping[str, Any]) -> Iterable[str]:
    """Return a message for each entry that is none, by the names that lead there."""
    for name in data:
        if name not in _TOP:
            yield f"found the unknown key {safe_key(name)}{hint(str(name), _TOP)}, expected some of {', '.join(_TOP)}"
    for stack, services in data["stacks"].items():
        if not isinstance(services, dict):
            yield f"stacks.{safe_key(stack)}: found {kind_of(services)}, expected a mapping of services"
            continue
        for service, accounts in services.items():
            where = f"stacks.{safe_key(stack)}.{safe_key(service)}"
            if not isinstance(accounts, dict):
                yield f"{where}: found {kind_of(accounts)}, expected a mapping of accounts"
                continue
            for account, entry in accounts.items():
                yield from _entry_faults(f"{where}.{safe_key(account)}", entry)
    yield from _owner_faults(data.get("owners", {}))
    yield from _pair_faults(data.get("tls", {}))


def _entry_faults(where: str, entry: Any) -> Iterable[str]:
    if not isinstance(entry, dict):
        yield f"{where}: found {kind_of(entry)}, expected {{password: …}}"
        return
    unknown = [name for name in entry if name not in _ENTRY]
    for name in unknown:  # never shown: a password may have been typed in its place
        yield f"{where}: found an unknown key{hint(str(name), _ENTRY)}, expected {', '.join(_ENTRY)}"
    if "password" not in entry and not unknown:
        yield f"{where}: found no password"
    for name in ("password", "previous"):
        value = entry.get(name, "-")
        if not isinstance(value, str) or not value:
            quotes = "" if isinstance(value, (dict, list)) or not value else " in quotes"
            yield f"{where}.{name}: found {kind_of(value)}, expected text{quotes}"
    if not isinstance(replaced := entry.get("replaced", []), list) or not all(isinstance(it, str) for it in replaced):
        yield f"{where}.replaced: found {kind_of(replaced)}, expected a list of texts in quotes"
    if not isinstance(rotated := entry.get("rotated", 0), int) or isinstance(rotated, bool):
        yield f"{where}.rotated: found {kind_of(rotated)}, expected seconds since 1970"


def _owner_faults(owners: Any) -> Iterable[str]:
    if not isinstance(owners, dict):
        yield f"owners: found {kind_of(owners)}, expected a mapping of stacks"
        return
    for stack, owner in owners.items():
        if not isinstance(owner, str) or not owner:
            yield f"owners.{safe_key(stack)}: found {kind_of(owner)}, expected the id in quotes"


def _pair_faults(tls: Any) -> Iterable[str]:
    if not isinstance(tls, dict):
        yield f"tls: found {kind_of(tls)}, expected a mapping of stacks"
        return
    for stack, pairs in tls.items():
        if not isinstance(pairs, dict):
            yield f"tls.{safe_key(stack)}: found {kind_of(pairs)}, expected a mapping of services"
            continue
        for service, pair in pairs.items():
            texts = [pair.get(part) for part in ("certificate", "key")] if isinstance(pair, dict) else [None]
            if not all(isinstance(text, str) and "-----BEGIN" in text for text in texts):
                yield f"tls.{safe_key(stack)}.{safe_key(service)}: expected a certificate and its key, in PEM"


def misspelt_accounts(accounts: Mapping[str, Any], known: Iterable[str]) -> dict[str, str]:
    """Return name in the file -> the known one that it is a slip for, which has no entry itself.

    Other unknown names stay: what is no longer in the inventory keeps its password.
    """
    missing = [name for name in known if name not in accounts]
    strange = [str(name) for name in accounts if name not in set(known)]
    found = {name: closest(name, missing, 0.75) for name in strange}
    return {name: close for name, close in found.items() if close}


def password_fault(service: str, account: str, password: str) -> str:
    """Return why a password is refused, "" when it may be: documented, or with characters that a service can't take."""
    if re.sub(r"[\s._-]", "", password.lower()) in DOCUMENTED:
        return "stands in public documentation: refused"
    if (service, account) == REPOSITORY:  # restic takes any line, and an older repository's key is what it is
        readable = password.isprintable() and "\ufffd" not in password
        return "" if readable else "has characters that can't be printed, expected one line of text"
    if not _ALLOWED.fullmatch(password):
        return "has fewer than 12 characters, more than 256 or one outside A-Z a-z 0-9 ._~!*+=:-"
    return ""
