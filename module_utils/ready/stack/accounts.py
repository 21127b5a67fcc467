# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resolve the accounts of services, and PostgreSQL's databases and roles. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..common.input_value import kind_of, safe_value

#: The accounts that every store may have; PostgreSQL may have further ones.
ACCOUNTS = ("admin", "app", "monitor", "backup")
#: May read everything and change nothing; logs in from inside the container alone (pg_hba.conf).
READER = "ready_reader"
#: Databases that every server has.
_SERVERS_OWN = ("postgres", "template0", "template1")
_RIGHTS = "owner of its databases in postgresql_databases; elsewhere what their owners grant"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_EXTENSION = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_SHAPE = "{name: reports, owner: an account, extensions: [pg_trgm]}"
#: What no file, SQL or command line of a store could hold, whatever quotes it.
_BREAKING = frozenset("\"'`\\")
_PG_BYTES = 63
#: What messages call characters that a login may not have.
_CHARACTERS = {" ": "blanks", ",": "commas", ":": "colons"}


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(_NAME.fullmatch(value))


def _can_be_login(logins: Mapping[str, Any], value: Any) -> bool:
    """Return whether a store can have this login by its rules; every file and command that gets it quotes it."""
    if not isinstance(value, str) or not value.isprintable() or value.strip() != value or not value:
        return False
    if (_BREAKING | set(logins.get("excluded", ""))) & set(value) or value in logins.get("reserved", []):
        return False
    if logins.get("ascii", False) and not value.isascii():
        return False
    if "bytes" in logins and len(value.encode()) > logins["bytes"]:
        return False
    return not value.startswith(tuple(logins.get("prefixes", [])))


def _allowed_login(logins: Mapping[str, Any]) -> str:
    """Return what a login may be, in words."""
    words = " in ASCII" if logins.get("ascii") else f" of up to {logins['bytes']} bytes" if "bytes" in logins else ""
    excluded = [_CHARACTERS[character] for character in logins.get("excluded", "")]
    return f"a name{words} without {', '.join([*excluded, 'quotes'])} and backslashes"


def _can_be_database(value: Any) -> bool:
    """Return whether PostgreSQL's database can have this name; libpq takes one with = or :// for settings."""
    if not isinstance(value, str) or not value.isprintable() or value.strip() != value:
        return False
    return (
        not _BREAKING & set(value) and "=" not in value and "://" not in value and 0 < len(value.encode()) <= _PG_BYTES
    )


def _entry(its: Any) -> str:
    """Return what stands in place of a database, without the values of keys that it has not."""
    if isinstance(its, Mapping) and not set(its) - {"name", "owner", "extensions"}:
        return f"the name {safe_value(its.get('name'))}"
    return safe_value(its) if isinstance(its, Mapping) else kind_of(its)


def complete_accounts(service: dict[str, Any], own: Iterable[str]) -> list[str]:
    """Make a service's accounts whole, in place; return a message per fault.

    Args:
        service: a definition with the inventory's values in it.
        own: the accounts of the definition; only a service with databases may have others.

    The definition's rules for logins are taken out: nothing on a host asks for them.
    """
    variable, accounts, faults = f"{service['name']}_accounts", service["accounts"], []
    logins = service.pop("logins", {})
    taken: dict[str, str] = {}
    for account, its in list(accounts.items()):
        further = account not in own
        if further and "databases" not in service:
            expected = f"some of {', '.join(own)}" if own else "none: it has no accounts"
            faults.append(f"{variable}: found the account {account}, expected {expected}")
            continue
        if further and not _is_name(account):
            faults.append(f"{variable}: found the account {account!r}, expected a name of a-z 0-9 _ such as reports")
            continue
        its = {} if its is None and further else its
        if not isinstance(its, Mapping) or set(its) - {"login", "rights"} or (further and "rights" in its):
            faults.append(f"{variable}.{account}: expected nothing but a login, such as {{login: reports}}")
            continue
        if further:
            its = accounts[account] = {"login": its.get("login", account), "rights": _RIGHTS}
        if type(its["login"]) is int:
            its = accounts[account] = {**its, "login": str(its["login"])}
        login = its["login"]
        if not _can_be_login(logins, login) or (further and not _is_name(login)):
            wanted = "a name of a-z 0-9 _" if further else _allowed_login(logins)
            faults.append(f"{variable}.{account}.login: found {safe_value(login)}, expected {wanted} that is free")
        elif other := taken.get(login):
            faults.append(f"{variable}.{account}.login: {login} is the login of {other} already, expected another one")
        taken.setdefault(str(login), account)
    return faults


def complete_databases(service: dict[str, Any]) -> list[str]:
    """Make PostgreSQL's databases whole, the application's first, in place; return a message per fault."""
    variable, faults = "postgresql_databases", []
    owners = [account for account in service["accounts"] if account == "app" or account not in ACCOUNTS]
    found = {service["database"]: {"name": service["database"], "owner": "app", "extensions": []}}
    seen: set[str] = set()
    if not _can_be_database(service["database"]):
        faults.append(
            f"postgresql_database: found {safe_value(service['database'])}, expected a name of up to {_PG_BYTES} bytes "
            "without quotes, backslashes, = and ://"
        )
    for its in service["databases"]:
        if (
            not isinstance(its, Mapping)
            or set(its) - {"name", "owner", "extensions"}
            or not (_is_name(its.get("name")) or its.get("name") == service["database"])
        ):
            faults.append(f"{variable}: found {_entry(its)}, expected entries such as {_SHAPE}")
            continue
        name, owner, extensions = its["name"], its.get("owner", "app"), its.get("extensions", [])
        if name in _SERVERS_OWN or name in seen:
            why = "twice" if name in seen else "which every server has"
            faults.append(f"{variable}: found {name}, {why}; expected another name")
        if owner not in owners or (name == service["database"] and owner != "app"):
            expected = "app: it is the application's" if name == service["database"] else f"one of {', '.join(owners)}"
            faults.append(
                f"{variable}: found the owner {safe_value(owner)} of {name}, expected {expected} (postgresql_accounts)"
            )
        if not isinstance(extensions, list) or not all(
            isinstance(item, str) and _EXTENSION.fullmatch(item) for item in extensions
        ):
            faults.append(
                f"{variable}: found the extensions {safe_value(extensions)} of {name}, expected a list such as "
                "[pg_trgm]"
            )
            continue
        seen.add(name)
        found[name] = {"name": name, "owner": owner, "extensions": list(dict.fromkeys(extensions))}
    service["databases"] = list(found.values())
    return faults


def extensions(service: Mapping[str, Any]) -> list[str]:
    """Return the extensions that a resolved service's databases are to have."""
    return sorted({item for its in service.get("databases", []) for item in its["extensions"]})


def connectable_databases(service: Mapping[str, Any], account: str) -> list[str]:
    """Return the databases that an account can connect to by itself: its own, and for Ready's accounts the app's."""
    if account in ACCOUNTS:
        return [str(service["database"])]
    return [its["name"] for its in service.get("databases", []) if its["owner"] == account]


def working_logins(
    service: Mapping[str, Any], passwords: Collection[str], owners: Mapping[str, str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return (account, database) of every login that must work, and the accounts that `up` has not made whole yet.

    Args:
        service: the resolved service, of the inventory.
        passwords: the accounts that the container knows.
        owners: database -> its owner's login, as it is.
    """
    logins, later = [], []
    for account, its in service["accounts"].items():
        databases = connectable_databases(service, account)
        if account not in ACCOUNTS:
            there = [name for name in databases if account in passwords and owners.get(name) == its["login"]]
            if databases and not there:
                later.append(account)
            databases = there
        logins += [(account, name) for name in databases[:1]]
    return logins, later


def missing_from_set(service: Mapping[str, Any], names: Mapping[str, Iterable[str]]) -> tuple[set[str], set[str]]:
    """Return the roles and databases that setting the accounts makes, and a set with these names does not hold.

    Args:
        service: the resolved service.
        names: kind -> names that the set holds; of a kind that it does not tell, nothing is known.
    """
    roles = {READER, *(its["login"] for its in service["accounts"].values())}
    databases = {its["name"] for its in service.get("databases", [])}
    return (
        roles - set(names["roles"]) if "roles" in names else set(),
        databases - set(names["databases"]) if "databases" in names else set(),
    )
